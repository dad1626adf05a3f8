"""The measured coverage and rejection rates as Markdown, and their place in docs/statistics.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.coverage.measured import Row, Section
from benchmarks.coverage.rejections import Rejections

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "statistics.md"
BEGIN, END = "<!-- coverage: begin -->", "<!-- coverage: end -->"
HEAD = (
    "| annotators x items | population: accuracy, SDs of annotators and items, choices | method | coverage | mean width"
    " | without interval | tables | |"
)
TESTS = "| test | conditions x annotators, items | population | rejected at .05 | studies | offered |"


def markdown(
    found: Sequence[tuple[Section, Sequence[Row]]],
    tests: Sequence[tuple[str, Sequence[Rejections]]],
    command: str,
    seed: int,
) -> str:
    """All tables under a line that says how they are made again. tests: by title"""
    made = (
        f"Made by `{command}` (seed {seed}; the same figures on every machine with the same numpy). Two standard errors"
        " of a coverage of 95 % are 0.8 points for 3,000 tables. The last column marks what lies"
        " outside 93-97 % by more than that: *too narrow* or *wide* (a safe interval that could be shorter)."
    )
    return "\n".join([made, "", *_sections(found), *_tests(tests)]).rstrip()


def _sections(found: Sequence[tuple[Section, Sequence[Row]]]) -> Iterator[str]:
    for section, rows in found:
        generalises = sorted({row.method.population for row in rows})
        yield from (f"### {section.title}", "", f"Generalises to: {'; '.join(generalises)}.", "", HEAD, _ruler(HEAD))
        yield from (_line(row) for row in rows)
        yield ""


def _line(row: Row) -> str:
    name = f"**{row.method.name}**" if row.method.offered else f"{row.method.name} (not offered)"
    figures = (f"{100 * row.coverage:.1f} %", f"{row.width:.2f}", f"{100 * row.undefined:.1f} %", f"{row.tables:,}")
    return "| " + " | ".join([row.design.size, row.design.where, name, *figures, row.verdict]) + " |"


def _tests(tests: Sequence[tuple[str, Sequence[Rejections]]]) -> Iterator[str]:
    for title, rows in tests:
        of = " of 5 %" if all(each.null.is_true for each in rows) else ""
        yield from (f"### {title}", "", f"Two standard errors{of} are given with each share.", "", TESTS)
        yield _ruler(TESTS)
        for each in rows:
            share = f"{100 * each.rejected:.1f} % (± {200 * each.error:.1f})"
            offered = "yes" if each.null.offered else "no"
            cells = (each.null.name, each.null.size, each.null.where, share, f"{each.studies:,}", offered)
            yield "| " + " | ".join(cells) + " |"
        yield ""


def _ruler(head: str) -> str:
    return "|" + "---|" * (head.count("|") - 1)


def write(text: str, document: Path = DOCUMENT) -> None:
    """Put the tables between their marks. raises: ValueError (the marks are not there)"""
    before, begin, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document.name} has no {BEGIN} ... {END}")
    document.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")

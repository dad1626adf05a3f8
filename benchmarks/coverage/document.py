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
    found: Sequence[tuple[Section, Sequence[Row]]], tests: Sequence[Rejections], command: str, seed: int
) -> str:
    """Both tables under a line that says how they are made again."""
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


def _tests(tests: Sequence[Rejections]) -> Iterator[str]:
    if not tests:
        return
    yield from ("### Tests of true nulls", "", "Two standard errors of 5 % are given with each share.", "")
    yield from (TESTS, _ruler(TESTS))
    for each in tests:
        null, p = each.null, each.null.population
        size = f"{null.conditions} x {null.annotators}, {null.items}"
        where = f"{p.accuracy:g}, SDs {p.annotator_sd:g} and {p.item_sd:g}"
        share = f"{100 * each.rejected:.1f} % (± {200 * each.error:.1f})"
        offered = "yes" if null.offered else "no"
        yield "| " + " | ".join([null.name, size, where, share, f"{each.studies:,}", offered]) + " |"


def _ruler(head: str) -> str:
    return "|" + "---|" * (head.count("|") - 1)


def write(text: str, document: Path = DOCUMENT) -> None:
    """Put the tables between their marks. raises: ValueError (the marks are not there)"""
    before, begin, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document.name} has no {BEGIN} ... {END}")
    document.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")

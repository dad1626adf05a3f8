"""The codebook of an export: every file, every column, in words. Made from the tables' own definitions."""

from __future__ import annotations

from collections.abc import Iterator

from studies.models import StudyVersion
from studies.reports.archive_tables import TABLES, columns_of

FILES = {
    "answers.jsonl": "The rows of answers.csv, one JSON object per line, with the exact texts.",
    "study.yaml": "The study's definition, with every default filled in; study validate reads it.",
    "report.json": "The report of the counted sheets, as study report --format json prints it.",
    "audit.jsonl": "Who did what to the study: one entry per line, each with the hash of the one before.",
    "codebook.md": "This file.",
}
HEAD = """\
# Codebook: {title}

Study `{slug}`, version `{version}`, plan `{plan}`.

CSV files are UTF-8 with one head line; an empty cell is "none", times are UTC. A text that a spreadsheet would take for
a formula has an apostrophe in front: the exact text stands in the JSON Lines file. Only rows whose `kind` is `live` are
answers of people.
"""


def codebook(version: StudyVersion) -> str:
    """The codebook of one study's export, as Markdown."""
    return "\n".join(_lines(version)) + "\n"


def _lines(version: StudyVersion) -> Iterator[str]:
    slug, plan = version.study.slug, version.plan_sha256 or "not frozen"
    yield HEAD.format(title=_plain(version.config.title), slug=slug, version=version.sha256, plan=plan)
    for table in TABLES:
        yield f"## {table.name}.csv\n\n{table.about}\n"
        yield "| column | meaning |\n|---|---|"
        for name, meaning in {**columns_of(table, version), **(table.exact or {})}.items():
            yield f"| `{_plain(name)}` | {meaning} |"
        yield ""
    yield "## Values of `question`\n\n| question | meaning |\n|---|---|"
    for name, meaning in _questions(version):
        yield f"| `{name}` | {_plain(meaning)} |"
    yield "\n## Other files\n"
    yield from (f"- `{name}`: {meaning}" for name, meaning in FILES.items())


def _questions(version: StudyVersion) -> Iterator[tuple[str, str]]:
    yield "choice", "What the annotator thinks that the model answers."
    builtin = {
        "confidence": (
            "confidence",
            "How sure, from 1 (guessing) to 5 (certain).",
        ),
        "helpful_page": ("helpful", "Which page was more helpful: overview or features. Only where both are shown."),
        "comment": ("comment", "A text, optional; empty where one was deleted again."),
    }
    for question in version.config.questions:
        if isinstance(question, str):
            yield builtin[question]
        else:
            kind = "1 to 5" if question.type == "scale" else "text"
            yield question.id, f"{question.text} ({kind})"


def _plain(text: str) -> str:
    """A researcher's text in one cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")

"""A study's export: one zip with all its data and what explains them. The same data give the same bytes.

For workers and the command line: the report inside loads numpy. Who may have it is decided by `export_allow`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, TextIO

from studies.forms.yaml_text import study_file
from studies.models import AuditEntry, StudyVersion
from studies.reports.archive_rules import exported_audit
from studies.reports.archive_tables import ANSWERS, TABLES, Row, columns_of
from studies.reports.codebook import codebook
from studies.spreadsheet import rows_write

MEDIA_TYPE = "application/zip"
#: Zip entries have a time; a fixed one, so that nothing but the data makes a difference.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def build_export(version: StudyVersion) -> tuple[bytes, str]:
    """The export's bytes and media type."""
    file = io.BytesIO()
    export_write(version, file)
    return file.getvalue(), MEDIA_TYPE


def export_write(version: StudyVersion, file: IO[bytes]) -> None:
    """Write the export into a file, row by row: memory does not grow with the number of answers."""
    from studies.reports.build import build
    from studies.reports.export import as_json

    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for table in TABLES:
            with _entry(archive, f"{table.name}.csv") as text:
                head = list(columns_of(table, version))
                rows_write(text, head, ([row[name] for name in head] for row in table.rows(version)))
        _lines(archive, "answers.jsonl", ANSWERS.rows(version))
        _text(archive, "study.yaml", study_file(version.config))
        _text(archive, "report.json", as_json(build(version)))
        _text(archive, "codebook.md", codebook(version))
        _lines(archive, "audit.jsonl", map(_audit_row, exported_audit(version.study)))


def _audit_row(entry: AuditEntry) -> Row:
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "act": entry.act,
        "actor": entry.actor,
        "details": entry.details,
        "previous": entry.previous,
        "sha256": entry.sha256,
    }


@contextmanager
def _entry(archive: zipfile.ZipFile, name: str) -> Iterator[TextIO]:
    info = zipfile.ZipInfo(name, NO_TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    with archive.open(info, "w") as raw, _as_text(raw) as text:
        yield text


def _as_text(raw: IO[bytes]) -> TextIO:
    # Half a surrogate pair cannot be written as UTF-8; escaped it is what JSON means by it.
    return io.TextIOWrapper(raw, encoding="utf-8", newline="", errors="backslashreplace")


def _text(archive: zipfile.ZipFile, name: str, content: str) -> None:
    with _entry(archive, name) as text:
        text.write(content)


def _lines(archive: zipfile.ZipFile, name: str, rows: Iterable[dict[str, Any]]) -> None:
    with _entry(archive, name) as text:
        for row in rows:
            text.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")

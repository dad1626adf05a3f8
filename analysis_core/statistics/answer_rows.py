"""A CSV file as rows with their lines: encoding, separator, quotes and progress. Called by answer_files."""

from __future__ import annotations

import csv
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from tqdm import tqdm

from analysis_core.errors import BadData

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}
STDIN = "-"

#: The longer mark first: UTF-32's begins with UTF-16's.
MARKS = ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
UTF8 = "utf-8-sig"

#: What the codec's error handler surrogateescape puts in place of a byte that is not UTF-8.
FOREIGN = re.compile("[\udc80-\udcff]")
#: The first line that Excel writes where it wants a separator known: `sep=;`.
EXCEL = re.compile(r"sep=(.)\r?\n?")
ROWS_PER_STEP = 4096
NUL = "has a NUL byte, so it is no CSV text: save it as CSV UTF-8"


@dataclass(frozen=True)
class Table:
    """name: for messages. rows: (line in which the row begins, its cells), one at a time; blank lines are left out."""

    name: str
    header: list[str]
    header_line: int
    separator: str
    rows: Iterator[tuple[int, list[str]]]


@contextmanager
def open_table(path: Path, wanted: Sequence[str], separator: str | None = None) -> Iterator[Table]:
    """Open a file, or standard input where the path is `-`.

    wanted:    names of columns; the separator (comma, semicolon, tab) that finds most of them in the header is taken
    separator: one character; not guessed then
    raises:    BadData (not readable, not text, no header, and, while rows are read, bad quotes: with the line)
    """
    name = "standard input" if str(path) == STDIN else str(path)
    try:
        with _opened(path) as raw:
            text = _decoded(raw, name)
            yield _table(text, name, wanted, separator, raw)
    except OSError as error:
        raise BadData(f"cannot be read: {error.strerror or error}", file=name) from error
    except UnicodeError as error:
        raise BadData(f"is not the text that its byte order mark announces ({error})", file=name) from error


def _opened(path: Path) -> io.BufferedReader:
    if str(path) == STDIN:
        if sys.stdin is None:
            raise OSError("it is closed")
        return io.BufferedReader(cast(io.RawIOBase, sys.stdin.buffer))
    return path.open("rb")


def _decoded(raw: io.BufferedReader, name: str) -> io.TextIOWrapper:
    head = raw.peek(4096)
    encoding = next((encoding for mark, encoding in MARKS if head.startswith(mark)), UTF8)
    if head.startswith(b"PK\x03\x04"):
        raise BadData("is a workbook (or another zip file), not text: save the sheet as CSV UTF-8", file=name)
    if encoding == UTF8 and b"\0" in head:
        line = head[: head.index(b"\0")].count(b"\n") + 1
        raise BadData(NUL, file=name, row=line)
    errors = "surrogateescape" if encoding == UTF8 else "strict"
    return io.TextIOWrapper(cast(BinaryIO, raw), encoding=encoding, errors=errors, newline="")


def _table(
    text: io.TextIOWrapper, name: str, wanted: Sequence[str], separator: str | None, raw: io.BufferedReader
) -> Table:
    first, skipped = text.readline(), 0
    if declared := EXCEL.fullmatch(first):
        first, skipped = text.readline(), 1
        separator = separator or declared[1]
    separator = separator or recognised(first, wanted, name)
    records = _records(_without_nul(chain([first], text), name, skipped), separator, name, skipped)
    line, header = next(records, (skipped + 1, []))
    header = [cell.strip() for cell in header]
    if not any(header):
        raise BadData("has no header line", file=name)
    return Table(name, header, line, separator, _checked(_watched(records, raw), header, name))


def recognised(line: str, wanted: Sequence[str], name: str = "") -> str:
    """The separator that makes most of the wanted columns out of a header line; of equals, the one with most cells."""

    def fit(separator: str) -> tuple[int, int, bool]:
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
        usual = "\t" if name.lower().endswith((".tsv", ".tab")) else ","
        return sum(column in cells for column in wanted), len(cells), separator == usual

    return max(SEPARATORS.values(), key=fit)


def _without_nul(lines: Iterator[str], name: str, skipped: int) -> Iterator[str]:
    """The same lines, none with a NUL: what it stands in is no text, though a CSV reader takes it for a letter."""
    for line, text in enumerate(lines, start=skipped + 1):
        if "\0" in text:
            raise BadData(NUL, file=name, row=line)
        yield text


def _records(lines: Iterator[str], separator: str, name: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=separator, strict=True)
    begins = skipped + 1
    try:
        for cells in reader:
            if cells:
                yield begins, cells
            begins = skipped + reader.line_num + 1
    except csv.Error as error:
        raise BadData(f"is not CSV: {_in_words(error)}", file=name, row=begins) from error


def _in_words(error: csv.Error) -> str:
    if "end of data" in str(error):
        return "a quote that opens in this row is never closed"
    if "field limit" in str(error):
        return f"a cell of more than {csv.field_size_limit():,} characters; is a quote of this row never closed?"
    return str(error)


def _checked(records: Iterator[tuple[int, list[str]]], header: list[str], name: str) -> Iterator[tuple[int, list[str]]]:
    _refuse_foreign(1, header, header, name)
    for line, cells in records:
        if not all(map(str.isascii, cells)):
            _refuse_foreign(line, cells, header, name)
        yield line, cells


def _refuse_foreign(line: int, cells: list[str], header: list[str], name: str) -> None:
    for position, cell in enumerate(cells):
        if found := FOREIGN.search(cell):
            byte = ord(found[0]) - 0xDC00
            raise BadData(
                f"is not UTF-8 text (byte {byte:#04x}; in Latin-1 that is {chr(byte)!r}): save the file as CSV UTF-8, "
                "or convert it: iconv -f WINDOWS-1252 -t UTF-8 OLD.csv > NEW.csv",
                file=name,
                row=line,
                field=header[position] if position < len(header) and cells is not header else None,
            )


def _watched(records: Iterator[tuple[int, list[str]]], raw: io.BufferedReader) -> Iterator[tuple[int, list[str]]]:
    """The same rows with a bar on a terminal, where reading takes longer than a second."""
    size = os.fstat(raw.fileno()).st_size if _is_file(raw) else 0
    unit = "B" if size else " rows"
    with tqdm(
        total=size or None, unit=unit, unit_scale=True, desc="reading", disable=None, delay=1, leave=False
    ) as bar:
        for count, record in enumerate(records):
            if not bar.disable and count % ROWS_PER_STEP == 0:
                bar.update((raw.tell() if size else count) - bar.n)
            yield record


def _is_file(raw: io.BufferedReader) -> bool:
    try:
        return raw.seekable() and raw.fileno() >= 0
    except OSError:
        return False

"""Answers in long form from a CSV file, one row per rater and unit: what `python -m analysis_core.statistics` reads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis_core.errors import AnalysisError, BadData, UnknownName
from analysis_core.statistics.answer_groups import Group
from analysis_core.statistics.answer_rows import SEPARATORS, Table, open_table
from analysis_core.statistics.answer_scale import Scale

#: As many problems of a file are kept, those of the first lines; the rest is counted.
KEPT = 100
#: Labels that are alike are looked for among as many, and as many are named.
COMPARED_LABELS, NAMED_LABELS = 10_000, 5


class BadRows(AnalysisError):
    """What is wrong with the rows of one file, one sentence each, in the order of the lines; more: not kept."""

    def __init__(self, problems: Sequence[AnalysisError], more: int = 0) -> None:
        self.problems, self.more = tuple(problems), more
        super().__init__("\n".join(str(problem) for problem in problems))


@dataclass(frozen=True)
class Columns:
    """Which column holds what; where: only rows whose column has this text are read."""

    unit: str
    rater: str
    value: str
    group: str | None = None
    truth: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    confidence: str | None = None

    def named(self) -> tuple[str, ...]:
        optional = [name for name in (self.group, self.truth, self.confidence) if name]
        return (self.unit, self.rater, self.value, *optional, *self.where)


@dataclass(frozen=True)
class Answers:
    """groups: in order of appearance. scale: how cells were read. notes: what a reader should know of the file."""

    groups: tuple[Group, ...]
    scale: Scale
    notes: tuple[str, ...] = ()


def read_answers(
    path: Path, columns: Columns, level: str, *, values: Sequence[str] = (), separator: str | None = None
) -> Answers:
    """Read a file, or standard input where the path is `-`, row by row; memory follows the answers, not the table.

    Cells are read without the blanks around them; an empty cell is a missing answer. At nominal level a value is its
    text ("nan", "NA" and "true" too); other levels need finite numbers, and "nan" and "NA" are missing. UTF-8 (with or
    without a byte order mark), UTF-16 with one; separators , ; and tab are recognised, decimal commas in files with ;
    values:    the declared domain: any other answer is refused; at ordinal level labels, lowest first
    separator: one character that separates cells, not guessed then
    raises:    BadData (no such file, not text, no rows: with the line), BadRows (missing columns; every bad row: line
               and column), BadInput (values), UnknownName (level)
    """
    scale = Scale(level, tuple(values))
    with open_table(path, columns.named(), separator) as rows:
        return _Reader(rows, columns, scale).read()


class _Problems:
    """Keeps the problems of the first lines, however many come in whatever order."""

    def __init__(self, name: str) -> None:
        self.name, self.count = name, 0
        self.kept: list[BadData] = []

    def add(self, message: str, line: int, column: str | None = None) -> None:
        self.count += 1
        self.kept.append(BadData(message, file=self.name, row=line, field=column))
        if len(self.kept) > 10 * KEPT:
            self._cut()

    def refuse(self) -> None:
        self._cut()
        if self.kept:
            raise BadRows(self.kept, self.count - len(self.kept))

    def _cut(self) -> None:
        self.kept = sorted(self.kept, key=lambda problem: problem.row or 0)[:KEPT]


class _Reader:
    def __init__(self, rows: Table, columns: Columns, scale: Scale) -> None:
        self.rows, self.columns, self.scale = rows, columns, scale
        self.problems = _Problems(rows.name)
        self.groups: dict[str | None, Group] = {}
        scale.decimal_comma = rows.separator == ";"
        #: Confidence is a number at every level of the answers.
        self.confidence = Scale("interval", decimal_comma=scale.decimal_comma)

    def read(self) -> Answers:
        places = _places(self.rows, self.columns)
        width, where = len(self.rows.header), [(places[name], text) for name, text in self.columns.where.items()]
        for line, cells in self.rows.rows:
            if len(cells) != width:
                self.problems.add(f"{len(cells)} cells where the header has {width}", line)
            elif all(cells[place].strip() == text for place, text in where):
                self._enter({name: cells[place].strip() for name, place in places.items()}, line)
        for group in self.groups.values():
            for line, earlier, rater, unit in group.repeated():
                message = f"{rater!r} has answered {unit!r} already, in line {earlier}"
                self.problems.add(message, line, self.columns.rater)
        self.problems.refuse()
        if not self.groups:
            raise BadData("no rows" + (" that match --where" if self.columns.where else ""), file=self.rows.name)
        return Answers(tuple(self.groups.values()), self.scale, tuple(_notes(self.scale)))

    def _enter(self, row: Mapping[str, str], line: int) -> None:
        columns = self.columns
        empty = [name for name in (columns.unit, columns.rater) if not row[name]]
        for column in empty:
            self.problems.add("is empty", line, column)
        if empty:
            return
        name = row[columns.group] if columns.group else None
        group = self.groups.get(name) or self.groups.setdefault(name, Group(name))
        unit = group.add(row[columns.rater], row[columns.unit], self._code(self.scale, row, columns.value, line), line)
        if columns.confidence:
            group.confidence.append(self._confidence(row, columns.confidence, line))
        if columns.truth:
            self._enter_truth(group, unit, row, columns.truth, line)

    def _enter_truth(self, group: Group, unit: int, row: Mapping[str, str], column: str, line: int) -> None:
        truth = self._code(self.scale, row, column, line)
        if math.isnan(truth):
            return
        if not group.truth_line[unit]:
            group.truth[unit], group.truth_line[unit] = truth, line
        elif group.truth[unit] != truth:
            message = f"{row[column]!r}, but line {group.truth_line[unit]} has another truth for the same unit"
            self.problems.add(f"{message}, {row[self.columns.unit]!r}", line, column)

    def _confidence(self, row: Mapping[str, str], column: str, line: int) -> float:
        confidence = self._code(self.confidence, row, column, line)
        if not math.isnan(confidence) and confidence % 1:
            self.problems.add(f"{row[column]!r} is not a whole number, as levels of confidence are", line, column)
        return confidence

    def _code(self, scale: Scale, row: Mapping[str, str], column: str, line: int) -> float:
        try:
            return scale.code(row[column])
        except ValueError as error:
            self.problems.add(str(error), line, column)
            return math.nan


def _places(rows: Table, columns: Columns) -> dict[str, int]:
    missing = [name for name in dict.fromkeys(columns.named()) if name not in rows.header]
    if missing and len(rows.header) == 1 and len(columns.named()) > 1:
        found = f"has a single column, {rows.header[0]!r}"
        message = f"{found}: its separator is none of {', '.join(SEPARATORS)}; name it (--separator)"
        if rows.separator not in SEPARATORS.values():
            message = f"{found}: {rows.separator!r} does not separate its cells"
        raise BadData(message, file=rows.name, row=rows.header_line)
    if missing:
        raise BadRows([UnknownName(f"column in {rows.name}:", name, rows.header) for name in missing])
    for name in columns.named():
        if rows.header.count(name) > 1:
            raise BadData("stands in the header twice", file=rows.name, row=rows.header_line, field=name)
    return {name: rows.header.index(name) for name in columns.named()}


def _notes(scale: Scale) -> list[str]:
    """What of the cells may have been meant otherwise than it was read."""
    notes = []
    if cells := ", ".join(f"{text!r} ({count})" for text, count in sorted(scale.spelled.items())):
        reading = "count as an answer at nominal level; a missing answer is an empty cell"
        if scale.level != "nominal":
            reading = f"count as missing at level {scale.level}"
        notes.append(f"Cells with the text {cells} {reading}.")
    alike = _alike(scale.labels) if len(scale.labels) <= COMPARED_LABELS and not scale.domain else []
    if alike:
        named, more = ", ".join(alike[:NAMED_LABELS]), len(alike) - NAMED_LABELS
        rest = f", and {more} more" if more > 0 else ""
        notes.append(f"Labels that differ in their case only are different answers: {named}{rest}.")
    return notes


def _alike(labels: Iterable[str]) -> list[str]:
    spellings: dict[str, list[str]] = {}
    for label in labels:
        spellings.setdefault(label.casefold(), []).append(repr(label))
    return [" and ".join(spelled) for spelled in spellings.values() if len(spelled) > 1]

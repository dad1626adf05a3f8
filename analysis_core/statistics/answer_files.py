"""Answers in long form from a CSV file, one row per rater and unit: what `python -m analysis_core.statistics` reads."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis_core.errors import AnalysisError, BadData, UnknownName

Value = str | float


class BadRows(AnalysisError):
    """Everything that is wrong with the rows of one file, one sentence each."""

    def __init__(self, problems: Sequence[BadData]) -> None:
        self.problems = tuple(problems)
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

    def named(self) -> tuple[str, ...]:
        optional = [name for name in (self.group, self.truth) if name]
        return (self.unit, self.rater, self.value, *optional, *self.where)


@dataclass
class Group:
    """The answers of one group; raters and units in order of appearance."""

    name: str | None
    raters: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    answers: dict[tuple[int, int], Value] = field(default_factory=dict)
    truths: dict[int, Value] = field(default_factory=dict)
    lines: dict[tuple[int, int], int] = field(default_factory=dict)

    def ratings(self) -> list[list[Value | None]]:
        """[raters, units], None missing."""
        return [[self.answers.get((r, u)) for u in range(len(self.units))] for r in range(len(self.raters))]

    def correct(self) -> list[list[float | None]]:
        """[raters, units] of 1 and 0; None where the answer or the unit's truth is missing."""
        return [[self._right(r, u) for u in range(len(self.units))] for r in range(len(self.raters))]

    def _right(self, rater: int, unit: int) -> float | None:
        if unit not in self.truths or (rater, unit) not in self.answers:
            return None
        return float(self.answers[rater, unit] == self.truths[unit])


def read_answers(path: Path, columns: Columns, level: str) -> list[Group]:
    """Groups in order of appearance; a file with the ending .tsv is read with tabs.

    Cells are read without the blanks around them; an empty cell is a missing answer. At nominal level a value is its
    text ("nan" too); other levels need finite numbers, and "nan" is missing.
    raises: BadData (no such file, not text, no rows), UnknownName (column), BadRows (every bad row: line and column)
    """
    groups: dict[str | None, Group] = {}
    problems: list[BadData] = []
    for line, row in _rows(path, columns, problems):
        name = row[columns.group] if columns.group else None
        group = groups.setdefault(name, Group(name))
        problems.extend(_add(group, row, line, columns, level, path))
    if problems:
        raise BadRows(problems)
    if not groups:
        raise BadData("no rows" + (" that match --where" if columns.where else ""), file=path)
    return list(groups.values())


def _rows(path: Path, columns: Columns, problems: list[BadData]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
            header = _header([name.strip() for name in next(reader, [])], columns, path)
            for cells in reader:
                if len(cells) == len(header):
                    row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
                    if all(row[name] == text for name, text in columns.where.items()):
                        yield reader.line_num, row
                elif cells:
                    message = f"{len(cells)} cells where the header has {len(header)}"
                    problems.append(BadData(message, file=path, row=reader.line_num))
    except OSError as error:
        raise BadData(f"cannot be read: {error.strerror or error}", file=path) from error
    except UnicodeDecodeError as error:
        raise BadData(f"is not UTF-8 text (byte {error.start})", file=path) from error
    except csv.Error as error:
        raise BadData(f"is not CSV: {error}", file=path, row=reader.line_num) from error


def _header(header: list[str], columns: Columns, path: Path) -> list[str]:
    if not any(header):
        raise BadData("has no header line", file=path)
    for name in columns.named():
        if name not in header:
            raise UnknownName(f"column in {path}:", name, header)
        if header.count(name) > 1:
            raise BadData("stands in the header twice", file=path, row=1, field=name)
    return header


def _add(
    group: Group, row: Mapping[str, str], line: int, columns: Columns, level: str, path: Path
) -> Iterator[BadData]:
    """Enter one row into its group; yields what is wrong with it."""
    empty = [name for name in (columns.unit, columns.rater) if not row[name]]
    if empty:
        yield from (BadData("is empty", file=path, row=line, field=name) for name in empty)
        return
    unit = group.units.setdefault(row[columns.unit], len(group.units))
    rater = group.raters.setdefault(row[columns.rater], len(group.raters))
    if (rater, unit) in group.lines:
        message = (
            f"{row[columns.rater]!r} has answered {row[columns.unit]!r} already, in line {group.lines[rater, unit]}"
        )
        yield BadData(message, file=path, row=line, field=columns.rater)
        return
    group.lines[rater, unit] = line
    try:
        answer = _value(row[columns.value], level)
        if answer is not None:
            group.answers[rater, unit] = answer
    except ValueError as error:
        yield BadData(str(error), file=path, row=line, field=columns.value)
    if columns.truth:
        yield from _add_truth(group, unit, row, line, columns.truth, level, path)


def _add_truth(
    group: Group, unit: int, row: Mapping[str, str], line: int, column: str, level: str, path: Path
) -> Iterator[BadData]:
    try:
        truth = _value(row[column], level)
    except ValueError as error:
        yield BadData(str(error), file=path, row=line, field=column)
        return
    if truth is not None and group.truths.setdefault(unit, truth) != truth:
        message = f"{row[column]!r}, but an earlier line of the same unit says {group.truths[unit]!r}"
        yield BadData(message, file=path, row=line, field=column)


def _value(text: str, level: str) -> Value | None:
    if not text:
        return None
    if level == "nominal":
        return text
    try:
        number = float("x" if "_" in text else text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number, as level {level} needs") from None
    if math.isnan(number):
        return None
    if math.isinf(number) or (level == "ratio" and number < 0):
        raise ValueError(f"{text!r}: level {level} needs {'finite numbers' if math.isinf(number) else 'at least 0'}")
    return number

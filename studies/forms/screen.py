"""The form as its template draws it: sections, fields with their texts, rows, and each problem at its field."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as made_with

from studies.config import PRESETS
from studies.forms.controls import ABSENT, to_texts
from studies.forms.fields import OWN_LIST, OWN_QUESTION, QUESTION, ROWS, Field, fields, row_fields, words
from studies.forms.layout import SECTIONS, Part
from studies.forms.posted import Data, compact, in_row, row_count
from studies.yaml_strict import Problem

#: Empty rows at the end of a group: without scripts, more appear when the form is saved.
SPARE = {"conditions": 2, "pages.quiz.questions": 1, "questions": 1}
_LABELS = {
    OWN_LIST: "my own, in the table",
    OWN_QUESTION: "my own question",
    "confidence": "How sure are you? (confidence)",
    "helpful_page": "Which page was more helpful? (helpful_page)",
    "comment": "A comment (comment)",
}


@dataclass(frozen=True)
class Option:
    """One choice of a select or one box."""

    value: str
    label: str
    is_chosen: bool
    is_closed: bool = False


@dataclass(frozen=True)
class Shown:
    """One control with what stands in it."""

    field: Field
    name: str
    texts: list[str]
    problems: list[str] = made_with(default_factory=list)

    @property
    def id(self) -> str:
        """Its id on the page."""
        return field_id(self.name)

    @property
    def text(self) -> str:
        """What stands in a control with one text."""
        return self.texts[-1] if self.texts else ""

    @property
    def is_required(self) -> bool:
        """Whether a study cannot be without it; a balance as a whole can."""
        return self.field.required and not self.field.path.startswith("items.balance.")

    @property
    def is_untouched(self) -> bool:
        """Whether it stands at its default, and nothing is wrong with it."""
        return self.texts in (to_texts(self.field, ABSENT), [""]) and not self.problems

    @property
    def height(self) -> int:
        """Lines of a large control."""
        return min(12, max(2, self.text.count("\n") + 1))

    @property
    def help(self) -> str:
        """What the key means, and its default."""
        default = self.field.default
        said = "" if default in ("", "none") or self.field.required or self.field.control == "tick" else default
        return f"{self.field.meaning.rstrip('.')}. Default: {said}" if said else self.field.meaning

    @property
    def options(self) -> list[Option]:
        """The choices; one that only this study knows stands among them, so that it is not lost."""
        known = [Option(o, _label(self.field, o), o in self.texts, o in self.field.closed) for o in self._in_order]
        strange = [text for text in self.texts if text and text not in self.field.options]
        return [*known, *(Option(text, f"{text} (not known here)", True) for text in strange)]

    @property
    def has_none(self) -> bool:
        """Whether a select begins with an empty choice."""
        return self.field.optional or not self.text

    @property
    def _in_order(self) -> list[str]:
        # Boxes are posted in the order of the page: those of the study first, as they are there.
        chosen = [text for text in self.texts if text in self.field.options]
        if self.field.control != "ticks" or self.field.path.startswith("conditions"):
            return list(self.field.options)
        return [*chosen, *(option for option in self.field.options if option not in chosen)]


@dataclass(frozen=True)
class Row:
    """One entry of a list of parts."""

    number: int | str
    cells: list[Shown]

    @property
    def cell(self) -> dict[str, Shown]:
        """Its controls by the last part of their paths."""
        return {cell.field.key: cell for cell in self.cells}


@dataclass(frozen=True)
class Rows:
    """A list of parts: its entries, some empty ones, and the pattern of one more for scripts."""

    group: str
    rows: list[Row]
    pattern: Row

    @property
    def label(self) -> str:
        """What the list is called."""
        return words()[self.group]["label"]


@dataclass(frozen=True)
class ShownPart:
    """A part of a section with its controls and lists."""

    part: Part
    fields: list[Shown]
    rows: list[Rows]

    @property
    def is_folded(self) -> bool:
        """Whether nothing in it needs to be seen."""
        cells = [cell for rows in self.rows for row in rows.rows for cell in row.cells]
        return self.part.is_extra and all(shown.is_untouched for shown in [*self.fields, *cells])


@dataclass(frozen=True)
class Line:
    """One line of the summary of problems: where it leads, which field it is about, what is wrong."""

    id: str
    label: str
    path: str
    message: str


@dataclass(frozen=True)
class Screen:
    """The whole form."""

    sections: list[tuple[str, str, list[ShownPart]]]
    summary: list[Line]


def screen(data: Data, problems: Iterable[Problem] = ()) -> Screen:
    """The form of what was posted (or of `fill`), each problem at its field and in the summary."""
    data = compact(data)
    made = {shown.name: shown for shown in _controls(data)}
    summary = [_line(problem, made) for problem in problems]
    rows = {group: _rows(group, data, made) for group in ROWS}
    sections = [(s.id, s.title, [_part(part, made, rows) for part in s.parts]) for s in SECTIONS]
    return Screen(sections, summary)


def field_id(name: str) -> str:
    """A control's id: a key path without what addresses cannot hold."""
    return "f-" + re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")


def at_field(problem: Problem, names: Iterable[str]) -> str:
    """The name of the control that a problem is about, or "": its own, one inside of its part, or that of its list."""
    path, names = problem.path, list(names)
    while path:
        if path in names:
            return path
        inside = [name for name in names if name.startswith((f"{path}.", f"{path}["))]
        if inside:
            # A rule over several keys begins with the one that it blames: "balance adds up to 3, but ..."
            blamed = problem.message.split()[0] if problem.message else ""
            return next((name for name in inside if name.startswith(f"{path}.{blamed}")), inside[0])
        path = re.sub(r"(\.[^.\[\]]*|\[\d+\])$", "", path) if re.search(r"[.\[]", path) else ""
    return ""


def _controls(data: Data) -> Iterable[Shown]:
    for path, one in fields().items():
        if "[]" not in path:
            yield Shown(one, path, data.get(path, [""]))
    for group in ROWS:
        for place in range(row_count(data, group) + SPARE[group]):
            for one in row_fields(group):
                yield _cell(one, place, data)


def _cell(one: Field, place: int | str, data: Data) -> Shown:
    begin = one.initial if one.control == "select" and one.initial else ""
    name = in_row(one, place)
    return Shown(one, name, data.get(name, [begin]))


def _line(problem: Problem, made: dict[str, Shown]) -> Line:
    name = at_field(problem, made)
    if not name:
        return Line("form", "", problem.path, problem.message)
    made[name].problems.append(problem.message)
    return Line(made[name].id, made[name].field.label, problem.path, problem.message)


def _rows(group: str, data: Data, made: dict[str, Shown]) -> Rows:
    count = row_count(data, group) + SPARE[group]
    rows = [Row(i + 1, [made[in_row(one, i)] for one in row_fields(group)]) for i in range(count)]
    return Rows(group, rows, Row("NEW", [_cell(one, "NEW", {}) for one in row_fields(group)]))


def _part(part: Part, made: dict[str, Shown], rows: dict[str, Rows]) -> ShownPart:
    return ShownPart(
        part,
        [made[path] for path in part.entries if path in made],
        [rows[path] for path in part.entries if path in rows],
    )


def _label(one: Field, option: str) -> str:
    if option in one.closed:
        return f"{option} (cannot be run yet)"
    if one.path == "conditions" and option in PRESETS:
        return f"{option}: {', '.join('+'.join(stages) for stages in PRESETS[option])}"
    return _LABELS.get(option, option) if one.path in ("conditions", QUESTION) else option

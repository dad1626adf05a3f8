"""The study file: its schema, presets and canonical form. No ORM and no torch: validating a file needs neither.

`read(text)` gives a StudyConfig or a StudyFileError whose problems carry key path and line; `json_schema()` is what is
published at /schema/study.json.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from studies.config_parts import (
    FEATURE_STAGES,
    PATTERNS,
    AnnotatorsPart,
    AnswersPart,
    ConditionPart,
    DatasetPart,
    ItemsPart,
    ModelPart,
    OwnQuestion,
    PagesPart,
    Part,
    PlanPart,
    RecruitmentPart,
    Slug,
    Stage,
    Text,
)
from studies.config_stages import StagesPart
from studies.yaml_strict import MOST_LEVELS, Parsed, Problem, StudyFileError, dotted, parse

KINDS = ("simulation", "concept", "error", "debugging")
RUNNABLE_KINDS = ("simulation",)
PRESETS: dict[str, tuple[tuple[Stage, ...], ...]] = {
    "multiviz-ablation": (
        ("U",),
        ("U", "C"),
        ("U", "C", "Rl"),
        ("U", "C", "Rl", "Rg"),
        ("U", "C", "Rl", "Rg", "P"),
    ),
    "Rl+P": (("Rl", "P"),),
    "Rg+P": (("Rg", "P"),),
}
# Where a key takes two forms, what is written decides which one it is checked as: errors then speak of that form only.
BRANCH = "form:"
# Control characters other than tab and line ends, and halves of surrogate pairs
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# Addresses that end in a word of their own
RESERVED_SLUGS = ("new",)
PresetTag = Annotated[Literal["multiviz-ablation", "Rl+P", "Rg+P"], Tag(f"{BRANCH}preset")]
ListTag = Annotated[list[ConditionPart], Field(min_length=1), Tag(f"{BRANCH}list")]
BuiltinTag = Annotated[Literal["confidence", "helpful_page", "comment"], Tag(f"{BRANCH}builtin")]
OwnTag = Annotated[OwnQuestion, Tag(f"{BRANCH}own")]


def _conditions_branch(value: Any) -> str:
    return f"{BRANCH}list" if isinstance(value, list) else f"{BRANCH}preset"


def _question_branch(value: Any) -> str:
    return f"{BRANCH}own" if isinstance(value, dict | OwnQuestion) else f"{BRANCH}builtin"


class StudyConfig(Part):
    """A simulation study: can people predict the model's output from its explanation?"""

    study: Slug
    kind: Literal["simulation"]
    title: Text
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    dataset: DatasetPart
    model: ModelPart
    items: ItemsPart = ItemsPart()
    answers: AnswersPart = AnswersPart(choices=4)
    target_class_policy: Literal["predicted", "all_candidates", "true_class"]
    stages: StagesPart = StagesPart()
    conditions: Annotated[PresetTag | ListTag, Discriminator(_conditions_branch)]
    annotators: AnnotatorsPart = AnnotatorsPart()
    pages: PagesPart = PagesPart()
    recruitment: RecruitmentPart = RecruitmentPart()
    questions: list[Annotated[BuiltinTag | OwnTag, Discriminator(_question_branch)]] = []
    plan: PlanPart = PlanPart()

    @field_validator("study")
    @classmethod
    def _not_an_address(cls, value: str) -> str:
        if value in RESERVED_SLUGS:
            raise ValueError(f"{value!r} is an address of the platform; choose another name")
        return value

    @model_validator(mode="after")
    def _conditions_differ(self) -> StudyConfig:
        names = [arm.name for arm in self.arms]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise ValueError(f"conditions[{place}].name: another condition is called {name!r} too")
        asked = [question if isinstance(question, str) else question.id for question in self.questions]
        for place, name in enumerate(asked):
            if name in asked[:place]:
                raise ValueError(f"questions[{place}]: {name!r} is asked twice")
        if self.needs_features and self.dataset.train is None:
            raise ValueError(
                "dataset.train: the stages Rl, Rg and P are fitted on a training split; this key is missing"
            )
        return self

    @property
    def arms(self) -> tuple[ConditionPart, ...]:
        """The conditions, a preset spelled out and the number of annotators filled in."""
        if isinstance(self.conditions, str):
            named = [ConditionPart(name="+".join(stages), stages=list(stages)) for stages in PRESETS[self.conditions]]
        else:
            named = self.conditions
        default = self.annotators.per_condition
        return tuple(arm.model_copy(update={"annotators": arm.annotators or default}) for arm in named)

    @property
    def shown_stages(self) -> frozenset[Stage]:
        """The union of all conditions' stages: what has to be computed."""
        return frozenset(stage for arm in self.arms for stage in arm.stages)

    @property
    def needs_features(self) -> bool:
        """Whether a stage shows features, which are ranked by the sparse model of the training split."""
        return bool(self.shown_stages & FEATURE_STAGES)

    def canonical(self) -> str:
        """The definition with every default filled in, as JSON with sorted keys: what is stored and hashed."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def sha256(self) -> str:
        """The version: SHA-256 of the canonical definition."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def read(text: str) -> StudyConfig:
    """Read a study file's text. raises: StudyFileError with every problem found (key path, line)"""
    parsed = parse(text)
    if not isinstance(parsed.value, dict):
        raise StudyFileError([Problem("", "a study file is a mapping of keys; see `study schema`")])
    return _validated(parsed)


def read_values(values: dict[str, Any]) -> StudyConfig:
    """The same for values that come from a form or from JSON. raises: StudyFileError, its problems without lines"""
    return _validated(Parsed(values, {}))


def from_values(values: dict[str, Any]) -> StudyConfig:
    """Rebuild a config from its stored canonical form."""
    return StudyConfig.model_validate(values)


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of a study file."""
    schema = StudyConfig.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Study file"}


def _validated(parsed: Parsed) -> StudyConfig:
    _check_kind(parsed)
    _check_characters(parsed)
    try:
        return StudyConfig.model_validate(parsed.value)
    except ValidationError as error:
        raise StudyFileError(_problems(error, parsed)) from error


def _check_characters(parsed: Parsed) -> None:
    """Texts are stored as UTF-8, by databases that cannot hold every character that YAML and JSON can spell."""
    found = [
        Problem(dotted(path), f"contains the control character U+{ord(bad[0]):04X}; take it out", parsed.line(path))
        for path, text in texts_in(parsed.value)
        if (bad := _UNSTORABLE.search(text))
    ]
    if found:
        raise StudyFileError(found)


def texts_in(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text in plain values with its path, the keys of mappings too."""
    if len(path) > MOST_LEVELS:
        return  # no key of a study file lies that deep: the schema refuses what holds it
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key), str(key)
            yield from texts_in(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from texts_in(inner, (*path, place))


def _check_kind(parsed: Parsed) -> None:
    kind = parsed.value.get("kind")
    line = parsed.line(("kind",))
    if kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(KINDS)}"
        said = "is missing" if "kind" not in parsed.value else f"{kind!r} is not a kind of study"
        raise StudyFileError([Problem("kind", f"{said}; {hint}", line)])
    if kind not in RUNNABLE_KINDS:
        raise StudyFileError([Problem("kind", f"{kind} studies cannot be run yet: this version runs simulation", line)])


def _problems(error: ValidationError, parsed: Parsed) -> list[Problem]:
    found: list[Problem] = []
    for detail in error.errors():
        # pydantic names the branch of a union in the location; what stands in the file does not have it.
        path = tuple(part for part in detail["loc"] if not str(part).startswith(BRANCH))
        message = _sentence(detail, path)
        # A rule over several keys names the one to blame in its sentence.
        named = None if path else re.match(r"([a-z_]+)((?:\[\d+\]|\.[a-z_]+)*): ", message)
        if named:
            path, message = _path(named[1] + named[2]), message[named.end() :]
        problem = Problem(dotted(path), message, parsed.line(path))
        if problem not in found:
            found.append(problem)
    return found


def _path(text: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdigit() else part for part in re.findall(r"[a-z_]+|\d+", text))


def _sentence(detail: Any, path: tuple[str | int, ...]) -> str:
    kind, message = detail["type"], str(detail["msg"])
    if kind == "literal_error":
        offered = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        near = difflib.get_close_matches(str(detail["input"]), offered, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(offered)}"
        return f"{detail['input']!r} is not known here; {hint}"
    if kind == "extra_forbidden":
        known = sorted(_keys_at(path[:-1]))
        near = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return f"unknown key; {hint}"
    if kind == "missing":
        return "this key is missing"
    if kind == "int_type":
        return f"{detail['input']!r} is not a whole number"
    if kind == "too_short":
        return f"needs at least {detail['ctx']['min_length']} and has {detail['ctx']['actual_length']}"
    if kind == "string_pattern_mismatch" and detail["ctx"]["pattern"] in PATTERNS:
        return PATTERNS[detail["ctx"]["pattern"]]
    return message.removeprefix("Value error, ")


def _keys_at(path: tuple[str | int, ...]) -> set[str]:
    """The keys that the schema knows below `path`."""
    schema = StudyConfig.model_json_schema()
    node: dict[str, Any] = schema
    for part in path:
        node = _resolve(schema, node)
        node = node.get("items", {}) if isinstance(part, int) else node.get("properties", {}).get(part, {})
    return set(_resolve(schema, node).get("properties", {}))


def _resolve(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    for option in node.get("oneOf", node.get("anyOf", [node])):
        if "$ref" in option:
            return schema["$defs"][option["$ref"].rsplit("/", 1)[-1]]
        if option.get("type") in ("object", "array"):
            return option
    return node

"""The study file: its schema, presets and canonical form. No ORM and no torch: validating a file needs neither.

`read(text)` gives a StudyConfig or a StudyFileError whose problems carry key path and line; `json_schema()` is what is
published at /schema/study.json.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from studies.yaml_strict import Parsed, Problem, StudyFileError, dotted, parse

Stage = Literal["U", "C", "Rl", "Rg", "P"]
STAGES: tuple[Stage, ...] = ("U", "C", "Rl", "Rg", "P")
OVERVIEW_STAGES, FEATURE_STAGES = frozenset({"U", "C"}), frozenset({"Rl", "Rg", "P"})
KINDS = ("simulation", "concept", "error", "debugging")
RUNNABLE_KINDS = ("simulation",)
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
BUILTIN_QUESTIONS = ("confidence", "helpful_page", "comment")
# The form's own field names, which an own question must not shadow
RESERVED_QUESTIONS = frozenset({*BUILTIN_QUESTIONS, "choice", "concept", "helpful", "submission", "position"})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DatasetPart(_Part):
    """Which data: a registered dataset, its folder, the split of the items and the split that P is fitted on."""

    name: str
    root: str
    split: str
    train: str | None = None


class ModelPart(_Part):
    """Which trained model: a registered model and its checkpoint folder."""

    name: str
    checkpoint: str


class Where(_Part):
    """Filters on datapoints; all of them must hold."""

    answer_type: list[str] = []
    answer_type_not: list[str] = []
    question_type: list[str] = []
    question_type_not: list[str] = []
    min_answer_frequency: Annotated[int, Field(ge=1)] | None = None


class Balance(_Part):
    """How many items the model gets right and wrong."""

    model_right: Annotated[int, Field(ge=0)]
    model_wrong: Annotated[int, Field(ge=0)]


class ItemsPart(_Part):
    """How many items, drawn how; or exactly which (`ids`, the practice items last)."""

    count: Annotated[int, Field(ge=1, le=1000)] = 20
    practice: Annotated[int, Field(ge=0, le=20)] = 2
    where: Where = Where()
    balance: Balance | None = None
    ids: list[str] | None = None

    @model_validator(mode="after")
    def _counts_agree(self) -> ItemsPart:
        if self.balance and self.balance.model_right + self.balance.model_wrong != self.count:
            raise ValueError(
                f"balance adds up to {self.balance.model_right + self.balance.model_wrong}, but count is {self.count}"
            )
        if self.ids is not None:
            if len(set(self.ids)) != len(self.ids):
                raise ValueError("ids names a datapoint twice")
            if len(self.ids) != self.count + self.practice:
                raise ValueError(
                    f"ids names {len(self.ids)} datapoints, but count + practice is {self.count + self.practice}"
                )
        return self


class AnswersPart(_Part):
    """The choices of an item: drawn per item (`choices`), or one fixed list for all items (`fixed`, `merge`)."""

    choices: Annotated[int, Field(ge=2, le=10)] | None = None
    distractors: Literal["model"] = "model"
    fixed: list[Text] | None = None
    merge: dict[str, str] = {}

    @model_validator(mode="after")
    def _one_way(self) -> AnswersPart:
        if (self.fixed is None) == (self.choices is None):
            raise ValueError("give either choices (drawn per item) or fixed (the same list for all items)")
        if self.fixed is not None and not 2 <= len(set(self.fixed)) == len(self.fixed) <= 40:
            raise ValueError("fixed needs 2 to 40 different names")
        if self.merge and self.fixed is None:
            raise ValueError("merge needs fixed")
        strangers = sorted(set(self.merge.values()) - set(self.fixed or ()))
        if strangers:
            raise ValueError(f"merge leads to {strangers[0]!r}, which fixed does not list")
        return self


class UnimodalPart(_Part):
    """U: importance of each modality's atoms."""

    method: Literal["lime", "gradient"] = "lime"
    samples: Annotated[int, Field(ge=20, le=100_000)] = 1000


class CrossmodalPart(_Part):
    """C: interactions of the most important words with the other modality."""

    method: Literal["second_order"] = "second_order"
    direction: Literal["norm", "hutchinson", "l1", "grad_x_input", "sum"] = "norm"
    words: Annotated[int, Field(ge=1, le=40)] = 10


class RepresentationPart(_Part):
    """R: the top features, explained on the datapoint (Rl) and by the datapoints that activate them most (Rg)."""

    features: Annotated[int, Field(ge=1, le=20)] = 5
    layer: Literal["penultimate"] = "penultimate"
    method: Literal["lime", "gradient"] = "lime"
    top: Annotated[int, Field(ge=1, le=10)] = 3
    bottom: Annotated[int, Field(ge=0, le=10)] = 0
    pool: Annotated[int, Field(ge=10)] = 5000


class PredictionPart(_Part):
    """P: the sparse linear model from features to classes."""

    family: Literal["gaussian"] = "gaussian"
    fit: Literal["predictions", "labels"] = "predictions"
    rank: Literal["coefficient", "contribution"] = "coefficient"
    max_features: Annotated[int, Field(ge=1, le=500)] = 30


class StagesPart(_Part):
    """How each stage is computed."""

    U: UnimodalPart = UnimodalPart()
    C: CrossmodalPart = CrossmodalPart()
    R: RepresentationPart = RepresentationPart()
    P: PredictionPart = PredictionPart()


class ConditionPart(_Part):
    """One arm: the stages that its annotators see, and how many annotators it gets."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9+_. -]*$", max_length=60)]
    stages: Annotated[list[Stage], Field(min_length=1)]
    annotators: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @property
    def quota(self) -> int:
        """Annotators wanted; known once StudyConfig.arms has filled the number in."""
        assert self.annotators is not None
        return self.annotators

    @field_validator("stages")
    @classmethod
    def _in_order(cls, stages: list[Stage]) -> list[Stage]:
        if len(set(stages)) != len(stages):
            raise ValueError("names a stage twice")
        return [stage for stage in STAGES if stage in stages]


class AnnotatorsPart(_Part):
    """Annotators per condition, and after how long without a sign of life a place may be given to another."""

    per_condition: Annotated[int, Field(ge=1, le=10_000)] = 3
    timeout_minutes: Annotated[int, Field(ge=1, le=60 * 24 * 30)] = 60


class QuizQuestion(_Part):
    """One question of the eligibility quiz; `correct` is the text of the right option."""

    text: Text
    options: Annotated[list[Text], Field(min_length=2, max_length=8)]
    correct: Text

    @model_validator(mode="after")
    def _correct_is_an_option(self) -> QuizQuestion:
        if self.correct not in self.options:
            raise ValueError(f"correct is {self.correct!r}, which is not among the options")
        return self


class QuizPart(_Part):
    """The eligibility quiz."""

    questions: Annotated[list[QuizQuestion], Field(min_length=1, max_length=20)]
    attempts: Annotated[int, Field(ge=1, le=5)] = 2


class PagesPart(_Part):
    """The pages around the items. `consent` and `instructions` are Markdown files, or `auto`."""

    consent: str = "auto"
    instructions: str = "auto"
    quiz: QuizPart | None = None
    background: list[Text] = []
    post: list[Text] = ["comment"]
    minutes: Annotated[int, Field(ge=1, le=6000)] = 40
    pay: str | None = None


class OwnQuestion(_Part):
    """A researcher's own question, asked under every item: free text, or a scale from 1 to 5."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    text: Text
    type: Literal["text", "scale"] = "text"

    @field_validator("id")
    @classmethod
    def _not_taken(cls, value: str) -> str:
        if value in RESERVED_QUESTIONS:
            raise ValueError(f"{value!r} is the platform's own name; choose another")
        return value


class PlanPart(_Part):
    """What is declared before data collection."""

    primary: Literal["trend", "pairs"] = "trend"
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    exclude: list[Literal["failed_quiz"]] = []


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
PresetTag = Annotated[Literal["multiviz-ablation", "Rl+P", "Rg+P"], Tag(f"{BRANCH}preset")]
ListTag = Annotated[list[ConditionPart], Field(min_length=1), Tag(f"{BRANCH}list")]
BuiltinTag = Annotated[Literal["confidence", "helpful_page", "comment"], Tag(f"{BRANCH}builtin")]
OwnTag = Annotated[OwnQuestion, Tag(f"{BRANCH}own")]


def _conditions_branch(value: Any) -> str:
    return f"{BRANCH}list" if isinstance(value, list) else f"{BRANCH}preset"


def _question_branch(value: Any) -> str:
    return f"{BRANCH}own" if isinstance(value, dict | OwnQuestion) else f"{BRANCH}builtin"


class StudyConfig(_Part):
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
    questions: list[Annotated[BuiltinTag | OwnTag, Discriminator(_question_branch)]] = []
    plan: PlanPart = PlanPart()

    @model_validator(mode="after")
    def _conditions_differ(self) -> StudyConfig:
        names = [arm.name for arm in self.arms]
        if len(set(names)) != len(names):
            raise ValueError("two conditions have the same name")
        if self.needs_features and self.dataset.train is None:
            raise ValueError("the stages Rl, Rg and P are fitted on a training split: dataset.train is missing")
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
    _check_kind(parsed)
    try:
        return StudyConfig.model_validate(parsed.value)
    except ValidationError as error:
        raise StudyFileError(_problems(error, parsed)) from error


def from_values(values: dict[str, Any]) -> StudyConfig:
    """Rebuild a config from its stored canonical form."""
    return StudyConfig.model_validate(values)


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of a study file."""
    schema = StudyConfig.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Study file"}


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
        problem = Problem(dotted(path), _sentence(detail["type"], detail["msg"], path), parsed.line(path))
        if problem not in found:
            found.append(problem)
    return found


def _sentence(kind: str, message: str, path: tuple[str | int, ...]) -> str:
    if kind == "extra_forbidden":
        known = sorted(_keys_at(path[:-1]))
        near = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return f"unknown key; {hint}"
    if kind == "missing":
        return "this key is missing"
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

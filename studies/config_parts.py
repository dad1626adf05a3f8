"""The parts of a study file, one class each; studies/config.py puts them together. `stages` is in config_stages.py."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

Stage = Literal["U", "C", "Rl", "Rg", "P"]
STAGES: tuple[Stage, ...] = ("U", "C", "Rl", "Rg", "P")
OVERVIEW_STAGES, FEATURE_STAGES = frozenset({"U", "C"}), frozenset({"Rl", "Rg", "P"})
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
CheckText = Annotated[str, StringConstraints(max_length=2000, pattern=r"\{answer\}")]
BUILTIN_QUESTIONS = ("confidence", "helpful_page", "comment")
#: What a pattern asks for, in words
PATTERNS = {
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "write lower-case letters, digits and single hyphens between them",
    r"^[A-Za-z0-9_-]{1,40}$": "write letters, digits, hyphens and underscores, at most 40",
    r"\{answer\}": "must contain {answer}, which stands for the answer to choose",
    r"^[A-Za-z0-9][A-Za-z0-9+_. -]*$": "begin with a letter or digit; after it also spaces and + _ . - may stand",
    r"^https://\S+$": "write a link that begins with https:// and has no spaces",
    r"^[a-z][a-z0-9_]{0,39}$": "begin with a lower-case letter; after it also digits and _, at most 40 in all",
}
# The form's own field names, which an own question must not shadow
_FORM_FIELDS = "choice concept helpful submission position sheet sequence discard csrfmiddlewaretoken"
# Names that a field would take from the form's own properties, which scripts read, and ids of the page's parts
_PROPERTIES = "action append children closest dataset elements hidden id length matches method name remove reset style"
_PAGE_PARTS = "submit target title main overview features progress"
RESERVED_QUESTIONS = frozenset({*BUILTIN_QUESTIONS, *f"{_FORM_FIELDS} {_PROPERTIES} {_PAGE_PARTS}".split()})


class Part(BaseModel):
    """Strict: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DatasetPart(Part):
    """Which data: a registered dataset, its folder, the split of the items and the split that P is fitted on."""

    name: str
    root: str
    split: str
    train: str | None = None


class ModelPart(Part):
    """Which trained model: a registered model and its checkpoint folder."""

    name: str
    checkpoint: str


class Where(Part):
    """Filters on datapoints; all of them must hold."""

    answer_type: list[str] = []
    answer_type_not: list[str] = []
    question_type: list[str] = []
    question_type_not: list[str] = []
    min_answer_frequency: Annotated[int, Field(ge=1)] | None = None


class Balance(Part):
    """How many items the model gets right and wrong."""

    model_right: Annotated[int, Field(ge=0)]
    model_wrong: Annotated[int, Field(ge=0)]


class ItemsPart(Part):
    """How many items, drawn how; or exactly which (`ids`, the practice items last).

    explanations: shown as feedback after the practice items, in their order
    checks:       attention checks: further datapoints whose text says what to choose; never counted as items
    """

    count: Annotated[int, Field(ge=1, le=1000)] = 20
    practice: Annotated[int, Field(ge=0, le=20)] = 2
    checks: Annotated[int, Field(ge=0, le=20)] = 0
    check_text: CheckText = "To show that you are reading, please choose “{answer}” for this item."
    where: Where = Where()
    balance: Balance | None = None
    explanations: list[Text] = []
    ids: list[str] | None = None

    @model_validator(mode="after")
    def _counts_agree(self) -> ItemsPart:
        if self.balance and self.balance.model_right + self.balance.model_wrong != self.count:
            raise ValueError(
                f"balance adds up to {self.balance.model_right + self.balance.model_wrong}, but count is {self.count}"
            )
        if len(self.explanations) > self.practice:
            raise ValueError(f"explanations has {len(self.explanations)} texts for {self.practice} practice items")
        if self.ids is not None:
            if len(set(self.ids)) != len(self.ids):
                raise ValueError("ids names a datapoint twice")
            if len(self.ids) != self.total:
                parts = "count + practice + checks" if self.checks else "count + practice"
                raise ValueError(f"ids names {len(self.ids)} datapoints, but {parts} is {self.total}")
        return self

    @property
    def total(self) -> int:
        """Datapoints that are drawn."""
        return self.count + self.practice + self.checks


class AnswersPart(Part):
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


class ConditionPart(Part):
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


class AnnotatorsPart(Part):
    """Annotators per condition, and after how long without a sign of life a place may be given to another."""

    per_condition: Annotated[int, Field(ge=1, le=10_000)] = 3
    timeout_minutes: Annotated[int, Field(ge=1, le=60 * 24 * 30)] = 60


class QuizQuestion(Part):
    """One question of the eligibility quiz; `correct` is the text of the right option."""

    text: Text
    options: Annotated[list[Text], Field(min_length=2, max_length=8)]
    correct: Text

    @model_validator(mode="after")
    def _correct_is_an_option(self) -> QuizQuestion:
        if self.correct not in self.options:
            raise ValueError(f"correct is {self.correct!r}, which is not among the options")
        return self


class QuizPart(Part):
    """The eligibility quiz."""

    questions: Annotated[list[QuizQuestion], Field(min_length=1, max_length=20)]
    attempts: Annotated[int, Field(ge=1, le=5)] = 2


def is_written_out(text: str) -> bool:
    """Whether a text of `pages` is the Markdown itself; otherwise it names a file, or is `auto`."""
    return "\n" in text


class PagesPart(Part):
    """The pages around the items. `consent` and `instructions`: Markdown of several lines, a file of it, or `auto`."""

    consent: str = "auto"
    instructions: str = "auto"
    quiz: QuizPart | None = None
    background: list[Text] = []
    post: list[Text] = ["comment"]
    minutes: Annotated[int, Field(ge=1, le=6000)] = 40
    pay: str | None = None

    @property
    def text_files(self) -> dict[str, str]:
        """The texts that are files: key -> path. What has a line break is the text itself."""
        named = {"pages.consent": self.consent, "pages.instructions": self.instructions}
        return {key: value for key, value in named.items() if value != "auto" and not is_written_out(value)}

    @property
    def last_questions(self) -> list[str]:
        """What the page after the items asks: `background`, then `post`."""
        return [*self.background, *self.post]


class CodesPart(Part):
    """Completion codes that a recruitment platform gave; without one, each person gets a code of their own."""

    completed: Code | None = None
    screened_out: Code | None = None
    full: Code | None = None
    closed: Code | None = None


class RecruitmentPart(Part):
    """How people come in, and where they go afterwards. Off by default: only invite links, no recruitment ids.

    return_url: `{code}` stands for the code. It is a link that people click; the server never fetches it
    """

    open: bool = False
    ids: Literal["none", "prolific"] = "none"
    codes: CodesPart = CodesPart()
    return_url: Annotated[str, StringConstraints(pattern=r"^https://\S+$", max_length=500)] | None = None

    @property
    def link(self) -> str | None:
        """The template of the link back, with `{code}` in it; Prolific's own where nothing else is written."""
        if self.return_url is None and self.ids == "prolific":
            return "https://app.prolific.com/submissions/complete?cc={code}"
        return self.return_url


class OwnQuestion(Part):
    """A researcher's own question, asked under every item: free text, or a scale from 1 (`low`) to 5 (`high`)."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    text: Text
    type: Literal["text", "scale"] = "text"
    low: Annotated[str, StringConstraints(min_length=1, max_length=80)] | None = None
    high: Annotated[str, StringConstraints(min_length=1, max_length=80)] | None = None

    @field_validator("id")
    @classmethod
    def _not_taken(cls, value: str) -> str:
        if value in RESERVED_QUESTIONS:
            raise ValueError(f"{value!r} is the platform's own name; choose another")
        return value


class PlanPart(Part):
    """What is declared before data collection."""

    primary: Literal["trend", "pairs"] = "trend"
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    exclude: list[Literal["failed_quiz", "failed_checks"]] = []

    @field_validator("exclude")
    @classmethod
    def _once_each(cls, rules: list[str]) -> list[str]:
        if len(set(rules)) != len(rules):
            raise ValueError("names a rule twice")
        return rules

"""What an annotator's page can hold: plain frozen values, filled by studies/pages.py and by nobody else.

A field that is not here cannot reach an annotator. Add one only if every condition that shows it may know it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    """What every page of a sheet shows around its content."""

    title: str
    watermark: str  # "" for live sheets, else a sentence such as "Preview: not counted"
    step: str
    minutes: int
    can_withdraw: bool


@dataclass(frozen=True)
class Word:
    """One word with its strength: level 0 (none) to 5 (strongest)."""

    text: str
    level: int = 0


@dataclass(frozen=True)
class Picture:
    """A picture by the addresses of its media; the overlay is laid over the base with adjustable opacity."""

    base: str
    alt: str
    overlay: str = ""
    size: tuple[int, int] | None = None  # width and height in pixels; None for drawings

    @property
    def is_wide(self) -> bool:
        return self.size is not None and self.size[0] >= 2 * self.size[1]


@dataclass(frozen=True)
class Panel:
    """A picture, a row of words, or both, under one caption."""

    caption: str
    picture: Picture | None = None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class FeaturePanel:
    """One representation feature: its own explanation on this datapoint (Rl), and its examples (Rg)."""

    number: int
    local: Panel | None
    examples: tuple[Panel, ...]


@dataclass(frozen=True)
class Graph:
    """The P graph: the drawing, and the same as text (feature number, coefficient)."""

    picture: Picture
    rows: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Explanation:
    """The stages' results towards one class, whose name is masked unless the policy gives one map per choice."""

    towards: str
    unimodal: Panel | None
    crossmodal: tuple[Panel, ...]
    features: tuple[FeaturePanel, ...]
    graph: Graph | None

    @property
    def has_overview(self) -> bool:
        return self.unimodal is not None or bool(self.crossmodal)

    @property
    def has_features(self) -> bool:
        return bool(self.features) or self.graph is not None


@dataclass(frozen=True)
class Choice:
    """One answer that can be chosen: an opaque id, the words on screen, and whether it is chosen already."""

    id: str
    label: str
    key: str  # the digit that chooses it
    chosen: bool


@dataclass(frozen=True)
class Question:
    """A question beside the choice: name of the form field, its words, kind, options, and the answer given before."""

    name: str
    text: str
    kind: str  # scale | choice | text
    options: tuple[tuple[str, str], ...]
    value: str
    required: bool
    problem: str = ""

    @property
    def is_short(self) -> bool:
        """Whether the options are bare numbers, which fit in one row."""
        return bool(self.options) and all(value == label and len(label) == 1 for value, label in self.options)


@dataclass(frozen=True)
class Feedback:
    """After a practice item: what the model predicted, whether the annotator chose it, and the written explanation."""

    chosen: str
    predicted: str
    is_right: bool
    explanation: str


@dataclass(frozen=True)
class ItemPage:
    """One item: the datapoint, the condition's explanations, and the answer panel."""

    frame: Frame
    position: int
    number: int  # counted from 1 within practice or within the items
    count: int
    is_practice: bool
    is_revision: bool  # opened again from the review page
    prompt: str
    hint: str
    introductions: tuple[StageIntroduction, ...]
    datapoint: Panel
    explanations: tuple[Explanation, ...]
    choices: tuple[Choice, ...]
    questions: tuple[Question, ...]
    submission: str
    feedback: Feedback | None
    shows_back: bool
    problem: str = ""  # with the choice

    @property
    def has_overview(self) -> bool:
        return any(explanation.has_overview for explanation in self.explanations)

    @property
    def has_features(self) -> bool:
        return any(explanation.has_features for explanation in self.explanations)


@dataclass(frozen=True)
class ConsentPage:
    """The consent text as safe HTML, and the hash that names this version of it."""

    frame: Frame
    html: str
    sha256: str
    problem: str = ""


@dataclass(frozen=True)
class QuizPage:
    """The eligibility quiz, without its key."""

    frame: Frame
    questions: tuple[Question, ...]
    attempt: int  # counted from 0: a form that is sent twice is graded once
    attempts_left: int

    @property
    def is_retry(self) -> bool:
        return self.attempt > 0


@dataclass(frozen=True)
class StageIntroduction:
    """How to read one kind of explanation that this sheet shows."""

    heading: str
    text: str
    example: str  # name of the drawing in static/studies/examples, without its ending


@dataclass(frozen=True)
class InstructionsPage:
    """Instructions for exactly the stages that this sheet shows."""

    frame: Frame
    html: str  # the researcher's own text, safe; "" for `auto`
    introductions: tuple[StageIntroduction, ...]
    practice: int
    items: int
    resume_url: str


@dataclass(frozen=True)
class ReviewRow:
    """One answered item on the review page."""

    position: int
    number: int
    chosen: str


@dataclass(frozen=True)
class ReviewPage:
    """Every answer once more before the sheet is finished."""

    frame: Frame
    rows: tuple[ReviewRow, ...]


@dataclass(frozen=True)
class PostPage:
    """Questions after the items."""

    frame: Frame
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class DonePage:
    """The completion code."""

    frame: Frame
    code: str
    answered: int


@dataclass(frozen=True)
class WelcomePage:
    """The landing page of a link: nothing is claimed by looking at it."""

    title: str
    minutes: int
    pay: str
    watermark: str
    state: str  # open | yours | closed | used | revoked
    heading: str  # with the text: what a link that cannot be started says
    text: str


@dataclass(frozen=True)
class PlainPage:
    """A page that only says something: full, closed, screened out, withdrawn."""

    frame: Frame
    heading: str
    text: str

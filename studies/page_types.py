"""What an annotator's item page can hold: plain frozen values, filled by studies/pages.py and by nobody else.

The pages around the items are in page_step_types.py. A field that is not here cannot reach an annotator. Add one only
if every condition that shows it may know it.
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
    form_key: str  # names this sheet in its forms, so that a form of another sheet in this browser changes nothing
    personal_link: str  # leads back to the sheet from any device


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
    size: tuple[int, int] | None = None  # width and height in pixels, for the room it needs; None where unknown

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
    key: str  # the digit or letter that chooses it, "" for none
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
    ends: str = ""  # what the lowest and the highest number mean

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
class StageIntroduction:
    """How to read one kind of explanation that this sheet shows."""

    heading: str
    text: str
    example: str  # name of the drawing in static/studies/examples, without its ending
    worked: str  # how one would read that drawing


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
    check_text: str  # "" or the attention check's sentence, in place of prompt and hint
    draft_saved: str  # "" or the UTC time ("12:04") of the draft whose values are filled in
    sequence: int  # drafts of this item that are not newer are ignored
    problem: str = ""  # with the choice

    @property
    def has_overview(self) -> bool:
        return any(explanation.has_overview for explanation in self.explanations)

    @property
    def has_features(self) -> bool:
        return any(explanation.has_features for explanation in self.explanations)

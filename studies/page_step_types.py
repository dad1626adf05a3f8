"""What the pages around the items can hold: frozen values, as in page_types.py, and under the same rule."""

from __future__ import annotations

from dataclasses import dataclass

from studies.page_types import Frame, Question, StageIntroduction


@dataclass(frozen=True)
class OtherSheet:
    """An unfinished sheet of another study in the same browser, and the key that leads on with it."""

    title: str
    key: str


@dataclass(frozen=True)
class ConsentPage:
    """The consent text as safe HTML, and the hash that names this version of it."""

    frame: Frame
    html: str
    sha256: str
    text: str  # as it was written: kept when somebody agrees
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
class InstructionsPage:
    """Instructions for exactly the stages that this sheet shows."""

    frame: Frame
    html: str  # the researcher's own text, safe; "" for `auto`
    introductions: tuple[StageIntroduction, ...]
    practice: int
    items: int


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
    """The completion code, and the way back to where the person came from."""

    frame: Frame
    code: str
    answered: int
    return_url: str  # "" where the study names none
    others: tuple[OtherSheet, ...] = ()


@dataclass(frozen=True)
class WelcomePage:
    """The landing page of a link: nothing is claimed by looking at it."""

    title: str
    minutes: int
    pay: str
    watermark: str
    state: str  # open | yours | closed | full | used | revoked | incomplete
    heading: str  # with the text: what a link that cannot be started says
    text: str
    is_personal: bool  # an invite works once; open recruitment lets anybody in
    hidden: tuple[tuple[str, str], ...] = ()  # what the recruitment platform's link said, for the form
    code: str = ""  # for somebody who finds no place left, where the study names one
    return_url: str = ""
    others: tuple[OtherSheet, ...] = ()


@dataclass(frozen=True)
class PlainPage:
    """A page that only says something: full, closed, screened out, withdrawn, being prepared."""

    frame: Frame
    heading: str
    text: str
    code: str = ""  # the outcome's; "" after a withdrawal
    return_url: str = ""
    others: tuple[OtherSheet, ...] = ()

"""The one door to annotators: what a sheet's pages and media may hold, from the allow-list `condition -> stages`.

Views, templates and the media view receive these objects and nothing else. The treatment of the experiment lives here.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings

from studies import texts
from studies.config import FEATURE_STAGES, OVERVIEW_STAGES, OwnQuestion
from studies.markdown_text import to_html
from studies.models import Artefact, Item, Sheet, Study
from studies.page_slots import FeatureSlot, Media, TargetSlots, artefacts_of, target_slots
from studies.page_types import (
    Choice,
    ConsentPage,
    DonePage,
    Explanation,
    FeaturePanel,
    Feedback,
    Frame,
    Graph,
    InstructionsPage,
    ItemPage,
    Panel,
    Picture,
    PlainPage,
    PostPage,
    Question,
    QuizPage,
    ReviewPage,
    ReviewRow,
    StageIntroduction,
    WelcomePage,
    Word,
)
from studies.secret_ids import keyed, public_id
from studies.selectors import current_answers


def welcome(study: Study, *, kind: str, state: str) -> WelcomePage:
    """The landing page of a link."""
    config = study.version.config
    heading, text = texts.LINK_STATES.get(state, ("", ""))
    return WelcomePage(
        config.title, config.pages.minutes, config.pages.pay or "", texts.WATERMARKS[kind], state, heading, text
    )


def consent(sheet: Sheet) -> ConsentPage:
    """The consent text of the study's version."""
    text = consent_text(sheet)
    return ConsentPage(_frame(sheet), to_html(text), hashlib.sha256(text.encode()).hexdigest())


def consent_text(sheet: Sheet) -> str:
    """The researcher's consent text, or ours."""
    return _text(sheet.version.config.pages.consent) or texts.CONSENT


def quiz(sheet: Sheet) -> QuizPage:
    """The quiz without its key."""
    part = sheet.version.config.pages.quiz
    assert part is not None
    questions = tuple(
        Question(f"quiz_{i}", question.text, "choice", tuple((text, text) for text in question.options), "", True)
        for i, question in enumerate(part.questions)
    )
    return QuizPage(_frame(sheet), questions, part.attempts - sheet.quiz_attempts, sheet.quiz_attempts > 0)


def instructions(sheet: Sheet) -> InstructionsPage:
    """Instructions for exactly the stages of the sheet's condition."""
    config = sheet.version.config
    return InstructionsPage(
        frame=_frame(sheet),
        html=to_html(_text(config.pages.instructions)),
        introductions=_introductions(sheet),
        practice=config.items.practice,
        items=config.items.count,
        resume_url=f"/r/{sheet.resume_token}/",
    )


def item(sheet: Sheet, position: int) -> ItemPage:
    """The page of the item at `position` of the sheet, which must not lie beyond the sheet's front."""
    shown = _item_at(sheet, position)
    answers = {answer.question: answer.value for answer in current_answers(sheet, shown)}
    media = Media(sheet, shown, position)
    datapoint, explanations = _explained(sheet, shown, media)
    practice = sheet.version.config.items.practice
    return ItemPage(
        frame=_frame(sheet),
        position=position,
        number=position + 1 if shown.is_practice else position + 1 - practice,
        count=practice if shown.is_practice else sheet.version.config.items.count,
        is_practice=shown.is_practice,
        is_revision=position < sheet.position and not shown.is_practice,
        prompt=texts.PROMPT,
        hint=texts.PROMPT_HINT,
        introductions=_introductions(sheet),
        datapoint=datapoint,
        explanations=explanations,
        choices=_choices(sheet, shown, answers.get("choice", {}).get("letter")),
        questions=_questions(sheet, explanations, answers),
        submission=_submission(sheet, shown, len(answers)),
        feedback=_feedback(shown, answers) if shown.is_practice and position < sheet.position else None,
        shows_back=position > practice,
    )


def media(sheet: Sheet, media_id: str) -> dict[str, Any] | None:
    """The file {sha256, type} that a media id of this sheet stands for, or None. Only pages up to the front count."""
    number = media_id.partition("-")[0]
    position = int(number) if number.isdecimal() and len(number) < 6 else -1
    if sheet.condition is None or sheet.is_over or sheet.is_cut_off or not sheet.has_reached(position):
        return None
    collected = Media(sheet, _item_at(sheet, position), position)
    _explained(sheet, collected.item, collected)
    return collected.files.get(media_id)


def review(sheet: Sheet) -> ReviewPage:
    """All answers that can still be changed."""
    practice = sheet.version.config.items.practice
    rows = []
    for position in range(practice, min(sheet.position, len(sheet.item_order))):
        shown = _item_at(sheet, position)
        letter = next(a.value["letter"] for a in current_answers(sheet, shown) if a.question == "choice")
        rows.append(ReviewRow(position, position + 1 - practice, _label(shown, letter)))
    return ReviewPage(_frame(sheet), tuple(rows))


def post(sheet: Sheet) -> PostPage:
    """Questions after the items."""
    questions = tuple(
        Question(f"post_{i}", texts.POST_TEXTS.get(text, text), "text", (), sheet.post.get(text, ""), False)
        for i, text in enumerate(sheet.version.config.pages.post)
    )
    return PostPage(_frame(sheet), questions)


def done(sheet: Sheet) -> DonePage:
    """The completion code: only a finished sheet has one."""
    answered = sheet.answers.filter(question="choice", revision=0, item__is_practice=False).count()
    return DonePage(_frame(sheet), completion_code(sheet), answered)


def plain(sheet: Sheet) -> PlainPage:
    """What a sheet that cannot go on says: full, closed, screened out, withdrawn."""
    heading, text = texts.SHEET_ENDS["closed" if sheet.is_cut_off else sheet.step]
    return PlainPage(_frame(sheet), heading, text)


def frame(sheet: Sheet) -> Frame:
    """What a page without content of its own (withdraw) shows."""
    return _frame(sheet)


def choice_id(sheet: Sheet, shown: Item, letter: str) -> str:
    """The opaque id of a choice on this sheet."""
    return public_id(sheet.version.study.secret, "choice", sheet.annotator.pseudonym, shown.position, letter, length=12)


def completion_code(sheet: Sheet) -> str:
    """The code that a finished annotator hands to the recruiter."""
    return public_id(sheet.version.study.secret, "completion", sheet.annotator.pseudonym, length=8).upper()


def question_names(sheet: Sheet) -> dict[str, bool]:
    """The form fields of the questions that this sheet's items ask, and whether an answer is required."""
    stages = set(_stages(sheet))
    has_both = bool(stages & OVERVIEW_STAGES) and bool(stages & FEATURE_STAGES)
    names = {}
    for question in sheet.version.config.questions:
        if isinstance(question, OwnQuestion):
            names[question.id] = question.type == "scale"
        elif question == "helpful_page":
            if has_both:
                names["helpful"] = True
        else:
            names[question] = question == "confidence"
    return names


def _frame(sheet: Sheet) -> Frame:
    config = sheet.version.config
    return Frame(
        title=config.title,
        watermark=texts.WATERMARKS[sheet.kind],
        step=sheet.step,
        minutes=config.pages.minutes,
        can_withdraw=not sheet.is_over or sheet.step == Sheet.Step.DONE,
    )


def _stages(sheet: Sheet) -> list[str]:
    assert sheet.condition is not None, "the sheet is not assigned yet"
    return sheet.condition.stages


def _introductions(sheet: Sheet) -> tuple[StageIntroduction, ...]:
    return tuple(StageIntroduction(*texts.STAGE_INTRODUCTIONS[stage]) for stage in _stages(sheet))


def _item_at(sheet: Sheet, position: int) -> Item:
    return Item.objects.select_related("version__study").get(pk=sheet.item_order[position], version=sheet.version)


def _explained(sheet: Sheet, shown: Item, media: Media) -> tuple[Panel, tuple[Explanation, ...]]:
    found = artefacts_of(shown, _stages(sheet))
    shown_input = found[("input", shown.subject, "")]
    words = _words((shown_input.numbers or {}).get("words", ()))
    datapoint = Panel("", _picture(shown_input, media, "input", "The picture"), words)
    slots = target_slots(sheet, shown, found)
    return datapoint, tuple(_explanation(i, slot, datapoint, media) for i, slot in enumerate(slots))


def _explanation(number: int, slot: TargetSlots, datapoint: Panel, media: Media) -> Explanation:
    base = datapoint.picture
    return Explanation(
        towards=slot.label or texts.MASKED_CLASS,
        unimodal=_overlaid("", slot.unimodal, media, f"{number}.U", "What matters in the picture", base)
        if slot.unimodal
        else None,
        crossmodal=_crossmodal(slot.crossmodal, media, f"{number}.C", base) if slot.crossmodal else (),
        features=tuple(_feature(f, media, f"{number}.R{f.number}", base) for f in slot.features),
        graph=_graph(slot.graph, media, f"{number}.P") if slot.graph else None,
    )


def _overlaid(caption: str, artefact: Artefact, media: Media, slot: str, alt: str, base: Picture | None) -> Panel:
    """A result on the item's own datapoint: its overlay over the picture, its strengths on the words."""
    picture = replace(base, alt=alt, overlay=media.url(slot, artefact, "overlay")) if base else None
    return Panel(caption, picture, _words((artefact.numbers or {}).get("words", ())))


def _crossmodal(artefact: Artefact, media: Media, slot: str, base: Picture | None) -> tuple[Panel, ...]:
    panels = []
    for i, pair in enumerate((artefact.numbers or {}).get("pairs", ())):
        alt, overlay = (
            f"Where the picture matters for “{pair['word']}”",
            media.url(f"{slot}{i}", artefact, f"overlay{i}"),
        )
        panels.append(Panel(pair["word"], replace(base, alt=alt, overlay=overlay) if base else None))
    return tuple(panels)


def _feature(slot: FeatureSlot, media: Media, name: str, base: Picture | None) -> FeaturePanel:
    local = None
    if slot.local:
        alt = f"What sets off feature {slot.number}"
        local = _overlaid("On this example", slot.local, media, f"{name}.l", alt, base)
    examples = []
    if slot.examples:
        for i, example in enumerate((slot.examples.numbers or {}).get("examples", ())):
            alt = f"Other example {i + 1} of feature {slot.number}"
            picture = _picture(slot.examples, media, f"{name}.g{i}", alt, suffix=str(i))
            examples.append(Panel(f"Other example {i + 1}", picture, _words(example.get("words", ()))))
    return FeaturePanel(slot.number, local, tuple(examples))


def _picture(artefact: Artefact, media: Media, slot: str, alt: str, suffix: str = "") -> Picture | None:
    """A picture of the artefact's own, with its overlay where it has one."""
    entry = artefact.files.get(f"image{suffix}")
    if entry is None:
        return None
    base, overlay = media.url(slot, artefact, f"image{suffix}"), media.url(slot, artefact, f"overlay{suffix}")
    return Picture(base, alt, overlay, tuple(entry["size"]) if "size" in entry else None)


def _graph(artefact: Artefact, media: Media, slot: str) -> Graph:
    rows = (artefact.numbers or {}).get("features", ())
    picture = Picture(media.url(slot, artefact, "graph"), "How much each feature counts for the answer")
    # Three significant digits, as in the drawing
    return Graph(picture, tuple((i, f"{row['weight']:+.3g}") for i, row in enumerate(rows, start=1)))


def _words(rows: object) -> tuple[Word, ...]:
    assert isinstance(rows, list | tuple)
    return tuple(Word(row["text"], row.get("level", 0)) for row in rows)


def _choices(sheet: Sheet, shown: Item, chosen: str | None) -> tuple[Choice, ...]:
    order = sheet.choice_orders[str(shown.pk)]
    return tuple(
        Choice(choice_id(sheet, shown, letter), _label(shown, letter), str((i + 1) % 10), letter == chosen)
        for i, letter in enumerate(order)
    )


def _label(shown: Item, letter: str) -> str:
    return next(choice["label"] for choice in shown.choices if choice["letter"] == letter)


def _questions(sheet: Sheet, explanations: tuple[Explanation, ...], answers: dict[str, object]) -> tuple[Question, ...]:
    own = {q.id: q for q in sheet.version.config.questions if isinstance(q, OwnQuestion)}
    questions = []
    for name, required in question_names(sheet).items():
        text = own[name].text if name in own else texts.QUESTION_TEXTS[name]
        is_scale = name == "confidence" or (name in own and own[name].type == "scale")
        kind = "choice" if name == "helpful" else "scale" if is_scale else "text"
        scale = texts.CONFIDENCE_SCALE if name == "confidence" else tuple((str(n), str(n)) for n in range(1, 6))
        options = texts.HELPFUL_OPTIONS if name == "helpful" else scale if is_scale else ()
        questions.append(Question(name, text, kind, options, str(answers.get(name, "")), required))
    return tuple(questions)


def _feedback(shown: Item, answers: dict[str, dict[str, str]]) -> Feedback:
    predicted = shown.letter_of(shown.prediction)
    chosen = answers["choice"]["letter"]
    assert predicted is not None
    return Feedback(_label(shown, chosen), _label(shown, predicted), chosen == predicted, shown.explanation)


def _submission(sheet: Sheet, shown: Item, stored: int) -> str:
    """A submission id that is the same for every open copy of this form, and another once an answer is stored."""
    revision = sheet.answers.filter(item=shown).count() if stored else 0
    digest = keyed(sheet.version.study.secret, "submission", sheet.annotator.pseudonym, shown.position, revision)
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _text(source: str) -> str:
    if source == "auto":
        return ""
    return Path(settings.BASE_DIR, source).read_text(encoding="utf-8")

"""What annotators of a condition receive: real pages of a sheet that is made for the purpose and never stored."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from studies import pages
from studies.models import Annotator, Condition, Sheet
from studies.models.sheet import Kind
from studies.secret_ids import public_id
from studies.services.answering import answer_submit
from studies.services.sheets import sheet_assign, sheet_begin

MEDIA = re.compile(r"/m/([0-9]+-[a-z0-9]+)")
Pages = list[tuple[str, Any]]


@dataclass(frozen=True)
class Sample:
    """The page objects of one sheet, in the order of the way, and the files behind the addresses on them."""

    pages: Pages
    pictures: list[tuple[str, dict[str, Any]]]  # (media id, {"sha256", "type"})


def condition_sample(*, condition: Condition) -> Sample:
    """The whole way of one sheet in this condition. Whatever it writes is taken back; needs ready artefacts.

    The sample's person is always the same one, so that the same study gives the same sample.
    """
    with transaction.atomic():
        sheet = _sheet_of_nobody(condition)
        before = _before_assignment(sheet)
        sheet = sheet_begin(sheet=sheet_assign(sheet=sheet, condition=condition))
        items, pictures = _items(sheet)
        sample = Sample([*before, ("Instructions", pages.instructions(sheet)), *items, *_ends(sheet)], pictures)
        transaction.set_rollback(True)
    return sample


def _sheet_of_nobody(condition: Condition) -> Sheet:
    study = condition.version.study
    return Sheet.objects.create(
        version=condition.version,
        annotator=Annotator.objects.create(study=study, pseudonym="sample"),
        kind=Kind.PILOT,
        resume_token=public_id(study.secret, "resume", "sample", length=32),
    )


def _before_assignment(sheet: Sheet) -> Pages:
    found: Pages = [("Welcome", pages.welcome(sheet.version.study, kind=Kind.LIVE, state="open"))]
    found.append(("Consent", pages.consent(sheet)))
    if sheet.version.config.pages.quiz is not None:
        found.append(("Quiz", pages.quiz(sheet)))
    return found


def _items(sheet: Sheet) -> tuple[Pages, list[tuple[str, dict[str, Any]]]]:
    """Practice with its feedback, the first item before and after its answer, and an attention check."""
    practice, found = sheet.version.config.items.practice, []
    for position in range(practice + 1):
        page = pages.item(sheet, position)
        sheet = _answered(sheet, position, page)
        if position == 0 and practice:
            found += [("Practice item", page), ("Practice item, answered", pages.item(sheet, position))]
    found += [("Item", page), ("Item, opened again", pages.item(sheet, practice))]
    checks = list(sheet.version.items.exclude(expected="").values_list("pk", flat=True)[:1])
    found += [("Attention check", pages.item(sheet, sheet.item_order.index(pk))) for pk in checks]
    media_ids = dict.fromkeys(MEDIA.findall(repr(page)))
    files = [(media_id, pages.media(sheet, media_id)) for media_id in media_ids]
    return found, [(media_id, entry) for media_id, entry in files if entry is not None]


def _answered(sheet: Sheet, position: int, page: Any) -> Sheet:
    """The first choice, and the first option of what must be answered."""
    values = {q.name: q.options[0][0] for q in page.questions if q.required}
    values["choice"] = page.choices[0].id
    return answer_submit(sheet=sheet, position=position, submission=uuid.UUID(page.submission), values=values)


def _ends(sheet: Sheet) -> Pages:
    sheet = Sheet.objects.get(pk=sheet.pk)
    found: Pages = [("Review", pages.review(sheet))]
    if sheet.version.config.pages.last_questions:
        found.append(("Last questions", pages.post(sheet)))
    sheet.step = Sheet.Step.DONE
    return [*found, ("End", pages.done(sheet))]

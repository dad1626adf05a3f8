"""One sheet in many hands at once: eight sends of one answer, two tabs, withdrawing, a study that closes."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from benchmarks.load.annotator import filled_in
from benchmarks.load.browser import Browser
from studies import pages
from studies.models import Answer, Sheet, Study
from studies.services.answering import answer_submit
from studies.services.assignment import condition_close
from studies.services.freezing import study_close
from studies.services.inviting import invite_revoke, invites_create
from studies.services.locking import SheetElsewhere
from studies.services.sheets import SheetRefused, sheet_consent, sheet_start
from studies.services.withdrawing import sheet_withdraw
from tests import cast
from tests.databases.crowd import at_once, served

#: choice, confidence, helpful and the scale "clarity"; the comment is left empty
QUESTIONS = 4
TIMES = 10


@pytest.fixture
def sheet(scenes: Study) -> Sheet:
    """Ann's sheet after the practice."""
    made = cast.sheet_at_items(scenes, "U+C+Rl+Rg+P")
    for position in range(cast.PRACTICE):
        submit(made, position)
    return Sheet.objects.get(pk=made.pk)


def values(sheet: Sheet, position: int, choice: int = 0) -> dict[str, str]:
    page = pages.item(Sheet.objects.get(pk=sheet.pk), position)
    first = {q.name: q.options[0][0] for q in page.questions if q.options}
    return {"choice": page.choices[choice].id, **first}


def submit(sheet: Sheet, position: int, choice: int = 0, submission: uuid.UUID | None = None) -> None:
    filled = values(sheet, position, choice)
    answer_submit(sheet=sheet, position=position, submission=submission or uuid.uuid4(), values=filled)


def test_one_form_sent_eight_times_at_once_is_one_answer(sheet: Sheet) -> None:
    with served() as port:
        first = Browser(port)
        page = first.get(f"/r/{sheet.resume_token}/")
        form = filled_in(page, random.Random(1))
        assert form is not None

        def send() -> tuple[int, str]:
            tab = Browser(port, first.cookies)
            reply = tab.post("/t/item/", form)
            tab.leave()
            return reply.status, reply.path

        assert at_once([send] * 8) == [(200, "/t/item/")] * 8
        first.leave()
    assert Sheet.objects.get().position == cast.PRACTICE + 1
    stored = Answer.objects.filter(sheet=sheet, item=sheet.item_order[cast.PRACTICE])
    assert stored.count() == QUESTIONS
    assert not stored.filter(revision__gt=0).exists()


def test_tabs_that_send_different_answers_at_once_make_one_chain_of_revisions(sheet: Sheet) -> None:
    at_once([partial(submit, sheet, cast.PRACTICE, choice) for choice in range(4)])
    chosen = Answer.objects.filter(sheet=sheet, item=sheet.item_order[cast.PRACTICE], question="choice")
    assert list(chosen.order_by("revision").values_list("revision", flat=True)) == [0, 1, 2, 3]
    in_order = list(chosen.order_by("revision"))
    assert [a.replaces_id for a in in_order] == [None, *(a.pk for a in in_order[:-1])]
    assert Sheet.objects.get().position == cast.PRACTICE + 1


def test_nothing_is_left_of_an_answer_sent_while_withdrawing(scenes: Study) -> None:
    for _ in range(TIMES):
        made = cast.sheet_at_items(scenes, "U")
        sends = [partial(quietly, submit, made, 0) for _ in range(3)]
        at_once([*sends, partial(sheet_withdraw, sheet=made), *sends])
        made.refresh_from_db()
        assert (made.step, made.answers.count()) == ("withdrawn", 0)


def test_after_a_study_closed_nobody_starts_or_is_assigned(scenes: Study) -> None:
    links = invites_create(study=scenes, count=12)
    waiting = [sheet_start(study=scenes, invite=link) for link in links[:6]]
    seen: list[tuple[int, int]] = []

    def close() -> None:
        study_close(study=scenes, actor="rosa")
        seen.append(_begun(scenes))

    starts = [partial(start, scenes, link) for link in links[6:]]
    agrees = [partial(agree, waits) for waits in waiting]
    at_once([*starts[:2], *agrees[:2], close, *starts[2:], *agrees[2:]])
    # What the one who closed saw right after is what there is. Those who were waiting are told that it closed.
    assert seen == [_begun(scenes)]
    assert {sheet.step for sheet in Sheet.objects.filter(condition=None)} <= {"consent"}


def test_a_link_is_either_claimed_or_revoked(scenes: Study) -> None:
    for link in invites_create(study=scenes, count=TIMES):
        revoke = partial(invite_revoke, study=scenes, token=link.token)
        begun, revoked = at_once([partial(start, scenes, link), revoke])
        assert begun != revoked
        assert link.sheets.count() == begun


def test_an_arm_closed_during_starts_takes_nobody_afterwards(scenes: Study) -> None:
    waiting = [sheet_start(study=scenes, invite=link) for link in invites_create(study=scenes, count=10)]
    seen: list[int] = []

    def close() -> None:
        condition_close(study=scenes, name="U", actor="rosa")
        seen.append(Sheet.objects.filter(condition__name="U").count())

    agrees = [partial(agree, waits) for waits in waiting]
    at_once([*agrees[:5], close, *agrees[5:]])
    assert seen == [Sheet.objects.filter(condition__name="U").count()]
    assert Sheet.objects.filter(condition=None).count() == 0


def _begun(study: Study) -> tuple[int, int]:
    """Sheets, and those of them that are assigned."""
    sheets = Sheet.objects.filter(version__study=study)
    return sheets.count(), sheets.exclude(condition=None).count()


def agree(sheet: Sheet) -> None:
    sheet_consent(sheet=sheet, text="I agree.")


def start(study: Study, link: object) -> bool:
    """Whether a link could be started."""
    try:
        sheet_start(study=study, invite=link)  # type: ignore[arg-type]
    except SheetRefused:
        return False
    return True


def quietly(act: Callable[..., object], *arguments: object) -> None:
    """An act that the sheet's end may get in the way of."""
    with suppress(SheetElsewhere):
        act(*arguments)

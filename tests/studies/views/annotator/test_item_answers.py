"""Answering: once per submission, revisable until the end, never ahead of the front."""

from __future__ import annotations

import re
import uuid

import pytest

from studies.models import Answer, Sheet, Study
from studies.selectors import current_answers
from tests import cast
from tests.cast import COUNT, PRACTICE, Annotator

pytestmark = pytest.mark.django_db


@pytest.fixture
def sheet(scenes: Study, ann: Annotator) -> Sheet:
    """Ann's sheet in a condition with both pages."""
    made = cast.sheet_at_items(scenes, "U+C+Rl+Rg+P")
    ann.sit_at(made)
    return made


def _values(sheet: Sheet, position: int) -> dict[str, object]:
    item = sheet.version.items.get(pk=sheet.item_order[position])
    return {answer.question: answer.value for answer in current_answers(sheet, item)}


def test_the_same_form_sent_twice_stores_one_answer(sheet: Sheet, ann: Annotator) -> None:
    form = ann.form()
    first, second = ann.client.post("/t/item/", form), ann.client.post("/t/item/", form)
    assert first.url == second.url == "/t/item/?at=0"
    assert Answer.objects.filter(question="choice").count() == 1
    assert Sheet.objects.get().position == 1


def test_a_second_tab_that_sends_the_same_item_does_not_answer_the_next_one(sheet: Sheet, ann: Annotator) -> None:
    for _ in range(PRACTICE):
        ann.answer()
    one_tab = ann.form()
    other_tab = {**ann.form(), "submission": str(uuid.uuid4())}
    ann.client.post("/t/item/", one_tab)
    ann.client.post("/t/item/", other_tab)
    assert Sheet.objects.get().position == PRACTICE + 1
    assert Answer.objects.filter(question="choice").count() == PRACTICE + 1


def test_practice_shows_what_the_model_answered_and_cannot_be_changed(sheet: Sheet, ann: Annotator) -> None:
    form = ann.form()
    page = ann.client.post("/t/item/", form, follow=True)
    assert page.redirect_chain == [("/t/item/?at=0", 302)]
    assert b"The ball is in front." in page.content
    assert b"data-answer" not in page.content
    other = ann.client.get("/t/item/?at=0").context["page"].choices[1].id
    ann.client.post("/t/item/", {**form, "choice": other})
    assert Answer.objects.filter(question="choice").count() == 1


def test_an_answer_is_changed_from_the_review_and_the_old_one_is_kept(sheet: Sheet, ann: Annotator) -> None:
    ann.answer_all()
    change = f"/t/item/?at={PRACTICE}"
    assert change in ann.get("/t/review/")
    page = ann.client.get(change).context["page"]
    kept, other = page.choices[0], page.choices[1]
    assert kept.chosen
    assert ann.client.post("/t/item/", {**ann.form(change), "choice": other.id}, follow=True).redirect_chain[-1][0] == (
        "/t/review/"
    )
    old, new = Answer.objects.filter(question="choice", item=sheet.item_order[PRACTICE])
    assert (new.revision, new.replaces) == (1, old)
    assert ann.client.get(change).context["page"].choices[1].chosen


def test_changing_back_and_forth_stores_each_change(sheet: Sheet, ann: Annotator) -> None:
    ann.answer_all()
    change = f"/t/item/?at={PRACTICE}"
    for confidence in ("3", "4", "3"):
        ann.client.post("/t/item/", {**ann.form(change), "confidence": confidence})
        assert _values(sheet, PRACTICE)["confidence"] == int(confidence)
    # 1 (the first option) at first, then 3, 4, 3
    values = Answer.objects.filter(question="confidence", item=sheet.item_order[PRACTICE])
    assert list(values.values_list("value", flat=True)) == [1, 3, 4, 3]


def test_a_comment_that_is_emptied_stays_empty(sheet: Sheet, ann: Annotator) -> None:
    ann.answer_all()
    change = f"/t/item/?at={PRACTICE}"
    ann.client.post("/t/item/", {**ann.form(change), "comment": "Hm."})
    assert _values(sheet, PRACTICE)["comment"] == "Hm."
    ann.client.post("/t/item/", {**ann.form(change), "comment": ""})
    assert _values(sheet, PRACTICE)["comment"] == ""
    assert "Hm." not in ann.get(change)


def test_a_form_with_gaps_comes_back_with_what_was_entered(sheet: Sheet, ann: Annotator) -> None:
    form = ann.form()
    page = ann.client.post("/t/item/", {**form, "confidence": "", "comment": "<b>so</b>"})
    html = page.content.decode()
    assert page.status_code == 422
    assert re.search(rf'value="{form["choice"]}"[^>]* checked', html)
    assert "&lt;b&gt;so&lt;/b&gt;</textarea>" in html
    assert html.count('class="problem"') == 1
    assert 'aria-describedby="confidence-problem"' in html
    assert not Answer.objects.exists()


def test_a_forged_choice_is_refused(sheet: Sheet, ann: Annotator) -> None:
    first_item = ann.form()
    ann.answer()
    for forged in ("A", "0", first_item["choice"], "\x00", ""):
        page = ann.client.post("/t/item/", {**ann.form(), "choice": forged})
        assert page.status_code == 422
        assert b"Please choose one of the answers." in page.content
    assert Sheet.objects.get().position == 1


@pytest.mark.parametrize("position", ["1", "99", "-1", "", "x", "9" * 5000])
def test_a_position_that_is_not_reached_is_ignored(sheet: Sheet, ann: Annotator, position: str) -> None:
    assert ann.client.post("/t/item/", {**ann.form(), "position": position}).url == "/t/item/"
    assert ann.client.get("/t/item/", {"at": position}).status_code in (200, 302)
    assert not Answer.objects.exists()


def test_no_later_item_can_be_opened(sheet: Sheet, ann: Annotator) -> None:
    assert ann.client.get("/t/item/?at=1").url == "/t/item/"
    ann.answer_all()
    assert ann.client.get(f"/t/item/?at={PRACTICE + COUNT}", follow=True).redirect_chain[-1][0] == "/t/review/"


def test_after_the_review_nothing_can_be_changed(sheet: Sheet, ann: Annotator) -> None:
    ann.answer_all()
    change = f"/t/item/?at={PRACTICE}"
    form = {**ann.form(change), "confidence": "5"}
    ann.client.post("/t/review/")
    assert ann.client.post("/t/item/", form).url == "/t/"
    assert _values(sheet, PRACTICE)["confidence"] == 1


def test_the_helpful_page_is_asked_only_where_there_are_two(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U+C"))
    assert 'name="helpful"' not in ann.get("/t/item/")
    ann.sit_at(cast.sheet_at_items(scenes, "U+C+Rl"))
    assert 'name="helpful"' in ann.get("/t/item/")

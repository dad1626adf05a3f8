"""A script's submission: one action, carried out once, whatever was answered since; answered in JSON."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from studies.models import Answer, Sheet, Study, Submission
from studies.selectors import current_answers
from studies.services.answering import answer_submit
from tests import cast
from tests.cast import COUNT, PRACTICE, Annotator

pytestmark = pytest.mark.django_db


@pytest.fixture
def sheet(scenes: Study, ann: Annotator) -> Sheet:
    """Ann's sheet at its first item that counts."""
    made = cast.sheet_at_items(scenes, "U")
    ann.sit_at(made)
    for _ in range(PRACTICE):
        ann.answer()
    return made


def by_script(ann: Annotator, form: dict[str, str]) -> Any:
    """The form as a script sends it."""
    return ann.client.post("/t/item/", form, headers={"accept": "application/json"})


def action(ann: Annotator, url: str = "/t/item/", **changes: str) -> dict[str, str]:
    """The filled form with a fresh id, as a script makes one per action."""
    return {**ann.form(url), "submission": str(uuid.uuid4()), **changes}


def confidence(sheet: Sheet, position: int) -> object:
    """The confidence that stands at a position."""
    item = sheet.version.items.get(pk=sheet.item_order[position])
    return current_answers(sheet, item).get(question="confidence").value


def test_an_action_that_is_sent_again_after_a_later_one_changes_nothing(sheet: Sheet, ann: Annotator) -> None:
    first = action(ann, confidence="2")
    said = by_script(ann, first)
    by_script(ann, action(ann, f"/t/item/?at={PRACTICE}", confidence="4"))
    late = by_script(ann, first)
    assert (late.status_code, late.json()) == (said.status_code, said.json()) == (200, {"next": "/t/item/"})
    assert confidence(sheet, PRACTICE) == 4
    assert list(Answer.objects.filter(question="confidence", item=sheet.item_order[PRACTICE]).values_list("value")) == [
        (2,),
        (4,),
    ]


def test_an_action_sent_again_without_a_script_is_redirected_as_before(sheet: Sheet, ann: Annotator) -> None:
    first = action(ann)
    said, again = ann.client.post("/t/item/", first), ann.client.post("/t/item/", first)
    assert said.url == again.url == "/t/"
    assert Sheet.objects.get().position == PRACTICE + 1


def test_an_action_sent_again_after_the_sheet_was_finished_is_still_confirmed(sheet: Sheet, ann: Annotator) -> None:
    for _ in range(COUNT - 1):
        ann.answer()
    last = action(ann)
    said = by_script(ann, last)
    ann.client.post("/t/review/")
    ann.client.post("/t/post/")
    again = by_script(ann, last)
    assert (again.status_code, again.json()) == (200, said.json())
    assert by_script(ann, {**last, "submission": str(uuid.uuid4())}).status_code == 409


def test_the_pages_own_id_is_a_revision_when_it_comes_with_other_values(sheet: Sheet, ann: Annotator) -> None:
    form = ann.form()
    for value in ("2", "3", "2", "2"):
        ann.client.post("/t/item/", {**form, "confidence": value})
    assert Answer.objects.filter(question="confidence", item=sheet.item_order[PRACTICE]).count() == 3
    assert not Submission.objects.exists()


def test_a_refused_action_is_told_by_field_and_can_be_sent_again_put_right(sheet: Sheet, ann: Annotator) -> None:
    form = action(ann, choice="", confidence="7")
    refused = by_script(ann, form)
    assert refused.status_code == 422
    assert set(refused.json()["problems"]) == {"choice", "confidence"}
    put_right = by_script(ann, {**ann.form(), "submission": form["submission"]})
    assert put_right.status_code == 200
    assert Sheet.objects.get().position == PRACTICE + 1


def test_an_offline_devices_answer_that_arrives_after_a_newer_one_is_not_stored_and_told(
    sheet: Sheet, ann: Annotator
) -> None:
    pressed = int(timezone.now().timestamp() * 1000)
    late = action(ann, confidence="2", sequence=str(pressed - 60_000))
    by_script(ann, action(ann, confidence="4", sequence=str(pressed)))
    said = by_script(ann, late)
    assert (said.status_code, said.json()["state"], confidence(sheet, PRACTICE)) == (409, "moved", 4)
    assert Submission.objects.count() == 1
    # A page that was opened afterwards begins behind what stands, whatever its device's clock says.
    opened = ann.client.get(f"/t/item/?at={PRACTICE}").context["page"].sequence
    fresh = action(ann, f"/t/item/?at={PRACTICE}", confidence="3", sequence=str(opened + 1))
    assert by_script(ann, fresh).status_code == 200
    assert confidence(sheet, PRACTICE) == 3


@pytest.mark.parametrize("position", ["4", "99", "-1", "", "x", "\u0661", "9" * 5000])
def test_a_script_that_is_not_where_the_sheet_is_is_told_so(sheet: Sheet, ann: Annotator, position: str) -> None:
    said = by_script(ann, action(ann, position=position))
    assert (said.status_code, said.json()) == (409, {"state": "moved", "next": "/t/"})
    assert Sheet.objects.get().position == PRACTICE


def test_what_was_not_stored_because_the_study_closed_is_not_confirmed(sheet: Sheet, ann: Annotator) -> None:
    form = action(ann)
    Study.objects.update(state="closed")
    assert by_script(ann, form).status_code == 409
    assert not Submission.objects.exists()


def test_a_script_goes_from_practice_to_its_feedback_and_cannot_change_it_there(scenes: Study, ann: Annotator) -> None:
    sheet = cast.sheet_at_items(scenes, "U")
    ann.sit_at(sheet)
    form = action(ann, confidence="2")
    assert by_script(ann, form).json() == {"next": "/t/item/?at=0"}
    by_script(ann, {**form, "submission": str(uuid.uuid4()), "confidence": "5"})
    assert confidence(sheet, 0) == 2


@pytest.mark.parametrize(
    "text",
    [
        "  two blanks before, a tab\tbetween, a line break at the end\r\n",
        "\u0001\u0008\u001b[31m\u007f\u0085\u2028\ufeff",
        "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
        "\U0001f469\u200d\U0001f52c\U0001f3f3\ufe0f\u200d\U0001f308 e\u0301 \u00e9",
        "<script>alert(1)</script> =cmd() \\input{x} {{ page }} %s '; DROP TABLE studies_answer; --",
    ],
)
def test_texts_are_stored_to_the_character_and_shown_as_text(scenes: Study, ann: Annotator, text: str) -> None:
    sheet = cast.sheet_at_items(scenes, "U")
    ann.sit_at(sheet)
    by_script(ann, action(ann, comment=text))
    assert Answer.objects.get(question="comment").value == text
    assert b"<script>alert" not in ann.client.get("/t/item/?at=0").content


def test_nul_characters_are_left_out_because_databases_cannot_keep_them(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    by_script(ann, action(ann, comment="a\x00b"))
    assert Answer.objects.get(question="comment").value == "ab"


def test_line_breaks_count_once_towards_the_longest_text(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    assert by_script(ann, action(ann, comment="a\r\n" * 5000)).status_code == 200
    assert by_script(ann, action(ann, comment="a" * 10_001)).json()["problems"].keys() == {"comment"}


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_ten_megabytes_of_text_are_refused_in_a_sentence(sheet: Sheet, ann: Annotator, accept: str) -> None:
    said = ann.client.post("/t/item/", action(ann, comment="a" * 10_000_000), headers={"accept": accept})
    assert said.status_code == 413
    assert b"too long" in said.content
    assert Sheet.objects.get().position == PRACTICE


def test_the_service_itself_carries_an_action_out_once_for_requests_that_passed_the_view_together(
    sheet: Sheet, ann: Annotator
) -> None:
    values, first, second = ann.form(), uuid.uuid4(), uuid.uuid4()
    for submission, given in ((first, "2"), (second, "4"), (first, "2")):
        answer_submit(sheet=sheet, position=PRACTICE, submission=submission, values={**values, "confidence": given})
    assert confidence(sheet, PRACTICE) == 4
    assert Submission.objects.count() == 2

"""Drafts: what is filled in survives a reload, the newest one wins, and no draft outlives its submission."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from studies.models import Answer, Draft, Sheet, Study
from tests import cast
from tests.cast import PRACTICE, Annotator

pytestmark = pytest.mark.django_db


@pytest.fixture
def sheet(scenes: Study, ann: Annotator) -> Sheet:
    """Ann's sheet at its first item that counts."""
    made = cast.sheet_at_items(scenes, "U+C+Rl")
    ann.sit_at(made)
    for _ in range(PRACTICE):
        ann.answer()
    return made


def save(ann: Annotator, sequence: int | str, position: int | str = PRACTICE, **values: str) -> Any:
    """What a script sends while the form is being filled in."""
    return ann.client.post("/t/draft/", {"position": position, "sequence": sequence, **values})


def page(ann: Annotator, position: int = PRACTICE) -> Any:
    """The item's page as the server makes it."""
    return ann.client.get(f"/t/item/?at={position}").context["page"]


def values(ann: Annotator, position: int = PRACTICE) -> dict[str, str]:
    """What the page's form is filled in with."""
    shown = page(ann, position)
    chosen = "".join(choice.id for choice in shown.choices if choice.chosen)
    return {"choice": chosen, **{question.name: question.value for question in shown.questions}}


def test_what_was_filled_in_is_there_after_a_reload_and_is_no_answer(sheet: Sheet, ann: Annotator) -> None:
    before = Answer.objects.count()
    choice = page(ann).choices[2].id
    said = save(ann, 1000, choice=choice, confidence="4", comment="half a sen")
    assert said.status_code == 200
    assert said.json()["sequence"] == 1000
    assert said.json()["at"].startswith("20")
    assert values(ann) == {"choice": choice, "confidence": "4", "helpful": "", "comment": "half a sen", "clarity": ""}
    assert page(ann).draft_saved == said.json()["saved"]
    assert page(ann).sequence == 1000
    assert Answer.objects.count() == before


def test_an_older_draft_never_replaces_a_newer_one(sheet: Sheet, ann: Annotator) -> None:
    save(ann, 2000, comment="new")
    assert save(ann, 1999, comment="old").json()["sequence"] == 2000
    assert save(ann, 2000, comment="the same moment").json()["sequence"] == 2000
    assert values(ann)["comment"] == "new"


def test_a_draft_goes_with_its_submission_and_one_still_under_way_does_not_come_back(
    sheet: Sheet, ann: Annotator
) -> None:
    save(ann, 5_000_000_000_000, comment="dra")
    form = {**ann.form(), "comment": "draft", "submission": str(uuid.uuid4()), "sequence": "5000000000002"}
    ann.client.post("/t/item/", form)
    assert save(ann, 5_000_000_000_001, comment="dra").json()["sequence"] == 5_000_000_000_002
    assert values(ann)["comment"] == "draft"
    assert page(ann).draft_saved == ""
    assert page(ann).sequence == 5_000_000_000_002


def test_a_first_draft_that_arrives_after_its_submission_is_ignored(sheet: Sheet, ann: Annotator) -> None:
    ann.client.post("/t/item/", {**ann.form(), "submission": str(uuid.uuid4())})
    save(ann, 1000, comment="late")
    assert values(ann)["comment"] == ""


def test_the_form_without_scripts_leaves_no_draft_row(sheet: Sheet, ann: Annotator) -> None:
    ann.answer()
    assert not Draft.objects.exists()


def test_an_answered_item_shows_the_newer_draft_until_it_is_sent(sheet: Sheet, ann: Annotator) -> None:
    ann.answer(confidence="2", comment="first")
    assert values(ann)["comment"] == "first"
    save(ann, page(ann).sequence + 1, confidence="5", comment="")
    assert (values(ann)["confidence"], values(ann)["comment"]) == ("5", "")
    assert page(ann).is_revision
    ann.client.post("/t/item/", {**ann.form(f"/t/item/?at={PRACTICE}"), "confidence": "3"})
    assert values(ann)["confidence"] == "3"


def test_leaving_an_answer_as_it_is_forgets_what_was_changed_with_scripts_and_without(
    sheet: Sheet, ann: Annotator
) -> None:
    ann.answer(confidence="2", comment="first")
    for given in ("", "9000"):
        save(ann, 5000, confidence="5", comment="changed")
        begun = '"begun">' in ann.client.get(f"/t/item/?at={PRACTICE}").content.decode()
        left = ann.client.post("/t/draft/", {"position": PRACTICE, "discard": given})
        assert (begun, left.status_code, left.url) == (True, 302, "/t/")
        assert (values(ann)["confidence"], values(ann)["comment"]) == ("2", "first")
        assert '"begun" hidden>' in ann.client.get(f"/t/item/?at={PRACTICE}").content.decode()
        Draft.objects.filter(sequence=5000).update(sequence=1)
    # One that was under way when the button was pressed.
    save(ann, 9000, comment="changed")
    assert values(ann)["comment"] == "first"


@pytest.mark.parametrize("fields", [{"position": "0"}, {"position": "99"}, {"position": "x"}, {}])
def test_a_discard_where_nothing_can_be_changed_only_leads_on(
    sheet: Sheet, ann: Annotator, fields: dict[str, str]
) -> None:
    save(ann, 1000, comment="kept")
    assert ann.client.post("/t/draft/", {"discard": "", **fields}).status_code == 302
    assert ann.client.get("/t/draft/", {"discard": "", "position": PRACTICE}).status_code == 405
    other = {"discard": "", "position": PRACTICE, "sheet": "another"}
    assert ann.client.post("/t/draft/", other).status_code == 302
    assert values(ann)["comment"] == "kept"


def test_a_draft_knows_the_fields_of_its_item_only(sheet: Sheet, ann: Annotator) -> None:
    save(ann, 1000, choice="B", sheet_pk="7", condition="U", comment="a\x00b")
    assert Draft.objects.get().values == {
        "choice": "",
        "confidence": "",
        "helpful": "",
        "comment": "ab",
        "clarity": "",
    }


def test_a_draft_is_bounded_and_the_one_before_stays(sheet: Sheet, ann: Annotator) -> None:
    save(ann, 1000, comment="kept")
    said = save(ann, 2000, comment="\u00e9" * 32_769)
    assert said.status_code == 413
    assert said.json()["problems"]
    assert values(ann)["comment"] == "kept"


@pytest.mark.parametrize("sequence", ["", "x", "-1", "1.5", "9" * 20, str(2**53), "\u0661"])
def test_a_clock_that_is_none_is_refused(sheet: Sheet, ann: Annotator, sequence: str) -> None:
    assert save(ann, sequence).status_code == 400
    assert not Draft.objects.exists()


@pytest.mark.parametrize("position", ["0", "1", str(PRACTICE + 1), "-1", "", "x"])
def test_practice_after_its_feedback_and_later_items_take_no_draft(sheet: Sheet, ann: Annotator, position: str) -> None:
    said = save(ann, 1000, position)
    assert (said.status_code, said.json()["state"]) == (409, "moved")
    assert not Draft.objects.exists()


def test_a_finished_sheet_and_a_closed_study_take_no_draft(sheet: Sheet, ann: Annotator) -> None:
    Study.objects.update(state="closed")
    assert save(ann, 1000).status_code == 409
    Study.objects.update(state="open")
    while ann.client.get("/t/item/").status_code == 200:
        ann.answer()
    ann.client.post("/t/review/")
    ann.client.post("/t/post/")
    assert save(ann, 1000).status_code == 409


def test_drafts_are_posted_by_somebody_with_a_sheet(sheet: Sheet, newcomer: Any) -> None:
    stranger = newcomer()
    assert save(stranger, 1000).status_code == 404
    assert stranger.client.get("/t/draft/").status_code == 405


def test_a_line_break_that_opens_a_text_is_in_the_form_again(sheet: Sheet, ann: Annotator) -> None:
    save(ann, 1000, comment="\r\nafter an empty line")
    # Browsers leave out one line break directly after the tag.
    assert ">\n\r\nafter an empty line</textarea>" in ann.client.get("/t/item/").content.decode()

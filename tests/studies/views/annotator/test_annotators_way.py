"""The way from the link to the completion code, and the detours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from studies import pages
from studies.models import Answer, Sheet, Study, StudyVersion
from tests import cast
from tests.cast import COUNT, PRACTICE, Annotator

pytestmark = pytest.mark.django_db


def test_an_annotator_goes_from_the_link_to_the_code(scenes: Study, ann: Annotator) -> None:
    ann.enter(cast.invite(scenes))
    assert "How it works" in ann.get("/t/")
    ann.client.post("/t/instructions/")
    assert f"Practice 1 of {PRACTICE}" in ann.get("/t/")
    ann.answer_all()
    assert "Your answers" in ann.get("/t/")
    ann.client.post("/t/review/")
    ann.client.post("/t/post/", {"post_0": "Nice pictures."})
    sheet = Sheet.objects.get()
    assert pages.completion_code(sheet) in ann.get("/t/")
    assert sheet.post == {"comment": "Nice pictures."}
    assert sheet.answers.filter(question="choice").count() == PRACTICE + COUNT


def test_looking_at_a_link_claims_nothing(scenes: Study) -> None:
    link = cast.invite(scenes)
    for _ in range(3):  # a person and two link-preview bots
        page = Client().get(f"/s/scenes/{link.token}/")
        assert page.status_code == 200
        assert b"<button" in page.content
    assert not Sheet.objects.exists()


def test_a_used_link_says_so_to_others_and_leads_its_owner_on(scenes: Study, newcomer: Callable[[], Annotator]) -> None:
    link, ann, bob = cast.invite(scenes), newcomer(), newcomer()
    ann.enter(link)
    assert "This link has been used" in bob.get(f"/s/scenes/{link.token}/")
    assert bob.client.post(f"/s/scenes/{link.token}/").status_code == 409
    assert "You have started already" in ann.get(f"/s/scenes/{link.token}/")
    assert ann.client.post(f"/s/scenes/{link.token}/").url == "/t/"
    assert Sheet.objects.count() == 1


def test_links_to_nothing_closed_studies_and_revoked_links_have_plain_pages(scenes: Study, ann: Annotator) -> None:
    link = cast.invite(scenes)
    assert ann.client.get("/s/scenes/unknown/").status_code == 404
    assert ann.client.get(f"/s/other/{link.token}/").status_code == 404
    Study.objects.update(state="closed")
    assert "This study is not open" in ann.get(f"/s/scenes/{link.token}/")
    assert ann.client.post(f"/s/scenes/{link.token}/").status_code == 409
    Study.objects.update(state="open")
    scenes.invites.update(revoked=True)
    assert "no longer valid" in ann.get(f"/s/scenes/{link.token}/")
    assert not Sheet.objects.exists()


@pytest.mark.parametrize("url", ["/t/", "/t/consent/", "/t/item/", "/t/done/", "/t/withdraw/", "/m/abc", "/r/abc/"])
def test_without_a_sheet_every_page_asks_to_open_the_link_again(url: str, db: None) -> None:
    page = Client().get(url)
    assert page.status_code == 404
    assert b"open the link that you were given again" in page.content


def test_a_personal_link_brings_a_second_device_to_the_same_place(
    scenes: Study, newcomer: Callable[[], Annotator]
) -> None:
    ann, phone = newcomer(), newcomer()
    sheet = cast.sheet_at_items(scenes, "U+C")
    ann.sit_at(sheet)
    ann.answer()
    phone.sit_at(sheet)
    assert f"Practice 2 of {PRACTICE}" in phone.get("/t/")
    phone.answer()
    assert f"Item 1 of {COUNT}" in ann.get("/t/")


def test_the_session_key_changes_on_entry(scenes: Study, ann: Annotator) -> None:
    session = ann.client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    ann.client.cookies["sessionid"] = planted
    ann.client.post(f"/s/scenes/{cast.invite(scenes).token}/")
    assert ann.client.session.session_key != planted


def test_the_session_key_stays_when_the_personal_link_leads_to_the_sheet_that_is_open(
    scenes: Study, ann: Annotator
) -> None:
    sheet = cast.sheet_at_items(scenes, "U")
    ann.sit_at(sheet)
    key = ann.client.session.session_key
    ann.sit_at(sheet)
    assert ann.client.session.session_key == key


def test_every_other_step_leads_to_where_the_sheet_is(scenes: Study, ann: Annotator) -> None:
    ann.enter(cast.invite(scenes))
    for step in ("consent", "quiz", "item", "review", "post", "done"):
        assert ann.client.get(f"/t/{step}/", follow=True).redirect_chain[-1][0] == "/t/instructions/"
        assert ann.client.post(f"/t/{step}/").status_code == 302
    assert Sheet.objects.get().step == "instructions"


def test_consent_needs_the_tick_and_the_present_text(scenes: Study, ann: Annotator) -> None:
    ann.client.post(f"/s/scenes/{cast.invite(scenes).token}/")
    digest = ann.client.get("/t/consent/").context["page"].sha256
    assert ann.client.post("/t/consent/", {"sha256": digest}).status_code == 422
    assert ann.client.post("/t/consent/", {"sha256": "0" * 64, "agree": "yes"}).status_code == 422
    assert Sheet.objects.get().step == "consent"
    ann.client.post("/t/consent/", {"sha256": digest, "agree": "yes"})
    assert Sheet.objects.get().annotator.consent_sha256 == digest


def test_two_wrong_attempts_at_the_quiz_end_kindly(ann: Annotator, db: None) -> None:
    study = cast.study(text=cast.with_quiz())
    ann.enter(cast.invite(study))
    wrong = {"quiz_0": "What is true", "quiz_1": "At any time"}
    page = ann.client.post("/t/quiz/", {"quiz_0": "What is true"})
    assert page.status_code == 422  # a gap is no attempt, and what was entered stays
    assert b'value="What is true" checked' in page.content
    assert "Not every answer" in ann.client.post("/t/quiz/", wrong, follow=True).content.decode()
    assert "Thank you for your interest" in ann.client.post("/t/quiz/", wrong, follow=True).content.decode()
    assert Sheet.objects.get().condition is None


def test_a_forged_number_of_the_quizs_attempt_changes_nothing(ann: Annotator, db: None) -> None:
    ann.enter(cast.invite(cast.study(text=cast.with_quiz())))
    right = {"quiz_0": "What the model answers", "quiz_1": "At any time"}
    for forged in ("9" * 5000, "-1", "²"):
        assert ann.client.post("/t/quiz/", {**right, "attempt": forged}).status_code == 302
    assert (Sheet.objects.get().step, Sheet.objects.get().quiz_attempts) == ("quiz", 0)


def test_the_right_answers_to_the_quiz_lead_to_the_instructions(ann: Annotator, db: None) -> None:
    ann.enter(cast.invite(cast.study(text=cast.with_quiz())))
    right = {"quiz_0": "What the model answers", "quiz_1": "At any time"}
    assert "How it works" in ann.client.post("/t/quiz/", right, follow=True).content.decode()


def test_fifteen_sheets_fill_five_arms_evenly_and_the_next_finds_the_study_complete(
    scenes: Study, newcomer: Callable[[], Annotator]
) -> None:
    for _ in range(15):
        newcomer().enter(cast.invite(scenes))
    assert set(Counter(Sheet.objects.values_list("condition__name", flat=True)).values()) == {3}
    late, link = newcomer(), cast.invite(scenes)
    assert "The study is complete" in late.get(f"/s/scenes/{link.token}/")
    assert late.client.post(f"/s/scenes/{link.token}/").status_code == 409
    assert Sheet.objects.count() == 15


def test_a_study_that_closes_in_mid_sheet_says_so_and_takes_no_more_answers(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    form = ann.form()
    Study.objects.update(state="closed")
    assert ann.client.post("/t/item/", form).status_code == 302
    assert "The study has ended" in ann.get("/t/item/")
    assert not Answer.objects.exists()


def test_withdrawing_asks_first_and_then_deletes_the_answers(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    ann.answer()
    assert "<button" in ann.get("/t/withdraw/")
    assert Answer.objects.exists()
    assert "have been deleted" in ann.client.post("/t/withdraw/", follow=True).content.decode()
    assert not Answer.objects.exists()
    assert "have been deleted" in ann.get("/t/item/")


def test_a_preview_is_marked_on_every_page_and_can_be_repeated(
    scenes: Study, newcomer: Callable[[], Annotator]
) -> None:
    Study.objects.update(state="draft")
    link = cast.preview(scenes, "U+C+Rl")
    mark = "Preview: nothing here is counted"
    for _ in range(2):
        rosa = newcomer()
        assert mark in rosa.get(f"/s/scenes/{link.token}/")
        rosa.client.post(f"/s/scenes/{link.token}/")
        assert mark in rosa.get("/t/consent/")
        rosa.agree()
        assert mark in rosa.get("/t/instructions/")
        rosa.client.post("/t/instructions/")
        assert mark in rosa.get("/t/item/")
        assert mark in rosa.get("/t/withdraw/")
        rosa.answer_all()
        assert mark in rosa.get("/t/review/")
        rosa.client.post("/t/review/")
        assert mark in rosa.get("/t/post/")
        rosa.client.post("/t/post/")
        assert mark in rosa.get("/t/done/")
    assert set(Sheet.objects.values_list("kind", "condition__name")) == {("pilot", "U+C+Rl")}


def test_a_preview_waits_until_there_is_something_to_show(scenes: Study, ann: Annotator) -> None:
    link = cast.preview(scenes, "U")
    scenes.version.artefacts.filter(stage="U").update(state="wanted")
    assert "This study is not open" in ann.get(f"/s/scenes/{link.token}/")
    assert ann.client.post(f"/s/scenes/{link.token}/").status_code == 409
    assert not Sheet.objects.exists()


def test_the_preview_of_an_older_draft_leads_nowhere(scenes: Study, ann: Annotator) -> None:
    link = cast.preview(scenes, "U")
    StudyVersion.objects.create(study=scenes, number=2, definition=scenes.version.definition, sha256="2" * 64)
    assert ann.client.post(f"/s/scenes/{link.token}/").status_code == 409


def test_a_return_after_the_time_out_keeps_the_place_and_is_marked(scenes: Study, ann: Annotator) -> None:
    sheet = cast.sheet_at_items(scenes, "U")
    ann.sit_at(sheet)
    ann.answer()
    Sheet.objects.update(seen=timezone.now() - timedelta(minutes=61))
    assert f"Practice 2 of {PRACTICE}" in ann.get("/t/")
    assert Sheet.objects.get().is_late


def test_words_at_the_end_that_are_too_long_are_refused_and_kept(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    ann.answer_all()
    ann.client.post("/t/review/")
    page = ann.client.post("/t/post/", {"post_0": "a" * 10_001})
    assert page.status_code == 422
    assert b"longer than 10,000 characters" in page.content
    assert b"a" * 10_001 in page.content


def test_an_answer_changed_and_changed_back_from_one_open_form_is_the_last_one(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    form = ann.form()
    first, second = (choice.id for choice in ann.client.get("/t/item/").context["page"].choices[:2])
    for chosen in (first, second, first):
        ann.client.post("/t/item/", {**form, "choice": chosen})
    # Practice keeps its first answer; items can be changed back and forth.
    ann.answer()
    form = ann.form()
    first, second = (choice.id for choice in ann.client.get("/t/item/").context["page"].choices[:2])
    for chosen in (first, second, first, first):
        ann.client.post("/t/item/", {**form, "choice": chosen})
    stored = Answer.objects.filter(question="choice", item__is_practice=False).order_by("revision")
    assert [answer.revision for answer in stored] == [0, 1, 2]
    assert stored[0].value == stored[2].value != stored[1].value


def test_a_quiz_form_that_is_sent_twice_is_graded_once(ann: Annotator) -> None:
    made = cast.study(text=cast.with_quiz())
    ann.enter(cast.invite(made))
    page = ann.client.get("/t/quiz/").context["page"]
    wrong = {question.name: question.options[0][0] for question in page.questions} | {"attempt": str(page.attempt)}
    for _ in range(2):
        ann.client.post("/t/quiz/", wrong)
    assert Sheet.objects.get().step == "quiz"
    assert ann.client.get("/t/quiz/").context["page"].is_retry

"""The planner's page learns from a study's own sheets: what is offered, what is shown, and what stays hidden."""

from __future__ import annotations

import pytest
from django.test import Client

from studies.desk_work import desk_work
from studies.models import DeskJob, Study, StudyVersion
from studies.reports.plan_request import PlanRequest
from tests.studies.reports.answers import make_sheet, right

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few_simulations")]
URL = "/studies/shapes/plan/"
ASKED = {"accuracies": ".55,.80", "annotators": "6", "items": "10", "test": "pairs"}


def sheets(version: StudyVersion, kind: str, *counts: int) -> None:
    for condition in ("U", "U+Rl"):
        for count in counts:
            make_sheet(version, condition, right(count), kind=kind)


def page(client: Client, url: str = URL) -> str:
    return client.get(url).content.decode()


def address(client: Client, **more: str) -> str:
    return str(client.post(URL, ASKED | more).url)  # type: ignore[attr-defined]


def test_nothing_is_asked_where_the_study_has_no_answers_to_learn_from(rosa: Client, version: StudyVersion) -> None:
    sheets(version, "live", 9)
    assert 'name="pilot"' not in page(rosa)


def test_what_there_is_can_be_chosen(rosa: Client, version: StudyVersion) -> None:
    sheets(version, "pilot", 9)
    shown = page(rosa)
    assert '<option value="" selected>as written below</option>' in shown
    assert '<option value="pilot">from this study&#x27;s pilot sheets</option>' in shown
    assert 'value="simulated"' not in shown
    assert 'value="live"' not in shown


def test_a_plan_from_a_pilot_shows_the_estimates_with_their_uncertainty(rosa: Client, version: StudyVersion) -> None:
    sheets(version, "pilot", 8, 15)
    url = address(rosa, pilot="pilot", annotator_sd="2.5")
    assert "pilot=pilot" in url
    assert "_sd" not in url
    assert desk_work() == 1
    shown = page(rosa, url)
    assert "From pilot sheets of shapes (2 conditions; 95 % intervals): standard deviation of annotators " in shown
    # Four people are fewer than the five that tell anything.
    assert '<p class="notice">4 annotators do not tell how much people differ: a standard deviation ' in shown
    assert '<option value="pilot" selected>' in shown
    assert "6 annotators per condition find .55 → .80 in" in shown
    assert "Standard deviations from this study&#x27;s pilot sheets." in page(rosa)


def test_more_pilot_answers_make_another_plan(rosa: Client, version: StudyVersion) -> None:
    sheets(version, "pilot", 8, 15)
    url = address(rosa, pilot="pilot")
    desk_work()
    assert "The answer" in page(rosa, url)
    sheets(version, "pilot", 3)
    shown = page(rosa, url)
    assert "This plan is not computed yet" in shown
    assert "Other plans" not in shown
    rosa.post(url, ASKED | {"pilot": "pilot"})
    desk_work()
    assert "From pilot sheets of shapes" in page(rosa, url)
    assert DeskJob.objects.filter(state="done").count() == 2


def test_simulated_annotators_are_said_to_tell_nothing_about_people(rosa: Client, version: StudyVersion) -> None:
    sheets(version, "simulated", 8, 15)
    url = address(rosa, pilot="simulated")
    desk_work()
    assert "Simulated annotators say nothing about people" in page(rosa, url)


def test_a_pilot_that_tells_nothing_says_so(rosa: Client, version: StudyVersion) -> None:
    make_sheet(version, "U", right(8), kind="pilot")
    url = address(rosa, pilot="pilot")
    desk_work()
    assert "pilot sheets of shapes: a pilot of 1 x 20 answers tells nothing" in page(rosa, url)


@pytest.mark.parametrize("state", ["draft", "frozen", "open", "closed"])
def test_answers_of_people_are_refused_before_unblinding(rosa: Client, version: StudyVersion, state: str) -> None:
    sheets(version, "live", 8, 15)
    Study.objects.update(state=state)
    for answer in (rosa.post(URL, ASKED | {"pilot": "live"}), rosa.get(URL, ASKED | {"pilot": "live"})):
        assert answer.status_code == 422
        assert "what people answered is looked at after unblinding" in answer.content.decode()
        assert 'value="live"' not in answer.content.decode()
    assert not DeskJob.objects.exists()


def test_a_worker_refuses_answers_of_people_whatever_row_it_finds(rosa: Client, version: StudyVersion) -> None:
    sheets(version, "live", 8, 15)
    Study.objects.update(state="closed")
    request = PlanRequest(pilot="live")
    asked = {"request": request.model_dump(mode="json")}
    DeskJob.objects.create(version=version, kind="plan", key=request.sha256, result=asked)
    desk_work()
    job = DeskJob.objects.get()
    assert (job.state, job.result) == ("failed", asked)
    assert "looked at after unblinding" in job.reason


def test_answers_of_people_change_nothing_in_a_plan_from_the_pilot(rosa: Client, version: StudyVersion) -> None:
    sheets(version, "pilot", 8, 15)
    address(rosa, pilot="pilot")
    desk_work()
    before = DeskJob.objects.values_list("key", "result").get()
    DeskJob.objects.all().delete()
    sheets(version, "live", 2, 19)
    Study.objects.update(state="closed")
    address(rosa, pilot="pilot")
    desk_work()
    assert DeskJob.objects.values_list("key", "result").get() == before


def test_after_unblinding_answers_of_people_can_be_chosen(rosa: Client, version: StudyVersion) -> None:
    sheets(version, "live", 8, 15)
    Study.objects.update(state="unblinded")
    assert '<option value="live">from people&#x27;s answers</option>' in page(rosa)
    url = address(rosa, pilot="live")
    desk_work()
    assert "From live sheets of shapes" in page(rosa, url)


def test_sheets_that_are_not_there_are_refused_at_their_field(rosa: Client) -> None:
    for wrong, said in (("pilot", "has no finished pilot sheets"), ("x", "is not pilot, simulated or live, or empty")):
        answer = rosa.post(URL, ASKED | {"pilot": wrong})
        assert answer.status_code == 422
        assert said in answer.content.decode()
        assert 'id="pilot-problem"' in answer.content.decode()

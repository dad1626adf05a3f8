"""The planner's page: parameters in the address, a worker's job, the answer first, problems at their fields."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from studies.desk_work import desk_work
from studies.models import DeskJob, Study, StudyVersion

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few_simulations")]
URL = "/studies/shapes/plan/"


def page(client: Client, url: str = URL) -> str:
    return client.get(url).content.decode()


def test_the_form_begins_with_what_the_study_says_and_asks_nobody(rosa: Client, version: StudyVersion) -> None:
    shown = page(rosa)
    assert 'name="accuracies" value="0.55, ' in shown
    assert f"In the order of the conditions: {version.config.arms[0].name}," in shown
    assert "Being computed" not in shown
    assert not DeskJob.objects.exists()
    assert '<a href="/studies/shapes/plan/" aria-current="page">Plan</a>' in shown


def test_a_posted_plan_is_asked_for_once_and_its_parameters_stand_in_the_address(rosa: Client) -> None:
    answer = rosa.post(URL, {"accuracies": ".55, .80", "annotators": "6", "items": "10", "test": "pairs"})
    asked = parse_qs(urlsplit(answer.url).query)  # type: ignore[attr-defined]
    assert (asked["accuracies"], asked["annotators"], asked["items"]) == (["0.55,0.8"], ["6"], ["10"])
    waiting = rosa.get(answer.url)  # type: ignore[attr-defined]
    assert waiting.headers["Refresh"] == "2"
    assert "Waiting for a worker." in waiting.content.decode()
    rosa.post(URL, {"accuracies": ".55,.8", "annotators": "6", "items": "10", "test": "pairs"})
    assert DeskJob.objects.get().kind == "plan"


def test_a_computed_plan_shows_the_answer_the_curves_and_their_numbers(rosa: Client) -> None:
    address = rosa.post(URL, {"accuracies": ".55,.80", "annotators": "6", "test": "pairs"}).url  # type: ignore[attr-defined]
    desk_work()
    response = rosa.get(address)
    shown = response.content.decode()
    assert "Refresh" not in response.headers
    assert "6 annotators per condition find .55 → .80 in" in shown
    assumed = "standard deviations in logits 0.5 of annotators, 1.0 of items; pairs, corrected by Holm, at 0.05"
    assert f"Assumed: 4 choices; {assumed}." in shown
    assert shown.index("The answer") < shown.index("Other numbers") < shown.index("Curves") < shown.index("This design")
    for name in ("plan-power", "plan-alpha", "plan-cost"):
        assert f'id="chart-{name}"' in shown
    assert "<code>annotators.per_condition: 6</code>" in shown
    assert "<code>plan.primary: pairs</code>" in shown


def test_a_plan_of_an_address_that_is_not_kept_any_more_is_a_button_away(rosa: Client) -> None:
    shown = page(rosa, f"{URL}?accuracies=.5,.7&annotators=9&test=pairs")
    assert "This plan is not computed yet" in shown
    assert 'name="annotators" value="9"' in shown
    assert not DeskJob.objects.exists()


def test_other_plans_are_listed_by_their_answers(rosa: Client) -> None:
    rosa.post(URL, {"accuracies": ".5,.9", "annotators": "5", "test": "pairs"})
    desk_work()
    assert "5 annotators per condition find .50 → .90" in page(rosa)


def test_plans_of_another_release_are_not_listed(rosa: Client) -> None:
    rosa.post(URL, {"annotators": "5"})
    DeskJob.objects.update(state="done", key="of-another-release", result={"answer": ["In other parts"]})
    assert "Other plans" not in page(rosa)


def test_a_plan_that_another_release_computed_is_a_button_away(rosa: Client) -> None:
    address = rosa.post(URL, {"annotators": "5"}).url  # type: ignore[attr-defined]
    DeskJob.objects.update(state="done", result={"answer": ["In other parts"]})
    assert "This plan is not computed yet" in rosa.get(address).content.decode()
    rosa.post(URL, {"annotators": "5"})
    desk_work()
    assert "This plan is not computed yet" not in page(rosa, address)
    assert DeskJob.objects.get().result["request"]["annotators"] == [5]


def test_a_plan_that_can_be_read_is_not_computed_again(rosa: Client) -> None:
    rosa.post(URL, {"annotators": "5"})
    desk_work()
    before = DeskJob.objects.get()
    rosa.post(URL, {"annotators": "5"})
    assert (DeskJob.objects.get().pk, DeskJob.objects.get().state) == (before.pk, "done")


def test_what_cannot_be_read_is_said_at_its_field_and_stays_there(rosa: Client) -> None:
    wrong = {"accuracies": "55", "items": "12"}
    for answer in (rosa.post(URL, wrong), rosa.get(URL, wrong)):
        shown = answer.content.decode()
        assert answer.status_code == 422
        assert "&#x27;55&#x27; is not 1 to 10 numbers between 0 and 1" in shown
        assert 'name="accuracies" value="55"' in shown
        assert 'name="items" value="12"' in shown
        assert 'aria-describedby="accuracies-help accuracies-problem" aria-invalid="true"' in shown
    assert not DeskJob.objects.exists()


def test_a_plan_that_failed_says_why(rosa: Client) -> None:
    address = rosa.post(URL, {"annotators": "5"}).url  # type: ignore[attr-defined]
    DeskJob.objects.update(state="failed", reason="MemoryError: too large")
    assert "MemoryError: too large" in page(rosa, address)


def test_a_plan_can_be_made_whatever_the_state_of_the_study(rosa: Client) -> None:
    for state in ("frozen", "open", "closed", "unblinded"):
        Study.objects.update(state=state)
        assert rosa.get(URL).status_code == 200


def test_plans_are_no_part_of_the_data_that_are_taken_away(rosa: Client, version: StudyVersion) -> None:
    from studies.reports.archive_rules import export_key

    before = export_key(version)
    rosa.post(URL, {"annotators": "5"})
    assert export_key(version) == before

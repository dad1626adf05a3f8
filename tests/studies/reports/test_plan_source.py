"""Whose answers a plan may learn from, and that its key follows from those answers and from no others."""

from __future__ import annotations

import pytest

from studies.models import Study, StudyVersion
from studies.reports import plan_source
from studies.reports.plan_pilot import PilotRefused, pilot_of_page
from studies.reports.plan_request import PlanRequest
from studies.reports.plan_source import hidden_until, offered_sources, plan_key, source_problem
from tests.studies.reports.answers import make_sheet, make_version, right

pytestmark = pytest.mark.django_db
PILOT, LIVE = PlanRequest(pilot="pilot"), PlanRequest(pilot="live")


@pytest.fixture
def version() -> StudyVersion:
    """A study with pilot sheets."""
    version = make_version()
    for condition in ("U", "U+Rl"):
        for count in (8, 11, 15):
            make_sheet(version, condition, right(count), kind="pilot")
    return version


def test_sheets_are_offered_once_they_are_finished(version: StudyVersion) -> None:
    assert [kind for kind, _ in offered_sources(version.study)] == ["pilot"]
    sheet = make_sheet(version, "U", right(9), kind="simulated")
    assert [kind for kind, _ in offered_sources(version.study)] == ["pilot", "simulated"]
    type(sheet).objects.filter(pk=sheet.pk).update(step="item")
    assert [kind for kind, _ in offered_sources(version.study)] == ["pilot"]
    assert (
        source_problem(version.study, "simulated") == "The study shapes has no finished simulated sheets to learn from."
    )


def test_answers_of_people_are_offered_after_unblinding_only(version: StudyVersion) -> None:
    make_sheet(version, "U", right(9), kind="live")
    for state in ("draft", "frozen", "open", "closed"):
        Study.objects.update(state=state)
        study = Study.objects.get()
        assert "live" not in dict(offered_sources(study))
        assert source_problem(study, "live") == hidden_until(study, "live") != ""
    Study.objects.update(state="unblinded")
    study = Study.objects.get()
    assert dict(offered_sources(study))["live"] == "from people's answers"
    assert source_problem(study, "live") == ""


def test_the_key_changes_with_the_pilots_answers_and_with_no_others(version: StudyVersion) -> None:
    before, written = plan_key(PILOT, version.study), plan_key(PlanRequest(), version.study)
    assert before != PILOT.sha256
    assert written == PlanRequest().sha256
    make_sheet(version, "U", right(3), kind="live")
    make_sheet(version, "U", right(3), kind="simulated")
    assert plan_key(PILOT, version.study) == before
    make_sheet(version, "U", right(3), kind="pilot")
    assert plan_key(PILOT, version.study) != before
    assert plan_key(PlanRequest(), version.study) == written


def test_hidden_answers_are_not_even_read_for_the_key(version: StudyVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    make_sheet(version, "U", right(9), kind="live")
    monkeypatch.setattr(plan_source, "ratings_of", lambda *given: pytest.fail("live answers were read"))
    assert plan_key(LIVE, version.study) == LIVE.sha256


def test_only_the_standard_deviations_are_taken_for_the_page(version: StudyVersion) -> None:
    asked = PlanRequest(pilot="pilot", accuracies=(0.5, 0.6, 0.7), annotators=(4, 5, 6))
    found = pilot_of_page(version.study, asked, key=plan_key(asked, version.study))
    changed = {name for name, value in found.request if value != getattr(asked, name)}
    assert changed <= {"annotator_sd", "item_sd"}
    assert found.notes[0].startswith("From pilot sheets of shapes (2 conditions; 95 % intervals)")


def test_answers_that_changed_since_the_plan_was_asked_for_are_not_used(version: StudyVersion) -> None:
    key = plan_key(PILOT, version.study)
    make_sheet(version, "U", right(3), kind="pilot")
    with pytest.raises(PilotRefused, match="have changed: compute it again"):
        pilot_of_page(version.study, PILOT, key=key)

"""Plans among the desk's jobs: one per set of parameters, computed by a worker, the newest few of a study kept."""

from __future__ import annotations

from typing import Any

import pytest

from studies.desk_work import desk_work
from studies.models import DeskJob, Study, StudyVersion
from studies.reports import planning
from studies.reports.plan_request import PlanRequest
from studies.reports.plan_shape import Plan
from studies.services.planning import KEPT, plan_request, plans_of
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> StudyVersion:
    return cast.study(state=Study.State.OPEN).version


def ask(version: StudyVersion, items: int = 20) -> DeskJob:
    request = PlanRequest(items=items)
    return plan_request(version=version, request=request.model_dump(mode="json"), key=request.sha256)


def test_the_same_parameters_are_one_job_and_computed_once(version: StudyVersion, rung: list[str]) -> None:
    job = ask(version)
    assert ask(version) == job
    DeskJob.objects.update(state="done", result={"is": "kept"})
    again = ask(version)
    assert (again.state, again.result) == ("done", {"is": "kept"})
    assert ask(version, items=30) != job


def test_a_plan_that_failed_is_tried_again_with_its_parameters(version: StudyVersion) -> None:
    job = ask(version)
    DeskJob.objects.update(state="failed", reason="no memory", result={})
    job = ask(version)
    assert (job.state, job.reason, job.result["request"]["items"]) == ("wanted", "", 20)


def test_a_worker_computes_it_and_keeps_what_the_page_shows(
    version: StudyVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "MOST_STUDIES", 300)
    monkeypatch.setattr(planning, "TABLES", 5)
    monkeypatch.setattr(planning, "CURVE_TABLES", 2)
    job = ask(version, items=10)
    assert desk_work() == 1
    job.refresh_from_db()
    assert (job.state, job.reason) == ("done", "")
    plan = Plan.model_validate(job.result)
    assert plan.request.items == 10
    assert len(plan.charts) == 3


def test_a_plan_that_breaks_says_why_and_keeps_its_parameters(
    version: StudyVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: Any, **named: Any) -> None:
        raise MemoryError("too large")

    monkeypatch.setattr(planning, "build_plan", fail)
    job = ask(version)
    desk_work()
    job.refresh_from_db()
    assert (job.state, job.reason) == ("failed", "MemoryError: too large")
    assert job.result["request"]["items"] == 20


def test_the_newest_plans_of_a_study_are_kept_and_other_jobs_left_alone(version: StudyVersion) -> None:
    export = DeskJob.objects.create(version=version, kind="export", key="data", state="done")
    first = ask(version, items=5)
    DeskJob.objects.filter(pk=first.pk).update(state="leased")
    for items in range(6, 6 + KEPT + 2):
        ask(version, items=items)
    kept = [job.result["request"]["items"] for job in plans_of(version.study)]
    # The ten newest, and the one that a worker has in hand
    assert kept == [*range(17, 7, -1), 5]
    assert DeskJob.objects.filter(pk=export.pk).exists()

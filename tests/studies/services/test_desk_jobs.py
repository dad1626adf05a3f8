"""Jobs of the researcher's desk: asked for once, done once, again when it makes sense, and never lost with a worker."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from django.utils import timezone

from studies import artefact_files, desk_work, linter, worker
from studies.models import DeskJob, Study, StudyVersion
from studies.services.desk_jobs import desk_job_finish, desk_job_lease, desk_job_request, due_jobs
from studies.services.precompute import PrecomputeRefused
from studies.watch import Watch
from studies.yaml_strict import Problem
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> StudyVersion:
    return cast.study(state=Study.State.DRAFT).version


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    found: list[Problem] = []

    def check(config: object, *, base: object, progress: Callable[[int, int], None]) -> list[Problem]:
        progress(3, 3)
        return found

    monkeypatch.setattr(linter, "check", check)
    return found


def test_asking_twice_is_one_row_and_rings_after_the_commit(
    version: StudyVersion, rung: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = desk_job_request(version=version, kind="check")
        assert rung == []
    assert rung == ["studies.tasks.desk_task"]
    assert desk_job_request(version=version, kind="check") == first
    assert desk_job_request(version=version, kind="export", key="a") != first
    assert due_jobs().count() == 2


def test_a_check_keeps_problems_at_their_keys_and_its_progress(version: StudyVersion, problems: list[Problem]) -> None:
    problems.append(Problem("items.count", "too many", line=3))
    job = desk_job_request(version=version, kind="check")
    assert desk_work.desk_work() == 1
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.owner) == ("done", 3, 3, "")
    assert job.result == {"problems": [{"path": "items.count", "message": "too many"}]}
    assert job.finished is not None


def test_a_check_that_is_done_is_done_anew_when_asked_for(version: StudyVersion, problems: list[Problem]) -> None:
    problems.append(Problem("items.count", "too many"))
    job = desk_job_request(version=version, kind="check")
    desk_work.desk_work()
    problems.clear()
    again = desk_job_request(version=version, kind="check")
    assert (again.pk, again.state, again.result, again.done) == (job.pk, "wanted", {}, 0)
    desk_work.desk_work()
    again.refresh_from_db()
    assert again.result == {"problems": []}


def test_a_precomputation_begins_only_where_the_check_finds_nothing(
    version: StudyVersion, problems: list[Problem], rung: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []
    monkeypatch.setattr(desk_work, "precompute_start", lambda version: begun.append(version) or version.runs.last())
    problems.append(Problem("dataset.root", "does not exist"))
    job = desk_job_request(version=version, kind="precompute")
    desk_work.desk_work()
    job.refresh_from_db()
    assert (job.state, begun) == ("failed", [])
    assert "dataset.root: does not exist" in job.reason
    assert job.result["problems"] == [{"path": "dataset.root", "message": "does not exist"}]
    problems.clear()
    desk_job_request(version=version, kind="precompute")
    desk_work.desk_work()
    job.refresh_from_db()
    assert (job.state, begun) == ("done", [version])
    assert rung[-1] == "studies.tasks.work_task"


@pytest.mark.usefixtures("problems")
def test_a_precomputation_that_is_refused_says_why(version: StudyVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(version: StudyVersion) -> None:
        raise PrecomputeRefused("the dataset's folder changed")

    monkeypatch.setattr(desk_work, "precompute_start", refuse)
    job = desk_job_request(version=version, kind="precompute")
    desk_work.desk_work()
    job.refresh_from_db()
    assert (job.state, job.reason) == ("failed", "the dataset's folder changed")


def test_an_export_is_kept_under_its_hash_and_made_again_only_where_it_is_gone(
    version: StudyVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = ModuleType("studies.reports.archive")
    archive.build_export = lambda version: (b"PK-all", "application/zip")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "studies.reports.archive", archive)
    job = desk_job_request(version=version, kind="export", key="data")
    desk_work.desk_work()
    job = desk_job_request(version=version, kind="export", key="data")
    assert (job.state, job.result["type"], job.result["size"]) == ("done", "application/zip", 6)
    assert artefact_files.load(job.result) == b"PK-all"
    artefact_files.set_aside(job.result)
    assert desk_job_request(version=version, kind="export", key="data").state == "wanted"


def test_a_job_that_breaks_says_why_and_the_next_one_is_done(
    version: StudyVersion, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(desk_work._WORK, "export", lambda job, tick: 1 / 0)
    broken = desk_job_request(version=version, kind="export")
    fine = desk_job_request(version=version, kind="check")
    assert desk_work.desk_work() == 2
    broken.refresh_from_db()
    fine.refresh_from_db()
    assert (broken.state, fine.state) == ("failed", "done")
    assert broken.reason == "ZeroDivisionError: division by zero"


def test_a_job_whose_lease_was_taken_over_cannot_end(version: StudyVersion) -> None:
    desk_job_request(version=version, kind="check")
    slow = desk_job_lease(owner="slow")
    assert slow is not None
    assert desk_job_lease(owner="quick") is None
    DeskJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    quick = desk_job_lease(owner="quick")
    assert quick is not None
    assert not desk_job_finish(job=slow, owner="slow", result={"problems": []})
    assert desk_job_finish(job=quick, owner="quick", result={"problems": []})


def test_a_job_that_kills_its_workers_is_given_up(version: StudyVersion) -> None:
    job = desk_job_request(version=version, kind="check")
    for _ in range(3):
        assert desk_job_lease(owner="me")
        DeskJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert desk_job_lease(owner="me") is None
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("failed", 3)
    assert "3 attempts" in job.reason


def test_a_worker_that_is_stopped_hands_its_job_back(version: StudyVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = iter((False, False, True))

    def check(config: object, *, base: object, progress: Callable[[int, int], None]) -> list[Problem]:
        progress(1, 3)
        raise AssertionError("it went on")

    monkeypatch.setattr(linter, "check", check)
    job = desk_job_request(version=version, kind="check")
    assert worker.work_until_idle(watch=Watch(stop=lambda: next(asked))) == 0
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("wanted", 0)

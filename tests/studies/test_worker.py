"""The working loop: what was done stays, what fails says why, and the next phase follows by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from django.db import OperationalError

from studies import engine, worker
from studies.computed import Computed
from studies.models import Artefact

pytestmark = pytest.mark.django_db


def wanted(subject: str, stage: str = "U", target: str = "") -> Artefact:
    return Artefact.objects.create(
        subject_kind="datapoint", subject=subject, stage=stage, target=target, params={"source": "a"}, params_hash="0"
    )


def states() -> list[tuple[str, str, str]]:
    return list(Artefact.objects.order_by("subject", "stage").values_list("subject", "stage", "state"))


def compute_all(jobs: Sequence[engine.Job], tick: engine.Tick) -> Iterator[tuple[int, Computed]]:
    for number, job in enumerate(jobs):
        if job.subject == "val:broken" and job.stage == "U":
            raise ValueError("cow.png is truncated")
        yield number, Computed({"stage": job.stage})


@pytest.fixture
def computing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "compute", compute_all)


@pytest.mark.usefixtures("computing")
def test_everything_due_is_computed_and_counted() -> None:
    for subject in ("val:1", "val:2"):
        wanted(subject)
    assert worker.work_until_idle() == 2
    assert {state for *_, state in states()} == {"ready"}
    assert worker.work_until_idle() == 0


@pytest.mark.usefixtures("computing")
def test_a_failure_keeps_what_was_done_before_and_the_reason() -> None:
    wanted("val:broken", stage="C")
    wanted("val:broken", stage="U")
    wanted("val:fine")
    assert worker.work_until_idle() == 2
    assert states() == [("val:broken", "C", "ready"), ("val:broken", "U", "failed"), ("val:fine", "U", "ready")]
    assert Artefact.objects.get(state="failed").reason == "ValueError: cow.png is truncated"


def test_a_database_that_is_away_is_not_the_rows_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(jobs: Sequence[engine.Job], tick: engine.Tick) -> Iterator[tuple[int, Computed]]:
        raise OperationalError("server closed the connection")
        yield

    monkeypatch.setattr(engine, "compute", away)
    wanted("val:1")
    with pytest.raises(OperationalError):
        worker.work_until_idle()
    assert states() == [("val:1", "U", "wanted")]


def test_an_interruption_leaves_no_lease_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(jobs: Sequence[engine.Job], tick: engine.Tick) -> Iterator[tuple[int, Computed]]:
        yield 0, Computed({})
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "compute", interrupted)
    wanted("val:1", stage="C")
    wanted("val:1", stage="U")
    with pytest.raises(KeyboardInterrupt):
        worker.work_until_idle()
    assert states() == [("val:1", "C", "ready"), ("val:1", "U", "wanted")]


@pytest.mark.usefixtures("computing")
def test_a_worker_that_is_asked_to_stop_begins_nothing_more() -> None:
    wanted("val:1")
    wanted("val:2")
    asked = iter((False, True))
    assert worker.work_until_idle(stop=lambda: next(asked)) == 1


@pytest.mark.usefixtures("computing")
def test_long_rows_show_how_far_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []

    def slow(jobs: Sequence[engine.Job], tick: engine.Tick) -> Iterator[tuple[int, Computed]]:
        tick(3, 9)
        row = Artefact.objects.get()
        seen.append((row.done, row.total))
        yield 0, Computed({})

    monkeypatch.setattr(engine, "compute", slow)
    wanted("val:1")
    worker.work_until_idle()
    assert seen == [(3, 9)]

"""The working loop: what was done stays, what fails says why, and the next phase follows by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from django.db import OperationalError

from studies import config, engine, worker
from studies.computed import Computed
from studies.models import Artefact, StudyVersion
from studies.services.authoring import study_create
from studies.watch import Watch
from tests import cast

pytestmark = pytest.mark.django_db


def wanted(subject: str, stage: str = "U", target: str = "") -> Artefact:
    return Artefact.objects.create(
        subject_kind="datapoint", subject=subject, stage=stage, target=target, params={"source": "a"}, params_hash="0"
    )


def states() -> list[tuple[str, str, str]]:
    return list(Artefact.objects.order_by("subject", "stage").values_list("subject", "stage", "state"))


def compute_all(jobs: Sequence[engine.Job], tick: engine.Tick) -> Iterator[tuple[int, Computed | Exception]]:
    for number, job in enumerate(jobs):
        if job.subject == "val:gone":
            raise ValueError("cow.png is truncated")
        is_broken = job.subject == "val:broken" and job.stage == "C"
        yield number, TypeError("no second derivative") if is_broken else Computed({"stage": job.stage})


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
def test_one_stage_that_fails_keeps_its_reason_and_its_neighbours_go_on() -> None:
    wanted("val:broken", stage="C")
    wanted("val:broken", stage="U")
    wanted("val:fine")
    assert worker.work_until_idle() == 2
    assert states() == [("val:broken", "C", "failed"), ("val:broken", "U", "ready"), ("val:fine", "U", "ready")]
    assert Artefact.objects.get(state="failed").reason == "TypeError: no second derivative"


@pytest.mark.usefixtures("computing")
def test_a_datapoint_that_cannot_be_read_is_the_reason_of_all_its_rows() -> None:
    wanted("val:gone", stage="C")
    wanted("val:gone", stage="U")
    wanted("val:here")
    assert worker.work_until_idle() == 1
    assert states() == [("val:gone", "C", "failed"), ("val:gone", "U", "failed"), ("val:here", "U", "ready")]
    assert set(Artefact.objects.filter(state="failed").values_list("reason", flat=True)) == {
        "ValueError: cow.png is truncated"
    }


@pytest.mark.usefixtures("computing")
def test_work_for_one_version_stays_with_it_when_rows_are_shared() -> None:
    mine, other = two_versions()
    shared, own, strange = wanted("val:1"), wanted("val:2"), wanted("val:3")
    mine.artefacts.add(shared, own)
    other.artefacts.add(shared, strange)
    assert worker.work_until_idle(version=mine) == 2
    assert states() == [("val:1", "U", "ready"), ("val:2", "U", "ready"), ("val:3", "U", "wanted")]


@pytest.mark.usefixtures("computing")
def test_a_worker_goes_on_from_one_study_to_the_next() -> None:
    for version, subject in zip(two_versions(), ("val:1", "val:2"), strict=True):
        version.artefacts.add(wanted(subject))
    assert worker.work_until_idle() == 2


@pytest.mark.usefixtures("computing")
def test_a_group_that_is_given_up_does_not_keep_the_next_one_waiting() -> None:
    poisoned = wanted("val:1")
    Artefact.objects.filter(pk=poisoned.pk).update(attempts=3)
    wanted("val:2")
    assert worker.work_until_idle() == 1
    assert states() == [("val:1", "U", "failed"), ("val:2", "U", "ready")]


def two_versions() -> list[StudyVersion]:
    text = cast.STUDY_FILE
    files = (text, text.replace("study: scenes", "study: other"))
    return [study_create(config=config.read(file), owner=None) for file in files]


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
    asked = iter((False, False, True))  # before the desk's jobs and before the next group too
    assert worker.work_until_idle(watch=Watch(stop=lambda: next(asked))) == 1


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


@pytest.mark.usefixtures("computing")
def test_a_busy_database_while_renewing_does_not_fail_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(**arguments: object) -> None:
        raise OperationalError("database is locked")

    def slow(jobs: Sequence[engine.Job], tick: engine.Tick) -> Iterator[tuple[int, Computed]]:
        tick(1, 1)
        yield 0, Computed({})

    monkeypatch.setattr(worker, "lease_renew", busy)
    monkeypatch.setattr(engine, "compute", slow)
    wanted("val:1")
    assert worker.work_until_idle() == 1

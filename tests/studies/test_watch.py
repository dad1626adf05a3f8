"""Watching over work: long rows pause and go on, a hung one is not kept alive, and a worker shows that it lives."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from django.db import OperationalError
from pytest_django import Settings

from studies import artefact_storage, engine, heartbeat, linter, reconciler, watch, worker
from studies.computed import Computed, Tick
from studies.models import Artefact, Study
from studies.processes import Processes, yield_to_others
from studies.services.desk_jobs import desk_job_request
from studies.tasks import desk_task
from studies.watch import Paused, Watch, patiently
from tests import cast
from tests.studies.test_worker import states, wanted


@pytest.mark.django_db
def test_a_long_row_pauses_when_its_time_is_up_and_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    chunks: list[int] = []

    def predict(jobs: Sequence[engine.Job], tick: engine.Tick) -> Iterator[tuple[int, Computed]]:
        tick(len(chunks), 3)
        while len(chunks) < 3:
            chunks.append(len(chunks))
            tick(len(chunks), 3)
        yield 0, Computed({})

    monkeypatch.setattr(engine, "compute", predict)
    wanted("val:1")
    # Each turn gets one chunk further, however short its time is.
    for done in (1, 2):
        assert worker.work_until_idle(watch=OverAfterLeasing()) == 0
        row = Artefact.objects.get()
        assert (len(chunks), row.state, row.attempts, row.owner) == (done, "wanted", 0, "")
    assert worker.work_until_idle() == 1
    assert chunks == [0, 1, 2]


class OverAfterLeasing(Watch):
    """A stretch whose time is up once a group is leased."""

    asked = 0

    def is_over(self) -> bool:
        self.asked += 1
        return self.asked > 2


@pytest.mark.django_db
def test_at_shutdown_the_rest_of_a_group_is_handed_back_uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    stopping: list[bool] = []

    def compute(jobs: Sequence[engine.Job], tick: engine.Tick) -> Iterator[tuple[int, Computed]]:
        for number, _ in enumerate(jobs):
            stopping.append(True)
            yield number, Computed({})

    monkeypatch.setattr(engine, "compute", compute)
    wanted("val:1", stage="C")
    wanted("val:1", stage="U")
    assert worker.work_until_idle(watch=Watch(stop=lambda: bool(stopping))) == 1
    assert states() == [("val:1", "C", "ready"), ("val:1", "U", "wanted")]
    assert Artefact.objects.get(stage="U").attempts == 0


def test_a_pause_passes_what_catches_errors() -> None:
    assert not issubclass(Paused, Exception)


def test_work_that_hangs_is_not_kept_alive_for_ever(settings: Settings) -> None:
    settings.LEASE_SECONDS, settings.HANG_SECONDS = 0.03, 0.2
    renewed: list[float] = []
    started = time.monotonic()
    with Watch().kept_alive(lambda: renewed.append(time.monotonic() - started)):
        while time.monotonic() - started < 0.6:
            time.sleep(0.05)
    assert renewed
    assert max(renewed) < 0.4


def test_a_write_waits_for_a_database_that_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter((OperationalError("the database system is starting up"), None))

    def write() -> str:
        if problem := next(answers):
            raise problem
        return "written"

    monkeypatch.setattr(watch.connection, "close", lambda: None)
    assert patiently(write) == "written"


@pytest.mark.django_db
def test_inside_a_transaction_nothing_is_tried_again() -> None:
    def write() -> None:
        raise OperationalError("away")

    with pytest.raises(OperationalError):
        patiently(write)


@pytest.fixture
def living() -> Iterator[None]:
    heartbeat.start()
    yield
    heartbeat.end()
    heartbeat._stopping = None


@pytest.mark.usefixtures("living")
def test_the_wish_to_stop_reaches_a_child_of_the_pool() -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - the child ends here
        while not heartbeat.is_stopping():
            time.sleep(0.01)
        os.write(write, b"stopped")
        os._exit(0)
    assert not heartbeat.is_stopping()
    heartbeat.stop()
    assert os.read(read, 7) == b"stopped"
    os.waitpid(child, 0)


@pytest.mark.usefixtures("living")
def test_files_of_workers_that_are_gone_do_not_stay() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    heartbeat.path_of(ended.pid).touch()
    foreign = heartbeat.path_of(1).with_name(".nfs0001")  # a file system's own
    foreign.touch()
    heartbeat.start()
    assert {path.name for path in foreign.parent.iterdir()} == {str(os.getpid()), foreign.name}


@pytest.mark.django_db
@pytest.mark.usefixtures("living")
def test_a_worker_stopped_in_the_middle_of_a_check_hands_it_back_and_its_task_ends_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def check(config: object, *, base: object, progress: Tick) -> list[object]:
        heartbeat.stop()
        progress(1, 3)
        raise AssertionError("it went on")

    monkeypatch.setattr(linter, "check", check)
    job = desk_job_request(version=cast.study(state=Study.State.DRAFT).version, kind="check")
    desk_task()
    job.refresh_from_db()
    assert (job.state, job.attempts, job.owner) == ("wanted", 0, "")


def test_a_worker_that_hangs_is_replaced_and_a_living_one_is_not(settings: Settings, tmp_path: Path) -> None:
    processes, sleeper = Processes(0), [sys.executable, "-c", "import time; time.sleep(60)"]
    started: list[int] = []
    web, hung = subprocess.Popen(sleeper), subprocess.Popen(sleeper)
    try:
        processes._children = {"web": web, "worker": hung}
        processes.start_worker = lambda: started.append(1)  # type: ignore[method-assign]
        processes.check()  # no sign of life yet: it is starting
        beat = heartbeat.path_of(hung.pid)
        beat.parent.mkdir(parents=True)
        beat.touch()
        processes.check()
        assert (started, hung.poll()) == ([], None)
        long_ago = time.time() - settings.HANG_SECONDS - 5
        os.utime(beat, (long_ago, long_ago))
        processes.check()
        assert (started, hung.poll()) == ([1], -9)
        assert not beat.exists()
    finally:
        for process in (web, hung):
            process.kill()
            process.wait()


@pytest.mark.django_db
def test_the_reconciler_rings_only_for_queues_that_its_worker_serves(rung: list[str]) -> None:
    from studyapp import celery_app

    wanted("val:1")
    reconciler.look(celery_app, {"live"})
    assert rung == []
    reconciler.look(celery_app, {"cpu", "live"})
    assert rung == ["studies.tasks.work_task"]


@pytest.mark.django_db
def test_the_reconciler_rings_also_where_half_written_files_cannot_be_swept(
    rung: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from studyapp import celery_app

    def sweep() -> None:
        raise PermissionError("the folder is somebody else's")

    wanted("val:1")
    monkeypatch.setattr(artefact_storage, "sweep", sweep)
    with pytest.raises(PermissionError):
        reconciler.look(celery_app, {"cpu"})
    assert rung == ["studies.tasks.work_task"]


def test_the_reconciler_outlives_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.RECONCILE_SECONDS = 0.01
    looked: list[int] = []

    def away(*arguments: object) -> None:
        looked.append(1)
        raise OperationalError("away")

    monkeypatch.setattr(reconciler, "look", away)
    reconciler._asleep.clear()
    thread = threading.Thread(target=reconciler._reconcile, args=(None, ()), daemon=True)
    thread.start()
    while len(looked) < 3:
        time.sleep(0.01)
    assert thread.is_alive()
    reconciler._asleep.set()
    thread.join()


def test_a_worker_yields_to_pages_of_other_sessions_too() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        yield_to_others(sleeper.pid, 10)
        assert os.getpriority(os.PRIO_PROCESS, sleeper.pid) == 10
        group = Path(f"/proc/{sleeper.pid}/autogroup")
        if group.exists():  # Linux with that setting only
            assert group.read_text().split()[-1] == "10"
    finally:
        sleeper.kill()
        sleeper.wait()

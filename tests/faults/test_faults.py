"""Each fault once, on private services: nothing lost, doubled, wrong or left behind. `make faults` repeats them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.catalogue import EMBEDDED, FAULTS
from tests.faults.outcome import of_artefacts
from tests.faults.person import person_at
from tests.faults.private import children
from tests.faults.rounds import templates
from tests.faults.table import Row
from tests.faults.template import Templates
from tests.faults.web_faults import of_answers
from tests.faults.worker_faults import has_begun

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def prepared() -> Iterator[Templates]:
    with templates() as made:
        yield made


@pytest.mark.parametrize("name", FAULTS)
def test_after_this_fault_nothing_is_lost_doubled_wrong_or_left_behind(name: str, prepared: Templates) -> None:
    fault = FAULTS[name]
    if fault.ground != EMBEDDED and prepared.postgres is None:
        pytest.skip("PostgreSQL and Redis are not installed: their faults need servers of their own")
    outcome = fault.run(prepared)
    assert Row(fault, [outcome]).is_clean, outcome
    if name.startswith(("child", "worker", "two")):
        # One worker process: at most one group was in its hands.
        assert outcome.groups is not None
        assert outcome.groups <= 1


@pytest.mark.parametrize("production", [False, True])
def test_a_second_publication_is_counted_whenever_it_happens(production: bool, prepared: Templates) -> None:
    if production and prepared.postgres is None:
        pytest.skip("PostgreSQL is not installed")
    there = prepared.half(production=production)
    try:
        first = "(SELECT min(id) FROM studies_artefact WHERE state = 'ready')"
        there.change(f"UPDATE studies_artefact SET published = CURRENT_TIMESTAMP WHERE id = {first}")  # noqa: S608
        outcome = of_artefacts(there, prepared.reference, 0)
        assert (outcome.published, outcome.groups) == (1, 1)
    finally:
        prepared.forget(there)


def test_an_answer_that_is_stored_otherwise_than_it_was_sent_counts_as_lost(prepared: Templates) -> None:
    there = prepared.whole()
    try:
        there.start_web()
        person = person_at(there)
        person.answer_all()
        assert of_answers(there, [person], 0).answers_lost == 0
        person.acknowledged[0] = "another"
        assert of_answers(there, [person], 0).answers_lost == 1
    finally:
        prepared.forget(there)


def test_torch_is_loaded_in_the_child_of_a_pool_only(prepared: Templates) -> None:
    there = prepared.half()
    try:
        worker = there.start_worker("prefork")
        there.wait_until(lambda: any(has_torch(child) for child in children(worker.pid)))
        assert [has_torch(child) for child in children(worker.pid)].count(True) == 1
        assert has_torch(worker.pid) is False
    finally:
        prepared.forget(there)


@pytest.mark.parametrize("pool", ["solo", "prefork"])
def test_a_worker_that_is_asked_to_stop_hands_its_work_back(pool: str, prepared: Templates) -> None:
    there = prepared.half()
    try:
        is_under_way = has_begun(there)
        worker = there.start_worker(pool)
        there.wait_until(is_under_way)
        worker.terminate()
        worker.wait(timeout=60)
        assert there.ready() < len(prepared.reference)
        assert there.count("studies_artefact WHERE state = 'leased' OR (state = 'wanted' AND attempts > 0)") == 0
        assert list((there.folder / "heartbeats").iterdir()) == []
    finally:
        prepared.forget(there)


def has_torch(pid: int) -> bool:
    """Whether torch's library is loaded in a process."""
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text()

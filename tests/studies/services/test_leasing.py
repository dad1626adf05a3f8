"""The life of artefact rows: one owner at a time, fenced publication, nothing lost when a worker dies."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from studies import artefact_files
from studies.computed import Computed
from studies.models import Artefact
from studies.services.holding import MAX_ATTEMPTS, new_owner
from studies.services.leasing import (
    artefact_fail,
    artefact_publish,
    artefacts_retry,
    due_rows,
    lease_due,
    lease_renew,
    leases_release,
)
from tests import cast

pytestmark = pytest.mark.django_db
RESULT = Computed({"value": 1}, {"image": (cast.png("cow"), "image/png")}, seconds=0.5, forwards=3)


def row(subject: str = "val:1", stage: str = "U", target: str = "logit:1", source: str = "a") -> Artefact:
    return Artefact.objects.create(
        subject_kind="datapoint",
        subject=subject,
        stage=stage,
        target=target,
        params={"source": source},
        params_hash=f"{source:0<64}",
    )


def dead_owner() -> str:
    """The name of a process of this machine that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host = new_owner().split(":")[0]
    return f"{host}:{ended.pid}:0"


def test_rows_of_one_datapoint_are_leased_together() -> None:
    together = [row(), row(stage="Rl", target="feature:3")]
    row(subject="val:2")
    row(source="b", stage="C")
    assert {r.pk for r in lease_due(owner="me")} == {r.pk for r in together}


def test_a_leased_row_is_not_due_for_anybody_else() -> None:
    row()
    assert lease_due(owner="first")
    assert lease_due(owner="second") == []


def test_publishing_stores_files_under_their_hash_and_makes_the_row_ready() -> None:
    row()
    (leased,) = lease_due(owner="me")
    assert artefact_publish(row=leased, owner="me", computed=RESULT)
    ready = Artefact.objects.get()
    assert (ready.state, ready.numbers, ready.forwards) == ("ready", {"value": 1}, 3)
    assert len(ready.sha256) == 64
    assert artefact_files.load(ready.files["image"]) == cast.png("cow")


def test_a_worker_whose_lease_was_taken_over_cannot_publish() -> None:
    row()
    (slow,) = lease_due(owner="slow")
    Artefact.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    (quick,) = lease_due(owner="quick")
    assert not artefact_publish(row=slow, owner="slow", computed=RESULT)
    assert Artefact.objects.get().state == "leased"
    assert artefact_publish(row=quick, owner="quick", computed=RESULT)
    assert not artefact_publish(row=slow, owner="slow", computed=Computed({"value": 2}))
    assert Artefact.objects.get().numbers == {"value": 1}


def test_a_renewed_lease_does_not_run_out() -> None:
    row()
    (leased,) = lease_due(owner="me")
    Artefact.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    lease_renew(rows=[leased], owner="me", done=5, total=9)
    assert not due_rows().exists()
    assert (Artefact.objects.get().done, Artefact.objects.get().total) == (5, 9)


def test_the_leases_of_a_process_that_is_gone_are_due_at_once() -> None:
    row()
    lease_due(owner=dead_owner())
    assert due_rows().count() == 1


def test_the_leases_of_a_living_process_are_not() -> None:
    row()
    lease_due(owner=f"{new_owner().split(':')[0]}:{os.getpid()}:0")
    assert not due_rows().exists()


def test_an_interruption_hands_leases_back_uncounted() -> None:
    row()
    lease_due(owner="me")
    leases_release(owner="me")
    back = Artefact.objects.get()
    assert (back.state, back.attempts, back.owner) == ("wanted", 0, "")


def test_a_row_that_kills_its_workers_is_given_up_with_a_reason() -> None:
    row()
    for _ in range(MAX_ATTEMPTS):
        assert lease_due(owner="me")
        Artefact.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert lease_due(owner="me") == []
    given_up = Artefact.objects.get()
    assert given_up.state == "failed"
    assert "3 attempts" in given_up.reason


def test_a_failed_row_keeps_its_reason_until_it_is_wanted_again() -> None:
    row()
    (leased,) = lease_due(owner="me")
    artefact_fail(row=leased, owner="me", reason="BadData: cow.png is truncated")
    assert Artefact.objects.get().reason == "BadData: cow.png is truncated"
    assert artefacts_retry(rows=Artefact.objects.all()) == 1
    assert lease_due(owner="me")


def test_a_damaged_file_is_never_handed_out() -> None:
    row()
    (leased,) = lease_due(owner="me")
    artefact_publish(row=leased, owner="me", computed=RESULT)
    entry = Artefact.objects.get().files["image"]
    from django.core.files.storage import default_storage

    path = default_storage.path(f"artefacts/{entry['sha256'][:2]}/{entry['sha256']}.png")
    with open(path, "r+b") as file:
        file.write(b"P")
    with pytest.raises(artefact_files.CorruptArtefact):
        artefact_files.load(entry)

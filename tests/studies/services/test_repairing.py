"""Files that are damaged or gone: set aside, computed again under the same hash, and nothing else changes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from studies import artefact_files, pages
from studies.artefact_storage import ArtefactStorage, sweep
from studies.computed import Computed
from studies.models import Artefact, Study
from studies.services.freezing import plan_sha256
from studies.services.leasing import artefact_publish, lease_due
from studies.services.repairing import file_repair
from tests import cast
from tests.cast import Annotator
from tests.studies.services.test_leasing import RESULT, dead_owner, row

pytestmark = pytest.mark.django_db


def path_of(entry: dict[str, Any]) -> Path:
    return Path(settings.MEDIA_ROOT, "artefacts", entry["sha256"][:2], f"{entry['sha256']}.png")


def published() -> dict[str, Any]:
    row()
    (leased,) = lease_due(owner="me")
    artefact_publish(row=leased, owner="me", computed=RESULT)
    entry: dict[str, Any] = Artefact.objects.get().files["image"]
    return entry


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


@pytest.mark.parametrize("damage", [truncate, flip, Path.unlink])
def test_a_bad_file_is_set_aside_and_computed_again_under_the_same_hash(damage: Any) -> None:
    entry = published()
    before = Artefact.objects.get()
    damage(path_of(entry))
    with pytest.raises(artefact_files.CorruptArtefact):
        artefact_files.load(entry)
    assert file_repair(entry=entry, reason="damaged") == 1
    assert not path_of(entry).exists()
    assert len(list(Path(settings.MEDIA_ROOT).glob("quarantine/*"))) == (damage is not Path.unlink)
    (again,) = lease_due(owner="me")
    artefact_publish(row=again, owner="me", computed=RESULT)
    after = Artefact.objects.get()
    assert (after.state, after.sha256, after.files) == ("ready", before.sha256, before.files)
    assert artefact_files.load(entry) == cast.png("cow")


def test_every_row_that_refers_to_the_file_is_wanted_once(
    rung: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    entry = published()
    row(target="logit:2")
    (other,) = lease_due(owner="me")
    artefact_publish(row=other, owner="me", computed=RESULT)
    row(target="logit:3")
    (stranger,) = lease_due(owner="me")
    artefact_publish(row=stranger, owner="me", computed=Computed({}))
    path_of(entry).unlink()
    with django_capture_on_commit_callbacks(execute=True):
        assert file_repair(entry=entry, reason="missing") == 2
        assert file_repair(entry=entry, reason="missing") == 0
    assert rung == ["studies.tasks.work_task"]
    assert list(Artefact.objects.order_by("pk").values_list("state", flat=True)) == ["wanted", "wanted", "ready"]


def test_the_plan_still_matches_and_the_page_comes_back_when_a_file_was_computed_again(
    scenes: Study, ann: Annotator
) -> None:
    plan = plan_sha256(scenes.version)
    sheet = cast.sheet_at_items(scenes, "U")
    ann.sit_at(sheet)
    shown = pages.item(sheet, 0)
    assert shown.datapoint.picture is not None
    address = shown.datapoint.picture.base
    entry = pages.media(sheet, address.removeprefix("/m/"))
    assert entry is not None
    picture = path_of(entry).read_bytes()
    path_of(entry).unlink()
    assert ann.client.get(address).status_code == 404
    assert Artefact.objects.filter(state="wanted").exists()
    assert plan_sha256(scenes.version) == plan
    (again,) = Artefact.objects.filter(state="wanted")
    Artefact.objects.filter(pk=again.pk).update(state="leased", owner="me")
    artefact_publish(row=again, owner="me", computed=Computed(again.numbers or {}, {"image": (picture, "image/png")}))
    assert pages.item(sheet, 0) == shown
    assert ann.client.get(address).content == picture


def test_storing_over_a_torn_file_replaces_it() -> None:
    entry = published()
    truncate(path_of(entry))
    assert artefact_files.store(cast.png("cow"), "image/png") == entry
    assert artefact_files.load(entry) == cast.png("cow")


def test_a_full_disk_leaves_neither_a_file_nor_a_part_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("studies.artefact_storage.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        artefact_files.store(cast.png("cow"), "image/png")
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_half_written_files_of_processes_that_are_gone_are_swept_away() -> None:
    parts = ArtefactStorage().parts
    parts.mkdir(parents=True)
    host, pid, _ = dead_owner().split(":")
    (parts / f"{host}:{pid}:a").touch()
    (parts / f"{host}:{os.getpid()}:b").touch()
    (parts / "elsewhere:1:c").touch()
    for name in (".nfs0001", ".DS_Store", f"{host}:none:d"):  # a file system's or somebody's own
        (parts / name).touch()
    sweep()
    left = {f"{host}:{os.getpid()}:b", "elsewhere:1:c", ".nfs0001", ".DS_Store", f"{host}:none:d"}
    assert {path.name for path in parts.iterdir()} == left

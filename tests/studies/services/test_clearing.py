"""Exports and stored reports hold everybody's answers: they go with a withdrawal, the study and newer ones."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from studies import artefact_files, desk_work
from studies.models import Artefact, DeskJob, StoredReport, Study, StudyVersion
from studies.services.authoring import study_delete
from studies.services.clearing import outcomes_clear
from studies.services.desk_jobs import desk_job_lease, desk_job_name_file, desk_job_request
from studies.services.withdrawing import sheet_withdraw
from tests import cast

pytestmark = pytest.mark.django_db
ZIP = "application/zip"
Build = Callable[[StudyVersion], tuple[bytes, str]]
Committed = Callable[..., Any]


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Committed:
    """A block after which what waits for the commit is done."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> Callable[[Build], None]:
    """Set how an export is built."""
    archive = ModuleType("studies.reports.archive")
    monkeypatch.setitem(sys.modules, "studies.reports.archive", archive)

    def replace(build: Build) -> None:
        archive.build_export = build  # type: ignore[attr-defined]

    return replace


def exported(version: StudyVersion, content: bytes, key: str = "") -> DeskJob:
    """A finished export of these bytes."""
    return DeskJob.objects.create(
        version=version, kind="export", key=key, state="done", result=artefact_files.store(content, ZIP)
    )


def lies_there(content: bytes) -> bool:
    return artefact_files.is_there(artefact_files.entry_of(content, ZIP))


@pytest.fixture
def second() -> Study:
    return cast.study(text=cast.renamed("second"))


def test_a_withdrawal_deletes_the_studys_exports_with_their_files_and_its_stored_reports(
    scenes: Study, second: Study, committed: Committed
) -> None:
    sheet = cast.sheet_at_items(scenes, "U")
    for version in (scenes.version, second.version):
        exported(version, version.study.slug.encode())
        StoredReport.objects.create(version=version, data_sha256="a", body={})
    with committed():
        sheet_withdraw(sheet=sheet)
    assert (lies_there(b"scenes"), lies_there(b"second")) == (False, True)
    assert DeskJob.objects.get().version == StoredReport.objects.get().version == second.version


def test_an_export_that_was_asked_for_before_a_withdrawal_is_committed_goes_too(
    scenes: Study, committed: Committed
) -> None:
    sheet = cast.sheet_at_items(scenes, "U")
    with committed():
        sheet_withdraw(sheet=sheet)
        exported(scenes.version, b"as they were")
    assert not lies_there(b"as they were")
    assert not DeskJob.objects.exists()


def test_a_check_stays_when_somebody_withdraws(scenes: Study, committed: Committed) -> None:
    check = desk_job_request(version=scenes.version, kind="check")
    with committed():
        sheet_withdraw(sheet=cast.sheet_at_items(scenes, "U"))
    assert DeskJob.objects.get() == check


def test_deleting_a_study_deletes_the_files_of_its_exports(scenes: Study, second: Study, committed: Committed) -> None:
    exported(scenes.version, b"first")
    exported(second.version, b"other")
    with committed():
        study_delete(study=scenes)
    assert (lies_there(b"first"), lies_there(b"other")) == (False, True)


def test_a_file_that_another_row_names_stays(scenes: Study, second: Study, committed: Committed) -> None:
    exported(scenes.version, b"shared")
    exported(second.version, b"shared")
    job = exported(scenes.version, b"an artefact's", key="b")
    row = Artefact.objects.filter(versions=scenes.version).first()
    assert row is not None
    Artefact.objects.filter(pk=row.pk).update(files={"all": job.result})
    with committed():
        outcomes_clear(study=scenes)
    assert (lies_there(b"shared"), lies_there(b"an artefact's")) == (True, True)


def test_an_export_that_was_set_aside_as_damaged_is_deleted_there_too(scenes: Study, committed: Committed) -> None:
    job = exported(scenes.version, b"damaged")
    artefact_files.set_aside(job.result)
    aside = f"quarantine/{job.result['sha256']}.zip"
    assert default_storage.exists(aside)
    with committed():
        outcomes_clear(study=scenes)
    assert not default_storage.exists(aside)


def test_a_finished_export_takes_the_place_of_the_studys_older_ones(
    scenes: Study, second: Study, builds: Callable[[Build], None], committed: Committed
) -> None:
    exported(scenes.version, b"older", key="a")
    exported(second.version, b"another's")
    builds(lambda version: (b"newer", ZIP))
    job = desk_job_request(version=scenes.version, kind="export", key="b")
    with committed():
        desk_work.desk_work()
    assert scenes.version.desk_jobs.get() == job
    assert [lies_there(content) for content in (b"older", b"newer", b"another's")] == [False, True, True]


def test_an_export_that_somebody_withdraws_from_while_it_is_built_leaves_nothing(
    scenes: Study, builds: Callable[[Build], None], committed: Committed
) -> None:
    sheet = cast.sheet_at_items(scenes, "U")

    def build(version: StudyVersion) -> tuple[bytes, str]:
        sheet_withdraw(sheet=sheet)
        return b"read before", ZIP

    builds(build)
    desk_job_request(version=scenes.version, kind="export", key="a")
    with committed():
        assert desk_work.desk_work() == 1
    assert not DeskJob.objects.exists()
    assert not lies_there(b"read before")


def test_a_study_that_is_deleted_while_its_export_is_written_leaves_no_file(
    scenes: Study, builds: Callable[[Build], None], committed: Committed, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = artefact_files.store

    def store_late(content: bytes, media_type: str) -> dict[str, Any]:
        study_delete(study=scenes)
        return store(content, media_type)

    builds(lambda version: (b"too late", ZIP))
    desk_job_request(version=scenes.version, kind="export", key="a")
    monkeypatch.setattr(artefact_files, "store", store_late)
    with committed():
        assert desk_work.desk_work() == 1
    assert not Study.objects.exists()
    assert not lies_there(b"too late")


def test_a_file_whose_worker_was_killed_right_after_writing_it_goes_with_the_row(
    scenes: Study, committed: Committed
) -> None:
    written(scenes, b"written")
    with committed():
        outcomes_clear(study=scenes)
    assert not lies_there(b"written")


def test_another_workers_file_takes_the_place_of_the_killed_ones(
    scenes: Study, builds: Callable[[Build], None], committed: Committed
) -> None:
    written(scenes, b"written")
    DeskJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    builds(lambda version: (b"written anew", ZIP))
    with committed():
        desk_work.desk_work()
    assert (lies_there(b"written"), lies_there(b"written anew")) == (False, True)


def test_an_export_that_was_given_up_and_is_asked_for_again_leaves_no_file(scenes: Study, committed: Committed) -> None:
    job = written(scenes, b"written")
    DeskJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1), attempts=3)
    assert desk_job_lease(owner="other") is None
    with committed():
        desk_job_request(version=scenes.version, kind="export", key=job.key)
    assert not lies_there(b"written")


def written(study: Study, content: bytes) -> DeskJob:
    """An export whose worker stops between writing the file and finishing."""
    desk_job_request(version=study.version, kind="export", key="a")
    job = desk_job_lease(owner="killed")
    assert job is not None
    assert desk_job_name_file(job=job, owner="killed", entry=artefact_files.entry_of(content, ZIP))
    artefact_files.store(content, ZIP)
    return job

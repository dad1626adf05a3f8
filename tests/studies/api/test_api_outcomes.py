"""Outcomes by script: not before unblinding, unless peeked at, which is logged."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.http import http_date

from studies import artefact_files
from studies.models import AuditEntry, DeskJob, Study
from studies.reports import build
from studies.reports.archive_rules import export_key
from studies.reports.build import report_store
from studies.services.desk_jobs import desk_job_request
from tests import cast
from tests.studies.api.test_api_studies import with_token

pytestmark = pytest.mark.django_db
REPORT, EXPORT = "/api/v1/studies/scenes/report/", "/api/v1/studies/scenes/export/"


@pytest.fixture
def script(scenes: Study) -> Client:
    """Rosa's script; her study has people's answers."""
    cast.sheet_at_items(scenes, "U")
    assert scenes.owner is not None
    return with_token(scenes.owner)


def test_a_report_before_unblinding_is_refused_with_its_sentence(script: Client) -> None:
    refused = script.get(REPORT)
    assert refused.status_code == 403
    assert "shown after unblinding" in refused.json()["detail"]
    assert script.get(f"{REPORT}?peek=true").status_code == 403
    assert not AuditEntry.objects.exists()


def test_a_peek_is_logged_and_good_for_fifteen_minutes(script: Client, scenes: Study) -> None:
    until = script.post(f"{REPORT}peek/").json()["until"]
    assert until > timezone.now().isoformat()
    assert script.get(REPORT).status_code == 202
    report_store(version_pk=scenes.version.pk)
    found = script.get(REPORT).json()
    assert (found["study"], len(found["conditions"])) == ("scenes", 5)
    assert [entry.act for entry in scenes.audit.all()] == ["peek"]


def test_an_old_peek_and_somebody_elses_open_nothing(script: Client, scenes: Study) -> None:
    old = timezone.now() - timedelta(minutes=16)
    AuditEntry.objects.create(study=scenes, number=1, act="peek", actor="rosa", at=old, sha256="0")
    AuditEntry.objects.create(study=scenes, number=2, act="peek", actor="sam", at=timezone.now(), sha256="0")
    assert script.get(REPORT).status_code == 403


def test_after_unblinding_the_report_is_open(script: Client, scenes: Study, rung: list[str]) -> None:
    Study.objects.update(state="unblinded")
    building = script.get(REPORT)
    assert (building.status_code, building["Retry-After"]) == (202, "3")
    report_store(version_pk=scenes.version.pk)
    assert script.get(REPORT).json()["simulated"] is False
    assert script.post(f"{REPORT}peek/").json() == {"until": None}


@pytest.mark.parametrize(
    ("form", "media_type", "ending", "first"),
    [
        ("csv", "text/csv", "csv", "condition,compared_with,statistic"),
        ("latex", "application/x-tex", "tex", "% scenes, version"),
        ("text", "text/plain", "txt", "What does the model answer? (scenes)"),
        ("json", "application/json", "json", "{"),
        ("html", "text/html", "html", "<!doctype html>"),
    ],
)
def test_the_report_comes_in_every_form(
    script: Client, scenes: Study, form: str, media_type: str, ending: str, first: str
) -> None:
    Study.objects.update(state="unblinded")
    assert script.get(f"{REPORT}{form}/").status_code == 202
    report_store(version_pk=scenes.version.pk)
    found = script.get(f"{REPORT}{form}/")
    assert found["Content-Type"] == f"{media_type}; charset=utf-8"
    assert found["Content-Disposition"] == f'attachment; filename="scenes-report.{ending}"'
    assert found.content.decode().startswith(first)


def test_a_form_is_refused_before_unblinding_and_an_unknown_one_does_not_exist(script: Client) -> None:
    assert script.get(f"{REPORT}csv/").status_code == 403
    Study.objects.update(state="unblinded")
    unknown = script.get(f"{REPORT}pdf/")
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "A report can be text, json, html, csv, latex.")


def test_an_export_is_asked_for_logged_and_fetched(script: Client, scenes: Study) -> None:
    Study.objects.update(state="unblinded")
    assert script.get(EXPORT).status_code == 404
    assert script.post(EXPORT).json()["state"] == "wanted"
    assert script.get(EXPORT).status_code == 202
    work()
    fetched = script.get(EXPORT)
    assert (fetched["Content-Type"], fetched["Content-Disposition"]) == (
        "application/zip",
        'attachment; filename="scenes.zip"',
    )
    assert "answers.csv" in zipfile.ZipFile(io.BytesIO(fetched.content)).namelist()
    (entry,) = scenes.audit.all()
    assert (entry.act, entry.actor) == ("export", "rosa")
    assert entry.details["sha256"] == hashlib.sha256(fetched.content).hexdigest()
    script.get(EXPORT)
    assert [entry.act for entry in scenes.audit.all()] == ["export"] * 2, "each time is logged"


def test_the_same_data_are_written_once_and_asking_is_no_peek(script: Client, scenes: Study) -> None:
    script.post(f"{REPORT}peek/")
    script.post(EXPORT)
    work()
    assert script.post(EXPORT).json()["state"] == "done"
    assert DeskJob.objects.count() == 1
    assert [entry.act for entry in scenes.audit.all()] == ["peek"]
    assert script.get(EXPORT)["Export-Is-Current"] == "true"


def test_an_export_that_was_asked_for_while_people_answer_can_be_fetched(script: Client, scenes: Study) -> None:
    script.post(f"{REPORT}peek/")
    script.post(EXPORT)
    cast.sheet_at_items(scenes, "U")
    assert script.post(EXPORT).json()["state"] == "wanted"
    assert DeskJob.objects.count() == 1, "the one that is under way is waited for"
    work()
    fetched = script.get(EXPORT)
    assert (fetched.status_code, fetched["Export-Is-Current"]) == (200, "false")
    built = DeskJob.objects.get().finished
    assert built is not None
    assert fetched["Last-Modified"] == http_date(built.timestamp())
    assert script.post(EXPORT).json()["state"] == "wanted"
    assert script.get(EXPORT).status_code == 202, "a newer one is under way"


def test_an_export_whose_file_is_gone_is_not_there(script: Client, scenes: Study) -> None:
    Study.objects.update(state="unblinded")
    script.post(EXPORT)
    work()
    artefact_files.set_aside(DeskJob.objects.get().result)
    gone = script.get(EXPORT)
    assert (gone.status_code, gone.json()["detail"]) == (
        404,
        "There is no export, or its file is gone: ask for it with POST.",
    )
    assert not scenes.audit.exists()
    script.post(EXPORT)
    work()
    assert script.get(EXPORT).status_code == 200


def test_an_export_that_failed_says_why(script: Client, scenes: Study) -> None:
    Study.objects.update(state="unblinded")
    script.post(EXPORT)
    DeskJob.objects.update(state="failed", reason="the disk is full")
    assert (script.get(EXPORT).status_code, script.get(EXPORT).json()["reasons"]) == (409, ["the disk is full"])
    assert script.post(EXPORT).json()["state"] == "wanted"


def test_a_report_that_failed_says_why_and_is_tried_again(
    script: Client,
    scenes: Study,
    monkeypatch: pytest.MonkeyPatch,
    rung: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    Study.objects.update(state="unblinded")
    with monkeypatch.context() as broken:
        broken.setattr(build, "methods_text", lambda *about: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            report_store(version_pk=scenes.version.pk)
    failed = script.get(REPORT)
    assert failed.status_code == 409
    assert "could not be built: ZeroDivisionError" in failed.json()["reasons"][0]
    with django_capture_on_commit_callbacks(execute=True):
        assert script.post(REPORT).status_code == 202
    assert rung == ["studies.tasks.report_task"]
    assert script.get(REPORT).status_code == 202


def test_a_peek_that_was_not_needed_opens_nothing_when_people_come(scenes: Study) -> None:
    assert scenes.owner is not None
    script = with_token(scenes.owner)
    assert script.post(f"{REPORT}peek/").json() == {"until": None}
    cast.sheet_at_items(scenes, "U")
    assert script.get(REPORT).status_code == 403


def test_an_export_before_unblinding_is_refused_also_when_the_file_lies_there(script: Client, scenes: Study) -> None:
    assert script.post(EXPORT).status_code == 403
    desk_job_request(version=scenes.version, kind=DeskJob.Kind.EXPORT, key=export_key(scenes.version))
    work()
    assert script.get(EXPORT).status_code == 403


def work() -> None:
    """What a worker would do now."""
    from studies.desk_work import desk_work

    assert desk_work() == 1

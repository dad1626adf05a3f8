"""Confirmations, people, log, deletion, password, and the downloads."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.contrib.auth.models import User
from django.utils.html import escape

from studies import artefact_files
from studies.desk_work import desk_work
from studies.models import AuditEntry, DeskJob, Sheet, Study, Withdrawal
from studies.reports.archive_rules import export_key
from studies.reports.build import report_store
from tests import cast
from tests.studies.reports.answers import make_sheet, make_version, right

pytestmark = pytest.mark.django_db
BASE = "/studies/shapes/"


@pytest.fixture
def version(db):
    """Rosa's study with two simulated sheets."""
    version = make_version(owner=cast.researcher())
    make_sheet(version, "U", right(8), kind="simulated")
    make_sheet(version, "U+Rl", right(13), kind="simulated")
    return version


@pytest.fixture
def rosa(client, version):
    """Rosa, logged in."""
    client.force_login(version.study.owner)
    return client


def test_closing_asks_first_and_says_what_happens_to_open_sheets(rosa, version):
    Study.objects.update(state="open")
    make_sheet(version, "U", "AA", step="item")
    page = rosa.get(f"{BASE}life/close/").content.decode()
    assert "0 of 6 wanted sheets are finished. 1 sheet is open." in page
    assert "close the arms instead" in page
    assert rosa.post(f"{BASE}life/", {"act": "close"}).url == f"{BASE}life/close/"
    assert Study.objects.get().state == "open"
    rosa.post(f"{BASE}life/", {"act": "close", "sure": "yes"})
    assert Study.objects.get().state == "closed"


def test_unblinding_asks_first(rosa, version):
    Study.objects.update(state="closed")
    assert "no longer blind" in rosa.get(f"{BASE}life/unblind/").content.decode()
    rosa.post(f"{BASE}life/", {"act": "unblind"})
    assert Study.objects.get().state == "closed"
    rosa.post(f"{BASE}life/", {"act": "unblind", "sure": "yes"})
    assert Study.objects.get().state == "unblinded"


def test_a_step_of_another_state_is_not_asked_for(rosa):
    page = rosa.get(f"{BASE}life/unblind/", follow=True).content.decode()
    assert "this step cannot be taken now" in page
    assert rosa.get(f"{BASE}life/burn/").status_code == 404


def test_coders_are_added_by_name_and_removed(rosa, version):
    User.objects.create_user("cora")
    assert (
        "no account called “nobody”"
        in rosa.post(f"{BASE}people/", {"act": "add", "name": "nobody"}, follow=True).content.decode()
    )
    assert (
        "cora may code" in rosa.post(f"{BASE}people/", {"act": "add", "name": " cora "}, follow=True).content.decode()
    )
    rosa.post(f"{BASE}people/", {"act": "remove", "name": "cora"})
    assert not version.study.memberships.exists()
    assert [entry.act for entry in version.study.audit.all()] == ["coder_add", "coder_remove"]
    assert rosa.post(f"{BASE}people/", {"act": "burn"}).status_code == 400


def test_the_log_is_shown_and_a_changed_entry_is_named(rosa, version):
    User.objects.create_user("cora")
    for act in ("add", "remove"):
        rosa.post(f"{BASE}people/", {"act": act, "name": "cora"})
    page = rosa.get(f"{BASE}audit/").content.decode()
    assert "The chain is whole" in page
    assert "added a coder" in page
    from studies import append_only

    append_only.lift()
    AuditEntry.objects.filter(number=1).update(actor="mallory")
    append_only.install()
    page = rosa.get(f"{BASE}audit/").content.decode()
    assert "The chain is broken" in page
    assert "at entry 1:" in page


def test_a_study_is_deleted_by_typing_its_name(rosa, version):
    response = rosa.post(f"{BASE}delete/", {"name": "shape"})
    assert response.status_code == 422
    assert "exactly" in response.content.decode()
    assert Study.objects.exists()
    page = rosa.post(f"{BASE}delete/", {"name": "shapes"}, follow=True).content.decode()
    assert "is deleted" in page
    assert not Study.objects.exists()
    assert not Sheet.objects.exists()


def test_where_peoples_answers_go_too_that_is_ticked_and_the_export_offered(rosa, version):
    make_sheet(version, "U", right(3))
    page = rosa.get(f"{BASE}delete/").content.decode()
    assert "1 sheet is from a person, with 21 stored answers" in page
    assert f'href="{BASE}export/"' in page
    assert rosa.post(f"{BASE}delete/", {"name": "shapes"}).status_code == 422
    assert Study.objects.exists()
    rosa.post(f"{BASE}delete/", {"name": "shapes", "sure": "yes"})
    assert not Study.objects.exists()


def test_the_password_is_changed_with_the_old_one(rosa):
    url = "/account/password/"
    new = "a very new password"
    wrong = rosa.post(url, {"old_password": "wrong", "new_password1": new, "new_password2": new})
    assert "entered incorrectly" in wrong.content.decode()
    short = {"old_password": "correct horse battery", "new_password1": "short", "new_password2": "short"}
    assert "too short" in rosa.post(url, short).content.decode()
    sent = {"old_password": "correct horse battery", "new_password1": new, "new_password2": new}
    assert "The password is changed" in rosa.post(url, sent, follow=True).content.decode()
    assert User.objects.get(username="rosa").check_password(new)


@pytest.mark.parametrize(("name", "ending"), [("text", "txt"), ("json", "json"), ("html", "html")])
def test_the_report_is_downloaded_as_a_file(rosa, version, name, ending):
    assert rosa.get(f"{BASE}report/file/{name}/").url == f"{BASE}report/"
    report_store(version_pk=version.pk)
    response = rosa.get(f"{BASE}report/file/{name}/")
    assert response["Content-Disposition"] == f'attachment; filename="shapes-report.{ending}"'
    assert "simulated" in response.content.decode().lower()
    if name == "json":
        assert json.loads(response.content)["study"] == "shapes"
    assert rosa.get(f"{BASE}report/file/pdf/").status_code == 404


def test_an_export_is_asked_for_built_by_a_worker_and_downloaded(rosa, version):
    assert "Have it built" in rosa.get(f"{BASE}export/").content.decode()
    rosa.post(f"{BASE}export/")
    waiting = rosa.get(f"{BASE}export/")
    assert (waiting["Refresh"], DeskJob.objects.get().key) == ("3", export_key(version))
    desk_work()
    assert "Built" in rosa.get(f"{BASE}export/").content.decode()
    assert not version.study.audit.exists()
    response = rosa.post(f"{BASE}export/file/")
    assert response["Content-Disposition"] == 'attachment; filename="shapes.zip"'
    assert "answers.csv" in zipfile.ZipFile(io.BytesIO(response.content)).namelist()
    assert [entry.act for entry in version.study.audit.all()] == ["export"]
    # Taking the data away does not make them other data.
    assert "Built" in rosa.get(f"{BASE}export/").content.decode()


def test_an_export_of_a_running_study_is_handed_out_and_says_that_data_have_come_in(rosa, version):
    rosa.post(f"{BASE}export/")
    make_sheet(version, "U", right(3), kind="simulated")
    rosa.post(f"{BASE}export/")
    assert DeskJob.objects.count() == 1, "the one that is under way is waited for"
    desk_work()
    page = rosa.get(f"{BASE}export/").content.decode()
    assert "Since it was asked for the data have changed" in page
    assert "Have it built anew" in page
    assert rosa.post(f"{BASE}export/file/")["Content-Type"] == "application/zip"
    rosa.post(f"{BASE}export/")
    page = rosa.get(f"{BASE}export/").content.decode()
    assert "A newer one is asked for" in page
    assert "Download" in page
    desk_work()
    page = rosa.get(f"{BASE}export/").content.decode()
    assert "It holds the present data" in page
    assert "Have it built" not in page


def test_an_export_whose_file_is_gone_is_built_again(rosa, version):
    rosa.post(f"{BASE}export/")
    desk_work()
    artefact_files.set_aside(DeskJob.objects.get().result)
    page = rosa.get(f"{BASE}export/").content.decode()
    assert "its file is missing" in page
    assert "Have it built" in page
    assert "have it built again" in rosa.post(f"{BASE}export/file/", follow=True).content.decode()
    assert not version.study.audit.exists(), "nothing was taken away"
    rosa.post(f"{BASE}export/")
    desk_work()
    assert rosa.post(f"{BASE}export/file/")["Content-Type"] == "application/zip"


def test_an_export_from_before_a_withdrawal_is_not_handed_out(rosa, version):
    sheet = make_sheet(version, "U", right(3))
    Study.objects.update(state="unblinded")
    rosa.post(f"{BASE}export/")
    desk_work()
    Withdrawal.objects.create(sheet=sheet)
    assert "Download" not in rosa.get(f"{BASE}export/").content.decode()
    assert rosa.post(f"{BASE}export/file/").status_code == 302


def test_a_failed_export_says_why(rosa, version):
    rosa.post(f"{BASE}export/")
    DeskJob.objects.update(state="failed", reason="the disk is full")
    assert "the disk is full" in rosa.get(f"{BASE}export/").content.decode()


@pytest.mark.parametrize("path", ["export/", "report/file/text/"])
def test_peoples_data_are_not_taken_away_before_unblinding(rosa, version, path):
    make_sheet(version, "U", right(11))
    Study.objects.update(state="open")
    report_store(version_pk=version.pk)
    assert rosa.get(f"{BASE}{path}").status_code == 403
    assert rosa.post(f"{BASE}export/").status_code == 403
    assert rosa.post(f"{BASE}export/file/").status_code == 403
    assert not DeskJob.objects.exists()
    assert rosa.post(f"{BASE}report/peek/", {"then": "study_export"}).url == f"{BASE}export/"
    assert rosa.get(f"{BASE}{path}").status_code != 403


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", "\u202eevil", "🙂 {{ study.secret }}"])
def test_a_hostile_title_is_text_on_every_page_that_shows_it(rosa, version, title):
    version.definition["title"] = title
    version.save()
    report_store(version_pk=version.pk)
    rosa.post(f"{BASE}links/", {"count": "1"})
    for path in ("/", BASE, f"{BASE}report/", f"{BASE}report/file/html/", f"{BASE}links/cards/"):
        page = rosa.get(path).content.decode()
        assert escape(title) in page, path
        assert "<script>alert" not in page, path

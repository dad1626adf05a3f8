"""The report page: gate, watermark, and that it only shows what a worker has built."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from studies.models import AuditEntry
from studies.reports import build, charts_scores
from studies.reports.build import report_store
from studies.reports.charts import as_rows, report_charts
from studies.reports.export import FORMATS
from studies.services.authoring import study_delete
from tests import cast
from tests.studies.reports.answers import make_sheet, make_version, right
from tests.studies.reports.report_values import HOSTILE, a_report

URL = "/studies/shapes/report/"
#: What only workers load
HEAVY = {"torch", "pandas", "numpy", "scipy", "krippendorff", "numba", "altair", "vl_convert"}


@pytest.fixture
def version(db):
    """Rosa's study with six simulated sheets."""
    version = make_version(owner=cast.researcher())
    for count in (8, 10, 13):
        make_sheet(version, "U", right(count), kind="simulated")
        make_sheet(version, "U+Rl", right(count + 5), kind="simulated")
    return version


@pytest.fixture
def rosa(client, version):
    """Rosa, logged in."""
    client.force_login(version.study.owner)
    return client


def test_a_report_that_is_not_built_yet_rings_a_worker_and_asks_again(
    rosa, version, rung, django_capture_on_commit_callbacks
):
    cache.clear()
    with django_capture_on_commit_callbacks(execute=True):
        response = rosa.get(URL)
    assert "being built" in response.content.decode()
    assert response["Refresh"] == "3"
    assert rung == ["studies.tasks.report_task"]


def test_a_stored_report_is_shown_with_its_figures_and_watermark(rosa, version):
    report_store(version_pk=version.pk)
    page = rosa.get(URL).content.decode()
    assert "SIMULATED: answers of simulated annotators" in page
    assert "0.517 ± 0.126" in page
    assert "The report is being built" not in page


def test_the_page_has_nothing_that_the_content_security_policy_forbids(rosa, version):
    report_store(version_pk=version.pk)
    page = rosa.get(URL).content.decode()
    assert "<svg" in page
    assert "style=" not in page
    assert "<style" not in page
    assert not re.search(r" on\w+=", page)
    # Scripts are files; what stands in the page are the charts' data, which no browser runs.
    assert all("src=" in tag or 'type="application/json"' in tag for tag in re.findall(r"<script[^>]*>", page))
    assert page.count('type="application/json"') == page.count("<figure")


def test_new_answers_make_a_stored_report_old(rosa, version):
    report_store(version_pk=version.pk)
    make_sheet(version, "U", right(20), kind="simulated")
    assert "being built" in rosa.get(URL).content.decode()


@pytest.mark.parametrize("state", ["open", "closed"])
def test_live_outcomes_are_refused_before_unblinding_even_when_stored(rosa, version, state):
    make_sheet(version, "U", right(11))
    version.study.state = state
    version.study.save()
    report_store(version_pk=version.pk)
    response = rosa.get(URL)
    assert response.status_code == 403
    assert "0.550" not in response.content.decode()


def test_a_peek_is_logged_and_then_shows_the_report(rosa, version):
    make_sheet(version, "U", right(11))
    assert rosa.post(URL + "peek/").url == URL
    assert [(e.act, e.actor) for e in AuditEntry.objects.all()] == [("peek", "rosa")]
    report_store(version_pk=version.pk)
    page = rosa.get(URL).content.decode()
    assert "0.550" in page
    assert "You are looking at outcomes before unblinding" in page
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(("minutes", "status"), [(14, 200), (16, 403)])
def test_a_peek_ends(rosa, version, minutes, status):
    make_sheet(version, "U", right(11))
    at = timezone.now() - timedelta(minutes=minutes)
    AuditEntry.objects.create(study=version.study, number=1, act="peek", actor="rosa", at=at, sha256="0")
    assert rosa.get(URL).status_code == status


def test_a_peek_is_of_one_account(rosa, version):
    make_sheet(version, "U", right(11))
    rosa.post(URL + "peek/")
    other = Client()
    other.force_login(User.objects.create_user("sam", is_staff=True))
    assert other.get(URL).status_code == 403


def test_a_peek_that_was_not_logged_opens_nothing_when_people_come(rosa, version):
    rosa.post(URL + "peek/")
    assert not AuditEntry.objects.exists(), "simulated outcomes need no peek"
    make_sheet(version, "U", right(11))
    assert rosa.get(URL).status_code == 403
    assert rosa.get("/studies/shapes/export/").status_code == 403


def test_a_peek_at_a_deleted_study_opens_no_other_study_of_its_name(rosa, version):
    make_sheet(version, "U", right(11))
    rosa.post(URL + "peek/")
    owner = version.study.owner
    study_delete(study=version.study)
    make_sheet(make_version(owner=owner), "U", right(11))
    assert rosa.get(URL).status_code == 403


def test_a_report_that_cannot_be_built_says_why_and_is_tried_again(rosa, version, rung, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(build, "methods_text", lambda *about: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            report_store(version_pk=version.pk)
    failed = rosa.get(URL)
    assert "The report could not be built" in failed.content.decode()
    assert "ZeroDivisionError: integer division or modulo by zero" in failed.content.decode()
    assert "Refresh" not in failed
    assert rosa.get(f"{URL}file/text/").url == URL
    assert rosa.post(URL).url == URL
    assert "being built" in rosa.get(URL).content.decode()
    report_store(version_pk=version.pk)
    assert "0.517" in rosa.get(URL).content.decode()


def test_a_report_is_shown_once_a_worker_could_build_it_after_all(rosa, version, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(build, "methods_text", lambda *about: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            report_store(version_pk=version.pk)
    report_store(version_pk=version.pk)
    assert "0.517" in rosa.get(URL).content.decode()


def test_a_database_that_is_away_is_no_failure_of_the_report(rosa, version, monkeypatch):
    def away(*about):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(build, "methods_text", away)
    with pytest.raises(OperationalError):
        report_store(version_pk=version.pk)
    assert "being built" in rosa.get(URL).content.decode()


def test_unblinded_outcomes_are_shown_without_watermark_or_peek(rosa, version):
    make_sheet(version, "U", right(11))
    version.study.state = "unblinded"
    version.study.save()
    report_store(version_pk=version.pk)
    page = rosa.get(URL).content.decode()
    assert "0.550" in page
    assert 'class="watermark"' not in page
    assert not AuditEntry.objects.exists()


def test_the_web_process_loads_no_numbers_library():
    code = f"import sys, studyapp.wsgi, studies.urls\nprint(sorted({HEAVY} & set(sys.modules)))"
    environment = {
        "PATH": "/usr/bin:/bin",
        "DJANGO_SETTINGS_MODULE": "studyapp.settings",
        "SECRET_KEY": "0123456789" * 5,
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        cwd=settings.BASE_DIR,
        env=environment,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_rendering_a_stored_report_loads_no_numbers_library(version):
    row = report_store(version_pk=version.pk)
    code = (
        "import json, sys, studyapp.wsgi\n"
        "from studies.reports.export import render\n"
        "from studies.reports.html import report_context\n"
        "from studies.reports.shape import Report\n"
        "from django.template.loader import render_to_string\n"
        "body, charts = json.load(sys.stdin)\n"
        "report = Report.model_validate(body)\n"
        "page = render_to_string('researcher/_report.html', report_context(report, charts))\n"
        "assert '0.517' in page and '<svg' in page\n"
        "assert '<svg' in render(report, 'html', charts)\n"
        f"print(sorted({HEAVY} & set(sys.modules)))"
    )
    environment = {
        "PATH": "/usr/bin:/bin",
        "DJANGO_SETTINGS_MODULE": "studyapp.settings",
        "SECRET_KEY": "0123456789" * 5,
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        input=json.dumps([row.body, row.charts]),
        capture_output=True,
        text=True,
        cwd=settings.BASE_DIR,
        env=environment,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_names_of_conditions_cannot_end_the_data_of_a_chart(rosa, version):
    row = report_store(version_pk=version.pk)
    row.charts = as_rows(report_charts(a_report(HOSTILE, annotators=2)))
    row.save()
    page = rosa.get(URL).content.decode()
    assert "<script>alert" not in page
    assert "</script>alert" not in page


def test_charts_that_failed_are_said_to_and_drawn_again(rosa, version, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(charts_scores, "alpha_chart", lambda report: 1 // 0)
        report_store(version_pk=version.pk)
    page = rosa.get(URL).content.decode()
    assert "The charts could not be drawn" in page
    assert "0.517 ± 0.126" in page
    assert rosa.post(URL).url == URL
    report_store(version_pk=version.pk)
    assert "<svg" in rosa.get(URL).content.decode()


def test_every_form_of_the_report_can_be_downloaded(rosa, version):
    report_store(version_pk=version.pk)
    links = re.findall(r'href="(/studies/shapes/report/file/[^"]+)"', rosa.get(URL).content.decode())
    assert {link.split("/")[-2] for link in links} == set(FORMATS)
    for link in links:
        assert rosa.get(link).status_code == 200, link

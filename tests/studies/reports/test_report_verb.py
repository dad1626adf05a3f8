"""`study report` and the page's downloads hand out every form."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from studies.models import StudyVersion
from studies.reports.build import report_store
from studies.reports.export import FILES, FORMATS
from tests.studies.reports.answers import make_sheet, make_version, right

pytestmark = pytest.mark.django_db
BEGINNINGS = {"csv": "condition,compared_with,statistic", "latex": "% shapes, version", "text": "SIMULATED"}


@pytest.fixture
def version() -> StudyVersion:
    version = make_version(owner=User.objects.create_user("rosa"))
    for count in (8, 10, 13):
        make_sheet(version, "U", right(count), kind="simulated")
    return version


@pytest.mark.parametrize("form", BEGINNINGS)
def test_the_verb_prints_a_form(version: StudyVersion, form: str) -> None:
    out = StringIO()
    call_command("study", "report", "shapes", "--format", form, stdout=out)
    assert out.getvalue().startswith(BEGINNINGS[form])


def test_the_verb_writes_a_file(version: StudyVersion, tmp_path: Path) -> None:
    target = tmp_path / "report.tex"
    call_command(
        "study", "report", "shapes", "--format", "latex", "-o", str(target), stdout=StringIO(), stderr=StringIO()
    )
    assert target.read_text(encoding="utf-8").endswith("\\end{document}\n")


@pytest.mark.parametrize("form", FORMATS)
def test_the_page_hands_a_form_out_as_a_file(version: StudyVersion, client: Client, form: str) -> None:
    report_store(version_pk=version.pk)
    assert version.study.owner is not None
    client.force_login(version.study.owner)
    found = client.get(f"/studies/shapes/report/file/{form}/")
    ending, media_type = FILES[form]
    assert found["Content-Disposition"] == f'attachment; filename="shapes-report.{ending}"'
    assert found["Content-Type"].startswith(media_type)
    assert found.content.decode().startswith(BEGINNINGS.get(form, ""))

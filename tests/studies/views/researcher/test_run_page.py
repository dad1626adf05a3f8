"""The run monitor: phases, failures and trying again, fill and drop-off, arms; no outcomes."""

from __future__ import annotations

import pytest
from django.utils import timezone

from studies.models import Artefact, DeskJob, Sheet, Study
from tests import cast
from tests.studies.reports.answers import make_sheet, make_version, right
from tests.studies.views.researcher.test_study_pages import unfinish

pytestmark = pytest.mark.django_db
URL = "/studies/scenes/run/"


@pytest.fixture
def rosa(client, scenes):
    """Rosa, logged in."""
    client.force_login(scenes.owner)
    return client


def draft(study: Study, **values: object) -> None:
    """A draft of which all but the first 30 artefacts have these values."""
    Study.objects.update(state="draft")
    unfinish(study, 30, **values)


def test_every_phase_has_a_bar_and_says_what_is_in_hand(rosa, scenes):
    draft(scenes, state="wanted", sha256="")
    row = scenes.version.artefacts.filter(stage="P").first()
    Artefact.objects.filter(pk=row.pk).update(state="leased", lease_until=timezone.now(), done=3, total=7)
    response = rosa.get(URL)
    assert response.content.decode().count('artefacts ready"></progress>') == 6
    assert f"{row.subject}: 3 of 7" in response.content.decode()
    assert response.context["every"] == 2


def test_a_failed_row_has_its_message_and_is_tried_again(rosa, scenes, rung):
    draft(scenes, state="failed", reason="<out of memory>", attempts=3)
    response = rosa.get(URL)
    assert "&lt;out of memory&gt;" in response.content.decode()
    before = Artefact.objects.filter(state="failed").count()
    name, row = response.context["failures"][0]
    page = rosa.post(f"{URL}retry/", {"row": name}, follow=True).content.decode()
    assert "One artefact is tried again." in page
    row.refresh_from_db()
    assert (row.state, row.attempts, row.reason) == ("wanted", 0, "")
    assert Artefact.objects.filter(state="failed").count() == before - 1
    rosa.post(f"{URL}retry/", {"row": "all"})
    assert not Artefact.objects.filter(state="failed").exists()
    assert "studies.tasks.work_task" in rung


def test_a_row_of_another_study_is_not_tried_again(rosa, scenes):
    draft(scenes, state="failed", reason="no", attempts=3)
    stranger = Artefact.objects.filter(state="failed").first()
    scenes.version.artefacts.remove(stranger)
    rosa.post(f"{URL}retry/", {"row": "all"})
    stranger.refresh_from_db()
    assert stranger.state == "failed"


@pytest.mark.parametrize("row", ["", "1", "nothing"])
def test_an_unknown_row_changes_nothing(rosa, scenes, row):
    draft(scenes, state="failed", reason="no")
    assert "nothing to try again" in rosa.post(f"{URL}retry/", {"row": row}, follow=True).content.decode()
    assert not Artefact.objects.filter(state="wanted").exists()


def test_a_button_has_the_precomputation_begun_by_a_worker(rosa, scenes):
    Study.objects.update(state="draft")
    scenes.version.artefacts.clear()
    assert "Precompute" in rosa.get(URL).context["button"]
    rosa.post(f"{URL}precompute/")
    job = DeskJob.objects.get()
    assert (job.kind, job.state) == ("precompute", "wanted")
    page = rosa.get(URL)
    assert "asked for" in page.content.decode()
    assert page.context["button"] == ""
    DeskJob.objects.update(state="failed", reason="the checkpoint is gone")
    assert "the checkpoint is gone" in rosa.get(URL).content.decode()


def test_what_a_frozen_study_shows_is_fixed(rosa, scenes):
    page = rosa.post(f"{URL}precompute/", follow=True).content.decode()
    assert "what it shows is fixed" in page
    assert not DeskJob.objects.exists()


def test_work_without_a_worker_is_said(rosa, scenes):
    draft(scenes, state="wanted", sha256="")
    assert rosa.get(URL).context["is_worker_missing"]
    Artefact.objects.filter(pk=scenes.version.artefacts.first().pk).update(published=timezone.now())
    assert not rosa.get(URL).context["is_worker_missing"]


def test_nothing_to_do_needs_no_worker(rosa):
    assert not rosa.get(URL).context["is_worker_missing"]


def test_fill_and_drop_off_are_shown_without_answers_or_outcomes(client):
    version = make_version(owner=cast.researcher())
    Study.objects.update(state="open")
    for count in (8, 13):
        sheet = make_sheet(version, "U", right(count))
        Sheet.objects.filter(pk=sheet.pk).update(position=21)
    client.force_login(version.study.owner)
    page = client.get("/studies/shapes/run/").content.decode()
    assert "2 of 3" in page
    assert "Item 20" in page
    for outcome in ("accuracy", "alpha", "0.40", "0.65", "blue", "gray", sheet.annotator.pseudonym):
        assert outcome not in page.lower()


def test_an_arm_is_closed_and_reopened_after_asking(rosa, scenes):
    arm = scenes.version.conditions.get(name="U+C")
    url = f"{URL}arms/{arm.position}/"
    assert "Close arm U+C?" in rosa.get(url).content.decode()
    rosa.post(url, {"act": "close"})
    arm.refresh_from_db()
    assert arm.is_open
    page = rosa.post(url, {"act": "close", "sure": "yes"}, follow=True).content.decode()
    arm.refresh_from_db()
    assert (arm.is_open, "Arm U+C: closed." in page) == (False, True)
    assert "already" in rosa.post(url, {"act": "close", "sure": "yes"}, follow=True).content.decode()
    rosa.post(url, {"act": "reopen", "sure": "yes"})
    arm.refresh_from_db()
    assert arm.is_open
    assert [entry.act for entry in scenes.audit.all()] == ["condition_close", "condition_reopen"]


def test_an_arm_that_is_not_there_is_a_404(rosa):
    assert rosa.get(f"{URL}arms/9/").status_code == 404


def test_an_open_study_asks_slowly_and_a_closed_one_never(rosa, scenes):
    assert rosa.get(URL).context["every"] == 10
    Study.objects.update(state="closed")
    assert rosa.get(URL).context["every"] == 0

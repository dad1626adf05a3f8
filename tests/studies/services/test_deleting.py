"""A deletion that is interrupted: nobody can use the study any more, and deleting it again works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client

from studies import pages
from studies.models import Answer, Sheet, Study
from studies.services import authoring
from studies.services.authoring import DeletionInterrupted, study_delete
from studies.services.locking import SheetElsewhere, sheet_locked
from studies.services.sheets import SheetRefused, sheet_create
from tests import cast
from tests.cast import Annotator

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return cast.study(owner=cast.researcher())


@pytest.fixture
def rosa(study: Study) -> Client:
    client = Client()
    client.force_login(study.owner)  # type: ignore[arg-type]
    return client


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Every deletion stops after its first step; called, they go through again."""

    def stop(study: Study) -> None:
        raise OperationalError("deadlock detected")

    whole = authoring._delete
    monkeypatch.setattr(authoring, "_delete", stop)
    return lambda: monkeypatch.setattr(authoring, "_delete", whole)


def test_an_interrupted_deletion_says_try_again_and_trying_again_works(
    study: Study, rosa: Client, interrupted: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    address, sure = "/studies/scenes/delete/", {"name": "scenes", "sure": "yes"}
    page = rosa.post(address, sure)
    assert (page.status_code, "delete it again" in page.content.decode()) == (409, True)
    study.refresh_from_db()
    assert study.state == "deleting"
    with pytest.raises(SystemExit):
        call_command("study", "delete", "scenes", "--yes")
    assert "delete it again" in capsys.readouterr().err
    for shown in ("/", "/studies/scenes/"):
        assert "Deleting it was interrupted" in rosa.get(shown).content.decode()
    interrupted()
    assert rosa.post(address, sure).status_code == 302
    assert not Study.objects.exists()


def test_annotators_of_a_study_that_is_being_deleted_meet_closed_pages(
    study: Study, ann: Annotator, newcomer: Callable[[], Annotator], interrupted: Callable[[], None]
) -> None:
    link, preview = cast.invite(study), cast.preview(study, "U")
    ann.sit_at(cast.sheet_at_items(study, "U"))
    form = ann.form()
    watching = newcomer()
    watching.enter(preview)
    with pytest.raises(DeletionInterrupted):
        study_delete(study=study)
    assert "ended" in ann.client.post("/t/item/", form, follow=True).content.decode()
    assert ann.client.post("/t/draft/", {**form, "sequence": "5"}).status_code == 409
    assert "ended" in watching.get("/t/item/")
    for closed in (link, preview):
        assert newcomer().client.post(f"/s/scenes/{closed.token}/").status_code == 409
    with pytest.raises(SheetRefused):
        sheet_create(study=study, kind="simulated")
    assert not Answer.objects.exists()
    # Whoever wants to be forgotten at once can be.
    assert "have been deleted" in ann.client.post("/t/withdraw/", follow=True).content.decode()


def test_a_sheet_that_is_gone_is_elsewhere_for_every_service(study: Study) -> None:
    sheet = cast.sheet_at_items(study, "U")
    study_delete(study=study)
    with pytest.raises(SheetElsewhere):
        sheet_locked(sheet)


def test_what_breaks_because_the_study_is_gone_is_the_one_404(
    study: Study, ann: Annotator, rosa: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann.sit_at(cast.sheet_at_items(study, "U"))

    def gone(*arguments: Any) -> None:
        study_delete(study=Study.objects.get())
        Sheet.objects.get()

    monkeypatch.setattr(pages, "item", gone)
    assert ann.client.get("/t/item/").status_code == 404


def test_what_breaks_while_the_study_is_there_is_an_error_as_ever(
    study: Study, ann: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann.sit_at(cast.sheet_at_items(study, "U"))
    monkeypatch.setattr(pages, "item", lambda *arguments: {}["broken"])
    with pytest.raises(KeyError, match="broken"):
        ann.client.get("/t/item/")


def test_a_researchers_page_of_a_study_that_goes_meanwhile_is_the_one_404(
    study: Study, rosa: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*arguments: Any, **others: Any) -> None:
        study_delete(study=Study.objects.get())
        Study.objects.get()

    monkeypatch.setattr("studies.views.researcher.deleting.study_delete", gone)
    assert rosa.post("/studies/scenes/delete/", {"name": "scenes"}).status_code == 404

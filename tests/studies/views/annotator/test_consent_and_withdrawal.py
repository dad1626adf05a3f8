"""Consent by version of its text, and withdrawal that leaves nothing but the fact of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from studies.models import (
    Answer,
    ConsentText,
    Draft,
    ExposureEvent,
    Invite,
    PlatformIdentity,
    Sheet,
    Study,
    Submission,
    Withdrawal,
)
from tests import cast
from tests.cast import Annotator

pytestmark = pytest.mark.django_db


@pytest.fixture
def written(settings: Settings, tmp_path: Path) -> Path:
    """A researcher's own consent text, in a file."""
    settings.BASE_DIR = tmp_path
    file = tmp_path / "consent.md"
    file.write_text("We keep your answers for **ten** years.", encoding="utf-8")
    return file


def own_consent() -> Study:
    """A study whose consent text is in a file."""
    return cast.study(text=cast.STUDY_FILE.replace("  minutes: 12", "  minutes: 12\n  consent: consent.md"))


def test_each_version_of_the_text_that_was_agreed_to_is_kept_once(
    written: Path, newcomer: Callable[[], Annotator]
) -> None:
    study = own_consent()
    for _ in range(2):
        newcomer().enter(cast.invite(study))
    written.write_text("We keep your answers for five years.", encoding="utf-8")
    newcomer().enter(cast.invite(study))
    texts = ConsentText.objects.filter(study=study).values_list("text", flat=True)
    assert list(texts) == ["We keep your answers for **ten** years.", "We keep your answers for five years."]
    agreed = list(Sheet.objects.order_by("pk").values_list("annotator__consent_sha256", flat=True))
    first, second = ConsentText.objects.values_list("sha256", flat=True)
    assert agreed == [first, first, second]


def test_a_text_that_changed_while_it_was_read_is_shown_again(written: Path, ann: Annotator) -> None:
    link = cast.invite(own_consent())
    ann.client.post(f"/s/scenes/{link.token}/")
    opened = ann.client.get("/t/consent/").context["page"]
    written.write_text("We keep your answers for ever.", encoding="utf-8")
    again = ann.client.post("/t/consent/", {"sha256": opened.sha256, "agree": "yes"})
    assert again.status_code == 422
    assert "The text has changed since you opened this page" in again.content.decode()
    assert "We keep your answers for ever." in again.content.decode()
    assert not ConsentText.objects.exists()
    ann.agree()
    assert ConsentText.objects.get().text == "We keep your answers for ever."


def test_a_text_that_stands_in_the_study_itself_is_shown_and_kept(ann: Annotator) -> None:
    text = cast.STUDY_FILE.replace("  minutes: 12", '  minutes: 12\n  consent: "# Ours\\n\\nKept **here**. <script>"')
    link = cast.invite(cast.study(text=text))
    ann.client.post(f"/s/scenes/{link.token}/")
    page = ann.client.get("/t/consent/").content.decode()
    assert "<strong>here</strong>" in page
    assert "<script>" not in page.partition("<strong>here</strong>")[2].partition("</form>")[0]
    ann.agree()
    assert ConsentText.objects.get().text == "# Ours\n\nKept **here**. <script>"


def test_our_own_text_tells_of_the_platforms_ids_where_they_are_kept(newcomer: Callable[[], Annotator]) -> None:
    with_ids, without = cast.study(text=cast.recruiting("ids: prolific")), cast.study(text=cast.renamed("second"))
    told = []
    for study in (with_ids, without):
        ann = newcomer()
        ann.client.post(f"/s/{study.slug}/{cast.invite(study).token}/")
        told.append("recruitment platform" in ann.get("/t/consent/"))
    assert told == [True, False]


def test_withdrawing_deletes_everything_and_leaves_that_somebody_withdrew(ann: Annotator, db: None) -> None:
    study = cast.study(text=cast.recruiting("ids: prolific"))
    link = cast.invite(study)
    Invite.objects.update(label="Anna A.")
    ann.client.post(f"/s/scenes/{link.token}/", {"PROLIFIC_PID": "5f0a"})
    ann.agree()
    ann.client.post("/t/instructions/")
    ann.answer(submission=str(uuid.uuid4()), comment="I live at 12 High Street")
    ann.client.post("/t/draft/", {"position": "1", "sequence": "5", "comment": "and"})
    ann.client.post("/t/exposure/", {"position": "0", "batch": str(uuid.uuid4()), "active": "500"})
    Sheet.objects.update(post={"comment": "my name is Anna"})
    everything = (Answer, Draft, Submission, ExposureEvent, PlatformIdentity)
    assert all(table.objects.exists() for table in everything)
    page = ann.client.post("/t/withdraw/", follow=True).content.decode()
    assert "have been deleted" in page
    assert not any(table.objects.exists() for table in everything)
    sheet = Sheet.objects.get()
    assert (sheet.step, sheet.post) == ("withdrawn", {})
    assert Withdrawal.objects.get().sheet == sheet
    assert Invite.objects.get().label == ""


def test_after_withdrawing_nothing_can_be_stored_and_no_code_is_shown(scenes: Study, ann: Annotator) -> None:
    sheet = cast.sheet_at_items(scenes, "U")
    ann.sit_at(sheet)
    form = {**ann.form(), "submission": str(uuid.uuid4())}
    ann.client.post("/t/withdraw/")
    assert ann.client.post("/t/item/", form).url == "/t/"
    assert ann.client.post("/t/draft/", {"position": "0", "sequence": "5"}).status_code == 409
    assert ann.client.post("/t/withdraw/").url == "/t/"
    page = ann.client.get("/t/").context["page"]
    assert (page.code, page.return_url, page.frame.can_withdraw) == ("", "", False)
    assert not Answer.objects.exists()


def test_a_link_stays_used_after_a_withdrawal(scenes: Study, newcomer: Callable[[], Annotator]) -> None:
    link, ann = cast.invite(scenes), newcomer()
    ann.enter(link)
    ann.client.post("/t/withdraw/")
    assert "This link has been used" in newcomer().get(f"/s/scenes/{link.token}/")
    assert "You have stopped taking part" in ann.get(f"/s/scenes/{link.token}/")
    ann.client.post(f"/s/scenes/{link.token}/")
    assert "have been deleted" in ann.get("/t/")
    assert Sheet.objects.count() == 1


def test_looking_at_the_withdrawal_page_deletes_nothing(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    ann.answer()
    for method in (ann.client.get, ann.client.head):
        assert method("/t/withdraw/").status_code == 200
    assert Answer.objects.exists()

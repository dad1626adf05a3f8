"""Open recruitment: who is let in at the study's own address, and what is kept of a platform's link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from studies.models import PlatformIdentity, Sheet, SpentIdentity, Study
from studies.services.sheets import SheetRefused, sheet_start
from tests import cast
from tests.cast import Annotator

pytestmark = pytest.mark.django_db

QUERY = {"PROLIFIC_PID": "5f0a9c", "STUDY_ID": "st-1", "SESSION_ID": "se_2"}


@pytest.fixture
def study(db: None) -> Study:
    """A study that lets anybody in."""
    return cast.study(text=cast.recruiting("open: true"))


@pytest.fixture
def prolific(db: None) -> Study:
    """A study that lets in whom Prolific sends."""
    return cast.study(text=cast.recruiting("open: true, ids: prolific"))


def start(ann: Annotator, url: str = "/s/scenes/", **query: str) -> Any:
    """From the landing page with its hidden fields to the start."""
    page = ann.client.get(url, query).context["page"]
    return ann.client.post(url, dict(page.hidden))


def test_anybody_starts_at_the_studys_address_and_looking_starts_nothing(study: Study, ann: Annotator) -> None:
    for method in (ann.client.get, ann.client.head, Client().get):
        assert method("/s/scenes/").status_code == 200
    assert not Sheet.objects.exists()
    assert start(ann).url == "/t/"
    sheet = Sheet.objects.get()
    assert (sheet.kind, sheet.invite, sheet.step) == ("live", None, "consent")


def test_the_same_browser_goes_on_and_another_begins_anew(study: Study, newcomer: Callable[[], Annotator]) -> None:
    ann, bob = newcomer(), newcomer()
    start(ann)
    assert "Go on where I was" in ann.get("/s/scenes/")
    start(ann)
    assert Sheet.objects.count() == 1
    start(bob)
    assert Sheet.objects.count() == 2


def test_a_study_by_invitation_an_unopened_one_and_none_at_all_look_the_same(ann: Annotator, db: None) -> None:
    cast.study(text=cast.renamed("by-invitation"))
    cast.study(text=cast.renamed("closed", text=cast.recruiting()), state="closed")
    seen = [ann.client.get(f"/s/{slug}/") for slug in ("by-invitation", "closed", "unknown")]
    seen += [ann.client.post(f"/s/{slug}/") for slug in ("by-invitation", "closed", "unknown")]
    assert {page.status_code for page in seen} == {404}
    assert len({page.content for page in seen}) == 1
    assert len({repr(sorted(page.headers.items())) for page in seen}) == 1
    assert not Sheet.objects.exists()


def test_the_platforms_ids_are_kept_apart_and_no_later_address_carries_them(prolific: Study, ann: Annotator) -> None:
    page = ann.client.get("/s/scenes/", QUERY)
    assert 'action="/s/scenes/"' in page.content.decode()
    assert page.context["page"].hidden == tuple(QUERY.items())
    assert start(ann, **QUERY).url == "/t/"
    kept = PlatformIdentity.objects.get()
    assert (kept.platform, kept.participant) == ("prolific", "5f0a9c")
    assert (kept.external_study, kept.external_session) == ("st-1", "se_2")
    assert kept.annotator == Sheet.objects.get().annotator
    assert "5f0a9c" not in kept.key
    for url in ("/t/consent/", "/t/"):
        assert "5f0a9c" not in ann.get(url)


def test_the_same_participant_in_another_browser_is_told_that_the_link_was_used(
    prolific: Study, newcomer: Callable[[], Annotator]
) -> None:
    ann, elsewhere = newcomer(), newcomer()
    start(ann, **QUERY)
    assert "This link has been used" in elsewhere.client.get("/s/scenes/", QUERY).content.decode()
    assert elsewhere.client.post("/s/scenes/", QUERY).status_code == 409
    assert "You have started already" in ann.client.get("/s/scenes/", QUERY).content.decode()
    assert start(ann, **QUERY).url == "/t/"
    assert Sheet.objects.count() == PlatformIdentity.objects.count() == 1


@pytest.mark.parametrize("step", ["consent", "item", "done", "screened_out", "full"])
def test_who_withdrew_cannot_take_part_in_another_condition(
    prolific: Study, newcomer: Callable[[], Annotator], step: str
) -> None:
    ann = newcomer()
    start(ann, **QUERY)
    Sheet.objects.update(step=step)
    assert "have been deleted" in ann.client.post("/t/withdraw/", follow=True).content.decode()
    assert not PlatformIdentity.objects.exists()
    for again in (ann, newcomer()):
        assert again.client.get("/s/scenes/", QUERY).context["page"].state == "used"
        assert again.client.post("/s/scenes/", QUERY).status_code == 409
    assert Sheet.objects.count() == 1
    assert "5f0a9c" not in str(list(SpentIdentity.objects.values()))
    assert {field.name for field in SpentIdentity._meta.fields} == {"key", "study"}
    start(newcomer(), **{**QUERY, "PROLIFIC_PID": "another"})
    assert Sheet.objects.count() == 2


def test_another_participant_at_the_same_browser_begins_a_sheet_of_their_own(prolific: Study, ann: Annotator) -> None:
    start(ann, **QUERY)
    start(ann, **{**QUERY, "PROLIFIC_PID": "other"})
    assert Sheet.objects.count() == 2


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"STUDY_ID": "st-1"},
        {"PROLIFIC_PID": "{{%PROLIFIC_PID%}}"},
        {"PROLIFIC_PID": "a" * 201},
        {"PROLIFIC_PID": "5f0a\x00"},
        {"PROLIFIC_PID": "5f0a\n"},
        {"PROLIFIC_PID": "5f0a", "SESSION_ID": "<b>"},
        {"PROLIFIC_PID": "\u0661"},
    ],
)
def test_a_link_without_a_well_formed_participant_starts_nothing(
    prolific: Study, ann: Annotator, query: dict[str, str]
) -> None:
    page = ann.client.get("/s/scenes/", query)
    assert "This link is not complete" in page.content.decode()
    assert b"<b>" not in page.content
    assert ann.client.post("/s/scenes/", query).status_code in (400, 409)
    assert not Sheet.objects.exists()


def test_ids_are_not_kept_where_the_study_does_not_ask_for_them(study: Study, ann: Annotator) -> None:
    assert ann.client.get("/s/scenes/", QUERY).context["page"].hidden == ()
    ann.client.post("/s/scenes/", QUERY)
    assert Sheet.objects.exists()
    assert not PlatformIdentity.objects.exists()


def test_an_invite_takes_the_platforms_ids_too(ann: Annotator, newcomer: Callable[[], Annotator]) -> None:
    study = cast.study(text=cast.recruiting("ids: prolific"))
    first, second, third = (cast.invite(study) for _ in range(3))
    start(ann, f"/s/scenes/{first.token}/", **QUERY)
    assert PlatformIdentity.objects.get().annotator.sheet.invite == first
    # The same participant with another invite, and an invite that was sent outside the platform
    assert start(newcomer(), f"/s/scenes/{third.token}/").url == "/t/"
    again = newcomer()
    assert "This link has been used" in again.client.get(f"/s/scenes/{second.token}/", QUERY).content.decode()
    assert PlatformIdentity.objects.count() == 1


def test_a_participant_of_one_study_may_take_part_in_another(
    prolific: Study, newcomer: Callable[[], Annotator]
) -> None:
    cast.study(text=cast.renamed("second", text=cast.recruiting("open: true, ids: prolific")))
    start(newcomer(), **QUERY)
    start(newcomer(), "/s/second/", **QUERY)
    first, second = PlatformIdentity.objects.values_list("key", flat=True)
    assert first != second


@pytest.mark.parametrize("has_invite", [True, False])
def test_a_second_click_on_start_whose_first_answer_was_lost_finds_the_same_sheet(
    study: Study, has_invite: bool
) -> None:
    client = Client(enforce_csrf_checks=True)
    url = f"/s/scenes/{cast.invite(study).token}/" if has_invite else "/s/scenes/"
    client.get(url)
    token = client.cookies["csrftoken"].value
    for _ in range(2):
        client.cookies.pop("sessionid", None)  # the browser never saw the first answer
        assert client.post(url, {"csrfmiddlewaretoken": token}).url == "/t/"
    assert Sheet.objects.count() == 1
    assert client.get("/t/consent/").status_code == 200


def test_starts_that_passed_the_view_together_begin_one_sheet(study: Study) -> None:
    link = cast.invite(study)
    for invite in (None, link):
        begun = {sheet_start(study=study, invite=invite, browser="one browser").pk for _ in range(2)}
        assert len(begun) == 1
    with pytest.raises(SheetRefused, match="used"):
        sheet_start(study=study, invite=link, browser="another browser")

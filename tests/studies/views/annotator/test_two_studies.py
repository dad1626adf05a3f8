"""Two studies in one browser: both keep their place, and a form changes only the sheet that it was made for."""

from __future__ import annotations

import uuid

import pytest

from studies import pages
from studies.models import Answer, Invite, Sheet, Study, Withdrawal
from tests import cast
from tests.cast import Annotator

pytestmark = pytest.mark.django_db


@pytest.fixture
def links(db: None) -> tuple[Invite, Invite]:
    """One link to each of two studies."""
    return cast.invite(cast.study()), cast.invite(cast.study(text=cast.renamed("second", "The second study")))


def at(link: Invite) -> str:
    """A link's address."""
    return f"/s/{link.study.slug}/{link.token}/"


def key(ann: Annotator, url: str = "/t/") -> str:
    """What names the sheet in the forms of the present page."""
    return str(ann.client.get(url, follow=True).context["page"].frame.form_key)


def test_the_second_studys_welcome_page_tells_of_the_first_which_stays_reachable(
    links: tuple[Invite, Invite], ann: Annotator
) -> None:
    first, second = links
    ann.enter(first)
    page = ann.get(at(second))
    assert "In this browser you have begun “What does the model answer?”" in page
    ann.enter(second)
    assert "The second study" in ann.get("/t/")
    first_sheet, second_sheet = Sheet.objects.order_by("pk")
    assert first_sheet.step == second_sheet.step == "instructions"
    assert "Go on where I was" in ann.get(at(first))
    assert "The second study" in ann.get("/t/")  # looking changed nothing
    ann.client.post(at(first))
    assert "What does the model answer?" in ann.get("/t/")
    assert Sheet.objects.count() == 2


def test_a_second_participant_at_the_same_browser_is_not_led_to_the_firsts_sheet(scenes: Study, ann: Annotator) -> None:
    ann.enter(cast.invite(scenes))
    first = Sheet.objects.get()
    second = cast.invite(scenes)
    assert "In this browser you have begun" not in ann.get(at(second))
    ann.enter(second)
    ann.client.post("/t/other/", {"other": pages.form_key(first)})
    assert Sheet.objects.get(pk=ann.client.session["sheet"]).invite == second
    Sheet.objects.filter(invite=second).update(step="done")
    assert ann.client.get("/t/done/").context["page"].others == ()


def test_a_finished_study_leads_on_to_the_unfinished_one(links: tuple[Invite, Invite], ann: Annotator) -> None:
    for link in links:
        ann.enter(link)
    Sheet.objects.filter(version__study__slug="second").update(step="done")
    page = ann.client.get("/t/done/").context["page"]
    assert [other.title for other in page.others] == ["What does the model answer?"]
    assert ann.client.get("/t/other/").status_code == 405
    ann.client.post("/t/other/", {"other": page.others[0].key})
    assert "What does the model answer?" in ann.get("/t/")


def test_only_a_sheet_of_this_browser_can_be_gone_on_with(links: tuple[Invite, Invite], ann: Annotator) -> None:
    ann.enter(links[0])
    stranger = cast.sheet_at_items(links[1].study, "U")
    for forged in (pages.form_key(stranger), "", "x"):
        assert ann.client.post("/t/other/", {"other": forged}).url == "/t/"
    assert "What does the model answer?" in ann.get("/t/")


@pytest.mark.parametrize("step", ["consent", "quiz", "instructions", "review", "post", "withdraw"])
def test_a_form_of_the_other_study_changes_neither(step: str, links: tuple[Invite, Invite], ann: Annotator) -> None:
    first, second = links
    for link in links:
        ann.enter(link)
    ann.client.post(at(first))
    old_key = key(ann)
    ann.client.post(at(second))
    Sheet.objects.update(step=step if step != "withdraw" else "item")
    before = list(Sheet.objects.order_by("pk").values_list("step", "post"))
    filled_in = {"agree": "yes", "sha256": "x", "post_0": "hello", "sheet": old_key}
    assert ann.client.post(f"/t/{step}/", filled_in).url == "/t/"
    assert list(Sheet.objects.order_by("pk").values_list("step", "post")) == before
    assert not Withdrawal.objects.exists()


def test_answers_drafts_and_times_of_the_other_study_are_not_taken(
    links: tuple[Invite, Invite], ann: Annotator
) -> None:
    for link in links:
        ann.enter(link)
        ann.client.post("/t/instructions/")
    ann.client.post(at(links[0]))
    old = {**ann.form(), "sheet": key(ann), "sequence": "5", "batch": str(uuid.uuid4()), "active": "5"}
    ann.client.post(at(links[1]))
    assert ann.client.post("/t/item/", old).url == "/t/"
    as_json = {"accept": "application/json"}
    assert ann.client.post("/t/item/", old, headers=as_json).json() == {"state": "moved", "next": "/t/"}
    assert ann.client.post("/t/draft/", old).status_code == 409
    assert ann.client.post("/t/exposure/", old).status_code == 204
    assert not Answer.objects.exists()
    for sheet in Sheet.objects.all():
        assert not sheet.drafts.exists()
        assert not sheet.exposures.exists()


def test_every_form_of_the_way_names_its_sheet(scenes: Study, ann: Annotator) -> None:
    ann.client.post(at(cast.invite(scenes)))
    field = f'name="sheet" value="{key(ann)}"'
    for step in ("consent", "instructions", "item", "review", "post"):
        Sheet.objects.update(step=step)
        if step == "consent":
            assert field in ann.get("/t/consent/")
            ann.agree()
            continue
        if step == "review":
            Sheet.objects.update(step="item")
            ann.answer_all()
        assert field in ann.get(f"/t/{step}/"), step
        assert field in ann.get("/t/withdraw/")

"""Links for annotators on their page: made, filtered, revoked, as CSV and as cards."""

from __future__ import annotations

import csv
import io

import pytest

from studies.models import Study
from studies.services.inviting import invites_create
from tests import cast

pytestmark = pytest.mark.django_db
URL = "/studies/scenes/links/"
HOSTILE = ["<script>alert(1)</script>", "=cmd()", "\u202eevil", "🙂 pool", "@SUM(A1)"]


@pytest.fixture
def rosa(client, scenes):
    """Rosa, logged in."""
    client.force_login(scenes.owner)
    return client


def test_links_are_made_with_a_label_and_found_by_it(rosa, scenes):
    rosa.post(URL, {"count": "2", "label": "pool A"})
    page = rosa.post(URL, {"count": "1"}, follow=True).content.decode()
    assert "One link was made." in page
    assert len(rosa.get(URL, {"label": "pool A"}).context["rows"]) == 2
    assert len(rosa.get(URL).context["rows"]) == 3
    assert rosa.get(URL).context["labels"] == ["", "pool A"]


@pytest.mark.parametrize("label", HOSTILE)
def test_a_hostile_label_is_text_on_the_pages_and_no_formula_in_the_table(rosa, label):
    rosa.post(URL, {"count": "1", "label": label})
    for page in (rosa.get(URL), rosa.get(f"{URL}cards/")):
        assert "<script>alert" not in page.content.decode()
        # Isolated, so that a text that turns the direction of writing does not turn the line around it.
        assert "<bdi>" in page.content.decode()
    (row,) = csv.DictReader(io.StringIO(rosa.get(f"{URL}table/").content.decode()))
    assert row["label"].removeprefix("'") == label
    assert row["label"][0] not in "=+-@"


def test_the_table_has_number_label_link_and_state(rosa, scenes):
    (link,) = invites_create(study=scenes, count=1, label="pool A")
    response = rosa.get(f"{URL}table/")
    assert response["Content-Disposition"] == 'attachment; filename="scenes-links.csv"'
    (row,) = csv.DictReader(io.StringIO(response.content.decode()))
    assert row["number"] == str(link.number)
    assert row["link"].endswith(f"/s/scenes/{link.token}/")
    assert (row["label"], row["state"]) == ("pool A", "unclaimed")


def test_an_unclaimed_link_is_revoked_and_a_claimed_one_is_not(rosa, scenes, ann):
    first, second = invites_create(study=scenes, count=2)
    ann.client.post(f"/s/scenes/{first.token}/")
    page = rosa.post(f"{URL}revoke/", {"token": first.token}, follow=True).content.decode()
    assert "nobody has claimed" in page
    rosa.post(f"{URL}revoke/", {"token": second.token})
    assert [link.use for link, _ in rosa.get(URL).context["rows"]] == ["claimed", "revoked"]


def test_a_link_of_another_study_is_not_revoked(rosa, scenes):
    other = cast.study(text=cast.STUDY_FILE.replace("study: scenes", "study: others"))
    (link,) = invites_create(study=other, count=1)
    rosa.post(f"{URL}revoke/", {"token": link.token})
    link.refresh_from_db()
    assert not link.revoked


def test_after_revoking_the_filter_stays(rosa, scenes):
    (link,) = invites_create(study=scenes, count=1, label="a&b=c")
    response = rosa.post(f"{URL}revoke/", {"token": link.token, "shown": "a&b=c"})
    assert response.url == f"{URL}?label=a%26b%3Dc"


def test_cards_are_printed_for_unclaimed_links_with_a_code(rosa, scenes, ann):
    first, second = invites_create(study=scenes, count=2)
    ann.client.post(f"/s/scenes/{first.token}/")
    page = rosa.get(f"{URL}cards/").content.decode()
    assert first.token not in page
    assert f"/s/scenes/{second.token}/" in page
    assert page.count('src="data:image/svg+xml') == 1


def test_many_links_have_pages(rosa, scenes):
    invites_create(study=scenes, count=101)
    assert len(rosa.get(URL).context["rows"]) == 100
    assert len(rosa.get(URL, {"page": "2"}).context["rows"]) == 1


def test_a_study_that_is_over_offers_no_links_and_makes_none(rosa, scenes):
    Study.objects.update(state="closed")
    assert "Make links" not in rosa.get(URL).content.decode()
    page = rosa.post(URL, {"count": "3"}, follow=True).content.decode()
    assert "nobody could use a link any more" in page
    assert not scenes.invites.exists()


def test_a_label_that_is_too_long_is_refused(rosa, scenes):
    page = rosa.post(URL, {"count": "3", "label": "x" * 121}, follow=True).content.decode()
    assert "120 characters" in page
    assert not scenes.invites.exists()


def test_the_address_of_open_recruitment_stands_there_where_the_file_allows_it(client, db):
    text = cast.STUDY_FILE.replace("questions:", "recruitment: {open: true}\nquestions:")
    made = cast.study(owner=cast.researcher(), text=text)
    client.force_login(made.owner)
    assert "/s/scenes/</code>" in client.get(URL).content.decode()


def test_without_open_recruitment_there_is_no_address_for_everybody(rosa):
    assert "Open recruitment" not in rosa.get(URL).content.decode()

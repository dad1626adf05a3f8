"""Who may open the researchers' pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from studies.models import Membership, Study
from tests import cast

pytestmark = pytest.mark.django_db

PAGES = (
    *("study_run", "study_links", "study_links_table", "study_links_cards", "study_people", "study_audit"),
    *("study_delete", "study_export", "study_progress", "study_report", "study_blinding"),
)
GETS = ("study", *PAGES)
ACTS = ("study_life", "study_peek", "study_precompute", "study_retry", "study_revoke", "study_export_file")
POSTS = (*ACTS, "study_links", "study_people", "study_delete", "study_export")
FURTHER = ("life/close/", "run/arms/0/", "report/file/text/")
SENT = {"act": "close", "count": "3", "sure": "yes", "name": "scenes", "row": "all"}


@pytest.fixture
def mallory(client):
    """Another researcher, logged in."""
    client.force_login(User.objects.create_user("mallory", password="correct horse battery"))
    return client


@pytest.mark.parametrize("name", GETS)
def test_another_researcher_gets_the_404_of_a_study_that_does_not_exist(mallory, scenes, name):
    other, missing = mallory.get(reverse(name, args=["scenes"])), mallory.get(reverse(name, args=["nothing"]))
    assert (other.status_code, other.content) == (404, missing.content)


@pytest.mark.parametrize("name", POSTS)
def test_another_researcher_cannot_change_a_study(mallory, scenes, name):
    assert mallory.post(reverse(name, args=["scenes"]), SENT).status_code == 404
    assert Study.objects.get().state == "open"
    assert not scenes.invites.exists()
    assert not scenes.audit.exists()


def test_another_researchers_study_is_not_listed(mallory, scenes):
    assert "scenes" not in mallory.get("/").content.decode()


@pytest.mark.parametrize("name", GETS)
def test_without_a_login_one_is_asked_for(client, scenes, name):
    url = reverse(name, args=["scenes"])
    assert client.get(url).url == f"/login/?next={url}"


@pytest.mark.parametrize("path", FURTHER)
def test_pages_below_a_study_are_closed_to_others_too(mallory, scenes, path):
    assert mallory.get(f"/studies/scenes/{path}").status_code == 404
    assert mallory.post("/studies/scenes/run/arms/0/", SENT).status_code == 404
    assert scenes.version.conditions.filter(is_open=True).count() == 5


@pytest.mark.parametrize("name", [*PAGES, *ACTS])
def test_a_coder_is_let_into_the_overview_only(mallory, scenes, name):
    Membership.objects.create(study=scenes, user=User.objects.get(username="mallory"))
    assert mallory.get("/studies/scenes/").status_code == 200
    way = mallory.get if name in PAGES else mallory.post
    assert way(reverse(name, args=["scenes"])).status_code == 404


def test_a_coder_sees_no_condition_no_link_and_no_number(mallory, scenes):
    Membership.objects.create(study=scenes, user=User.objects.get(username="mallory"))
    link = cast.invite(scenes)
    pages = mallory.get("/studies/scenes/").content.decode() + mallory.get("/").content.decode()
    assert "What does the model answer?" in pages
    assert link.token not in pages
    assert not [arm.name for arm in scenes.version.conditions.all() if f">{arm.name}<" in pages]
    for path in ("run/", "links/", "people/", "report/", "export/", "audit/"):
        assert f"/studies/scenes/{path}" not in pages


@pytest.mark.parametrize("name", ACTS)
def test_a_get_changes_nothing(client, scenes, name):
    client.force_login(scenes.owner)
    assert client.get(reverse(name, args=["scenes"])).status_code == 405


def test_posts_need_a_csrf_token(scenes):
    client = Client(enforce_csrf_checks=True)
    client.force_login(scenes.owner)
    assert client.post("/studies/scenes/life/", {"act": "close"}).status_code == 403
    assert Study.objects.get().state == "open"


def test_login_and_logout(client, scenes):
    assert client.get("/login/").status_code == 200
    wrong = client.post("/login/", {"username": "rosa", "password": "wrong"})
    assert "do not fit together" in wrong.content.decode()
    right = client.post("/login/", {"username": "rosa", "password": "correct horse battery"})
    assert right.url == "/"
    assert client.post("/logout/").url == "/login/"
    assert client.get("/").url == "/login/?next=/"


def test_schema_and_health_are_public(client, db):
    schema = client.get("/schema/study.json").json()
    assert schema["title"] == "Study file"
    assert "conditions" in schema["properties"]
    health = client.get("/healthz")
    assert (health.content, health["Content-Type"]) == (b"ok", "text/plain")

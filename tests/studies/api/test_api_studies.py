"""The API for scripts: studies, their life and their links."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from studies.api.invites import InviteCreate
from studies.models import DeskJob, Membership, Study, StudyVersion
from studies.services.inviting import MOST_LABEL
from studies.services.tokens import token_create
from tests import cast
from tests.studies.study_values import random_study

pytestmark = pytest.mark.django_db
Script = Callable[..., Client]
# U+0085 is a line end in YAML, which reads it as a space
TITLE = 'Tabs\t, "emoji" 🙂, a\x85b, \u2028, \u200f'


@pytest.fixture
def script(scenes: Study) -> Client:
    """Rosa's script, with a token and without a browser."""
    assert scenes.owner is not None
    return with_token(scenes.owner)


def with_token(user: User) -> Client:
    """A client that shows a new token; CSRF is checked as in production."""
    text = token_create(user=user, name="script", days=1)[1]
    return Client(enforce_csrf_checks=True, headers={"Authorization": f"Token {text}"})


def send(client: Client, url: str, text: str, content_type: str = "application/yaml") -> tuple[int, object]:
    """POST a text; the status and the JSON that came back."""
    response = client.post(url, text, content_type=content_type)
    return response.status_code, response.json()


def test_a_study_is_made_from_yaml_and_a_worker_checks_it(script: Client) -> None:
    status, made = send(script, "/api/v1/studies/", cast.STUDY_FILE.replace("study: scenes", "study: other"))
    assert (status, made["study"], made["state"]) == (201, "other", "draft")
    assert [(job["kind"], job["state"]) for job in made["jobs"]] == [("check", "wanted")]
    assert Study.objects.get(slug="other").owner.username == "rosa"


def test_the_same_keys_as_json_make_the_same_study(script: Client) -> None:
    values = {
        **cast.config.read(cast.STUDY_FILE).model_dump(mode="json"),
        "study": "other",
        "title": TITLE,
    }
    status, made = send(script, "/api/v1/studies/", json.dumps(values), "application/json")
    assert (status, Study.objects.get(slug="other").version.config.title) == (201, TITLE)
    again, same = send(script, "/api/v1/studies/", json.dumps(values), "application/json")
    assert (again, same["version"]) == (200, made["version"])


def test_numbers_of_json_are_numbers_of_the_study(script: Client) -> None:
    # YAML reads 1e-05, which is how Python writes it, as a text.
    values = cast.config.read(cast.STUDY_FILE).model_dump(mode="json")
    values["study"], values["plan"]["alpha"] = "other", 1e-05
    assert send(script, "/api/v1/studies/", json.dumps(values), "application/json")[0] == 201
    assert Study.objects.get(slug="other").version.config.plan.alpha == 0.00001


def test_a_control_character_in_json_is_named_with_its_key(script: Client) -> None:
    values = {**cast.config.read(cast.STUDY_FILE).model_dump(mode="json"), "title": "a\x7fb"}
    status, problems = send(script, "/api/v1/validate/", json.dumps(values), "application/json")
    assert (status, [problem["path"] for problem in problems]) == (422, ["title"])
    assert "U+007F" in problems[0]["message"]


@pytest.mark.parametrize("seed", range(8))
def test_random_studies_come_through_json_as_they_are(script: Client, seed: int) -> None:
    study = random_study(seed)
    inside = {
        "dataset": study.dataset.model_copy(update={"root": "fixtures"}),
        "model": study.model.model_copy(update={"checkpoint": "fixtures"}),
        "pages": study.pages.model_copy(update={"consent": "auto", "instructions": "auto"}),
    }
    study = study.model_copy(update=inside)
    body = json.dumps(study.model_dump(mode="json"))
    status, found = send(script, "/api/v1/validate/", body, "application/json")
    assert (status, found["version"]) == (200, study.sha256)


def test_problems_come_with_path_and_line(script: Client) -> None:
    text = cast.STUDY_FILE.replace("seed: 7", "seed: 07").replace("kind: simulation", "kind: simulation\ntitel: x")
    for url in ("/api/v1/validate/", "/api/v1/studies/"):
        status, problems = send(script, url, text)
        assert status == 422
        assert {"path", "line", "message"} == set(problems[0])
        assert ("seed", 6) in [(problem["path"], problem["line"]) for problem in problems]


def test_valid_is_said_and_nothing_is_stored(script: Client) -> None:
    status, found = send(script, "/api/v1/validate/", cast.STUDY_FILE.replace("study: scenes", "study: other"))
    assert (status, found["study"], found["conditions"][0]) == (200, "other", "U")
    assert not Study.objects.filter(slug="other").exists()


@pytest.mark.parametrize(
    ("text", "content_type", "status"),
    [
        ("", "application/yaml", 400),
        ("[1, 2]", "application/yaml", 422),
        ("!!python/object/apply:os.system ['true']", "application/yaml", 422),
        ("a: &a [*a]", "application/yaml", 422),
        ('{"study": "x", "study": "y"}', "application/json", 422),
        ('{"seed": NaN}', "application/json", 400),
        ('{"seed": ' + "9" * 5000 + "}", "application/json", 400),
        ('{"seed": 1e999, "kind": "simulation"}', "application/json", 422),
        ('{"kind": "simulation", "title": ' + "[" * 900 + "]" * 900 + "}", "application/json", 400),
        ("{}", "application/json", 400),
        ("[]", "application/json", 422),
        ('"study: x"', "application/json", 422),
        ('{"kind": "simulation", "title": "a\\u0000b"}', "application/json", 422),
        ('{"kind": "simulation", "title": "' + "x" * 300_000 + '"}', "application/json", 400),
        ("{" * 100_000, "application/json", 400),
        ('{"a":' * 60_000 + "1" + "}" * 60_000, "application/json", 400),
        ("not json", "application/json", 400),
        ("study: x", "application/x-tar", 415),
        ("x" * 2_000_000, "application/yaml", 413),
    ],
)
def test_bodies_that_are_no_study_file_are_refused(script: Client, text: str, content_type: str, status: int) -> None:
    assert send(script, "/api/v1/studies/", text, content_type)[0] == status


def test_a_text_that_is_not_utf8_is_refused(script: Client) -> None:
    response = script.post("/api/v1/studies/", b"study: \xff", content_type="application/yaml")
    assert (response.status_code, response.json()["detail"]) == (400, "not UTF-8 text (byte 7)")


def test_files_outside_the_data_roots_are_refused(script: Client) -> None:
    text = cast.STUDY_FILE.replace("fixtures/clevr_demo", "/etc")
    status, problems = send(script, "/api/v1/studies/", text)
    assert (status, problems[0]["path"]) == (422, "dataset.root")


def test_somebody_elses_name_is_taken_and_their_study_stays_as_it_is(scenes: Study) -> None:
    Study.objects.update(state="draft")
    mallory = with_token(User.objects.create_user("mallory"))
    status, refused = send(mallory, "/api/v1/studies/", cast.STUDY_FILE.replace("seed: 7", "seed: 8"))
    assert (status, refused) == (409, {"reasons": ["the name scenes is taken; choose another one"]})
    assert scenes.versions.count() == 1


def test_the_list_has_own_studies_and_orders_by_allowed_names_only(script: Client, scenes: Study) -> None:
    stranger = User.objects.create_user("mallory")
    Membership.objects.create(study=scenes, user=stranger)
    assert script.get("/api/v1/studies/?state=open&ordering=slug").json()["results"][0]["study"] == "scenes"
    assert script.get("/api/v1/studies/?state=closed").json()["count"] == 0
    for query in ("ordering=owner__password", "state=any"):
        assert script.get(f"/api/v1/studies/?{query}").status_code == 400
    assert with_token(stranger).get("/api/v1/studies/").json()["count"] == 0


def test_a_long_list_costs_as_many_queries_as_a_short_one(
    script: Client, scenes: Study, django_assert_num_queries: Callable[[int], Any]
) -> None:
    definition, sha256 = scenes.version.definition, scenes.version.sha256
    for count in (0, 20):
        for number in range(count):
            made = Study.objects.create(slug=f"more-{number}", owner=scenes.owner)
            StudyVersion.objects.create(study=made, number=1, definition=definition, sha256=sha256)
        with django_assert_num_queries(5):  # failed tokens, token, number of studies, studies, versions
            found = script.get("/api/v1/studies/").json()["results"]
    assert len(found) == 21


def test_pages_have_a_size_with_a_limit(script: Client, scenes: Study) -> None:
    script.post("/api/v1/studies/scenes/invites/", {"count": 210}, content_type="application/json")
    first = script.get("/api/v1/studies/scenes/invites/?page_size=1000").json()
    assert (first["count"], len(first["results"])) == (210, 200)
    assert script.get(first["next"].replace("http://testserver", "")).json()["next"] is None


def test_a_whole_life_by_script(script: Client, scenes: Study) -> None:
    Study.objects.update(state="draft")
    steps = ("freeze", "open", "close", "unblind")
    states = [script.post(f"/api/v1/studies/scenes/{step}/").json()["state"] for step in steps]
    assert states == ["frozen", "open", "closed", "unblinded"]
    refused = script.post("/api/v1/studies/scenes/open/")
    assert refused.status_code == 409
    assert "only a study that is frozen can be opened" in refused.json()["reasons"][0]
    log = script.get("/api/v1/studies/scenes/audit/").json()
    assert log["intact"] is True
    assert [(entry["act"], entry["actor"]) for entry in log["entries"]] == [
        ("freeze", "rosa"),
        ("open", "rosa"),
        ("close", "rosa"),
        ("unblind", "rosa"),
    ]


def test_links_are_made_labelled_and_revoked_by_number(script: Client, scenes: Study) -> None:
    url = "/api/v1/studies/scenes/invites/"
    made = script.post(url, {"count": 2, "label": "course"}, content_type="application/json").json()
    assert [(link["label"], link["state"]) for link in made] == [("course", "unclaimed")] * 2
    revoke = f"{url}{made[0]['number']}/revoke/"
    assert script.post(revoke).json()["state"] == "revoked"
    assert script.post(revoke).status_code == 409
    assert script.post(f"{url}99/revoke/").status_code == 404
    assert [link["state"] for link in script.get(url).json()["results"]] == ["revoked", "unclaimed"]


@pytest.mark.parametrize("count", [0, 501, "many", None])
def test_a_number_of_links_that_makes_no_sense_is_refused(script: Client, scenes: Study, count: object) -> None:
    body = {"count": count}
    assert script.post("/api/v1/studies/scenes/invites/", body, content_type="application/json").status_code == 400
    assert not scenes.invites.exists()


@pytest.mark.parametrize("state", ["closed", "unblinded"])
def test_links_of_a_study_that_is_over_are_refused(
    script: Client, scenes: Study, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed_meanwhile(operation: InviteCreate) -> Study:
        Study.objects.filter(pk=scenes.pk).update(state=state)
        return scenes

    monkeypatch.setattr(InviteCreate, "study", closed_meanwhile)
    refused = script.post("/api/v1/studies/scenes/invites/", {"count": 1}, content_type="application/json")
    assert (refused.status_code, refused.json()["reasons"]) == (
        409,
        [f"the study is {state}: nobody could use a link any more"],
    )
    assert not scenes.invites.exists()


def test_a_label_is_as_long_as_on_the_page(script: Client, scenes: Study) -> None:
    url = "/api/v1/studies/scenes/invites/"
    for length, status in ((MOST_LABEL, 201), (MOST_LABEL + 1, 400)):
        body = {"count": 1, "label": "x" * length}
        assert script.post(url, body, content_type="application/json").status_code == status


@pytest.mark.parametrize("state", ["frozen", "open", "closed", "unblinded"])
def test_only_a_draft_is_precomputed(script: Client, scenes: Study, state: str) -> None:
    Study.objects.update(state=state)
    refused = script.post("/api/v1/studies/scenes/precompute/")
    assert (refused.status_code, refused.json()["reasons"]) == (409, [f"The study is {state}: what it shows is fixed."])
    assert not DeskJob.objects.exists()


def test_precomputing_is_asked_for_once(script: Client, scenes: Study) -> None:
    Study.objects.update(state="draft")
    for _ in range(2):
        assert script.post("/api/v1/studies/scenes/precompute/").json()["kind"] == "precompute"
    assert DeskJob.objects.filter(kind="precompute").count() == 1

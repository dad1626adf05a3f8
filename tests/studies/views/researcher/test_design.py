"""A study's design page: saving versions, the file, the check and the precomputation, previews, and what is frozen."""

from __future__ import annotations

import pytest
from django.test import Client

from studies.config import read
from studies.models import DeskJob, Run, Study
from studies.services.authoring import study_create
from tests import cast
from tests.browser_form import posted_by

pytestmark = pytest.mark.django_db
URL = "/studies/scenes/design/"
DRAFT = cast.with_quiz()


@pytest.fixture
def rosa(client: Client) -> Client:
    """Rosa, logged in, with a draft of which nothing is computed."""
    owner = cast.researcher()
    study_create(config=read(DRAFT), owner=owner)
    client.force_login(owner)
    return client


@pytest.fixture
def study(rosa: Client) -> Study:
    """Her draft."""
    return Study.objects.get()


def form(rosa: Client, **changes: list[str]) -> dict[str, list[str]]:
    page = rosa.get(URL).content.decode()
    return posted_by(page) | {name.replace("__", "."): texts for name, texts in changes.items()}


def checked(study: Study, *problems: tuple[str, str], state: str = "done", kind: str = "check") -> DeskJob:
    """What a worker leaves behind."""
    result = {"problems": [{"path": path, "message": message} for path, message in problems]}
    return DeskJob.objects.create(version=study.version, kind=kind, state=state, result=result)


def test_saving_an_untouched_form_changes_nothing(rosa, study):
    page = rosa.post(URL, form(rosa), follow=True).content.decode()
    assert "Nothing has changed." in page
    assert study.versions.count() == 1


def test_saving_a_change_makes_the_next_version_and_has_it_checked(rosa, study):
    page = rosa.post(URL, form(rosa, items__count=["5"]), follow=True).content.decode()
    assert "Saved as version 2." in page
    assert "Waiting for a worker." in page
    assert study.version.config == read(DRAFT.replace("count: 4", "count: 5"))
    assert study.version.desk_jobs.get().kind == DeskJob.Kind.CHECK


def test_a_study_keeps_its_name(rosa, study):
    answer = rosa.post(URL, form(rosa, study=["other"]))
    assert "a study keeps its name" in answer.context["problems"][0].message
    assert list(Study.objects.values_list("slug", flat=True)) == ["scenes"]


def test_two_tabs_do_not_overwrite_each_other_unseen(rosa, study):
    first, second = form(rosa, title=["First"]), form(rosa, title=["Second"])
    rosa.post(URL, first)
    answer = rosa.post(URL, second)
    assert "somebody saved version 2 while you were changing version 1" in answer.context["problems"][0].message
    again = posted_by(answer.content.decode())
    assert again["title"] == ["Second"]
    rosa.post(URL, again)
    assert study.version.config.title == "Second"


def test_problems_keep_what_was_typed_and_the_version_as_it_was(rosa, study):
    answer = rosa.post(URL, form(rosa, items__count=["many"], title=["<script>x</script>"]))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "&#x27;many&#x27; is not a whole number" in page
    assert posted_by(page)["title"] == ["<script>x</script>"]
    assert "<script>x" not in page
    assert study.versions.count() == 1


def test_the_file_downloads_as_the_same_study(rosa, study):
    answer = rosa.get(f"{URL}file/")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="scenes.yaml"'
    assert read(answer.content.decode()) == study.version.config


def test_the_file_is_changed_as_text(rosa, study):
    data = posted_by(rosa.get(URL, {"as": "file"}).content.decode())
    assert read(data["text"][0]) == study.version.config
    rosa.post(URL, data | {"text": [data["text"][0].replace("count: 4", "count: 6")]})
    assert study.version.config.items.count == 6


def test_what_the_check_found_stands_at_the_fields_of_the_form(rosa, study):
    checked(
        study, ("dataset.root", "the folder x does not exist"), ("items.where.answer_type[0]", "'x' does not occur")
    )
    answer = rosa.get(URL)
    assert [line.id for line in answer.context["screen"].summary] == ["f-dataset-root", "f-items-where-answer-type"]
    page = answer.content.decode()
    assert "The check found 2 problems" in page
    assert '<p class="problem">the folder x does not exist</p>' in page


def test_the_poll_tells_how_far_check_and_precomputation_are(rosa, study):
    DeskJob.objects.create(version=study.version, kind="check", state="leased", done=7, total=20)
    said = rosa.get(f"{URL}progress/").json()
    check, precompute = said["works"]
    assert (said["is_moving"], check["done"], check["total"]) == (True, 7, 20)
    assert check["text"] == "Reading the data: 7 of 20."
    assert (precompute["is_moving"], precompute["refused"]) == (False, "Wait for the check.")


def test_the_buttons_ask_a_worker(rosa, study):
    for wanted in ("check", "precompute"):
        DeskJob.objects.filter(kind="check").update(state="done")
        rosa.post(f"{URL}act/", {"act": wanted})
    assert sorted(study.version.desk_jobs.values_list("kind", flat=True)) == ["check", "precompute"]
    assert "disabled" in button_of(rosa.get(URL).content.decode(), "Precompute")


def button_of(page: str, label: str) -> str:
    return next(part for part in page.split("<button")[1:] if f">{label}</button>" in part).partition(">")[0]


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        ({"kind": "check", "state": "wanted"}, "Wait for the check."),
        (
            {"kind": "check", "state": "done", "result": {"problems": [{"path": "seed", "message": "no"}]}},
            "correct them",
        ),
        ({"kind": "precompute", "state": "leased"}, "It is running."),
    ],
)
def test_precompute_is_refused_with_its_reason(rosa, study, job, reason):
    DeskJob.objects.create(version=study.version, **job)
    before = list(DeskJob.objects.values())
    page = rosa.post(f"{URL}act/", {"act": "precompute"}, follow=True).content.decode()
    assert "disabled" in button_of(page, "Precompute")
    assert reason in page
    assert list(DeskJob.objects.values()) == before


def test_why_a_precomputation_was_not_begun_is_told(rosa, study):
    job = checked(study, state="failed", kind="precompute")
    DeskJob.objects.filter(pk=job.pk).update(reason="only 3 of 20 items match")
    assert "Not begun: only 3 of 20 items match" in rosa.get(URL).content.decode()


def test_previews_say_what_is_missing_until_the_artefacts_are_there(rosa, study):
    rosa.post(f"{URL}act/", {"act": "preview"})
    assert "Previews show computed artefacts. Nothing is precomputed yet." in rosa.get(URL).content.decode()
    assert not study.invites.exists()


def test_previews_are_made_by_a_button_and_open_in_a_new_tab(client, scenes):
    client.force_login(scenes.owner)
    assert "Make preview links" in client.get(URL).content.decode()
    page = client.post(f"{URL}act/", {"act": "preview"}, follow=True).content.decode()
    token = scenes.invites.get(condition__name="U").token
    assert f'/s/scenes/{token}/" target="_blank" rel="noopener">U</a>' in page
    assert scenes.invites.filter(kind="pilot").count() == 5


@pytest.mark.parametrize("state", ["frozen", "open", "closed", "unblinded"])
def test_a_study_that_is_no_draft_is_shown_read_only_with_the_reason(rosa, study, state):
    data = form(rosa, title=["Another"])
    Study.objects.update(state=state)
    page = rosa.get(URL).content.decode()
    assert f"The study is {state}: its definition can no longer be changed." in page
    assert posted_by(page).keys() == {"csrfmiddlewaretoken", "way", "version"}
    assert "readonly" in rosa.get(URL, {"as": "file"}).content.decode()
    assert "can no longer be changed" in rosa.post(URL, data, follow=True).content.decode()
    assert study.versions.count() == 1


def test_the_design_is_its_owners_alone(client, rosa, django_user_model):
    client.force_login(django_user_model.objects.create_user("eve"))
    for address in (URL, f"{URL}file/", f"{URL}progress/"):
        assert client.get(address).status_code == 404
    assert client.post(f"{URL}act/", {"act": "check"}).status_code == 404


def test_an_unknown_button_is_a_bad_request(rosa):
    assert rosa.post(f"{URL}act/", {"act": "burn"}).status_code == 400


def test_a_path_of_a_study_made_at_the_terminal_is_checked_once_it_is_saved_here(rosa, study):
    answer = rosa.post(URL, form(rosa, dataset__root=["/etc"]))
    assert [problem.path for problem in answer.context["problems"]] == ["dataset.root"]


def test_a_computed_study_has_nothing_to_precompute(client, scenes):
    Study.objects.update(state="draft")
    assert Run.objects.exists()
    client.force_login(scenes.owner)
    assert "Everything is there." in client.get(URL).content.decode()


def test_the_page_goes_on_asking_between_two_phases_of_the_precomputation(client, scenes):
    Study.objects.update(state="draft")
    Run.objects.update(finished=None)
    client.force_login(scenes.owner)
    said = client.get(f"{URL}progress/").json()
    assert (said["is_moving"], said["works"][1]["refused"]) == (True, "It is running.")

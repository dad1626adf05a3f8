"""The list of studies and the overview of one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from studies import config
from studies.models import Artefact, Condition, Run, Study, StudyVersion
from studies.services.inviting import invite_revoke
from studies.views.researcher import life
from studies.views.researcher.standing import progress_of, standing
from tests import cast
from tests.studies.reports.answers import make_sheet, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def rosa(client, scenes):
    """Rosa, logged in."""
    client.force_login(scenes.owner)
    return client


def unfinish(study: Study, ready: int, **values: object) -> None:
    """Make all but the first `ready` artefacts something else than ready."""
    keep = study.version.artefacts.order_by("pk").values_list("pk", flat=True)[:ready]
    Artefact.objects.exclude(pk__in=list(keep)).update(**values)


def test_the_list_names_state_fill_and_next_step(rosa, scenes):
    page = rosa.get("/").content.decode()
    assert "What does the model answer?" in page
    assert "0 of 15 sheets are finished: send out links" in page


def test_the_list_tells_simulated_sheets_from_live_ones(client):
    version = make_version(owner=cast.researcher())
    make_sheet(version, "U", "A" * 20, kind="simulated")
    Study.objects.update(state="frozen")
    client.force_login(version.study.owner)
    assert "0 of 6 sheets are finished, 1 simulated." in client.get("/").content.decode()


def more_studies(owner, count):
    """Studies of two versions each, without items and sheets."""
    for number in range(count):
        read = config.read(cast.renamed(f"more-{number}", title=f"Study {number} of many"))
        made = Study.objects.create(slug=read.study, owner=owner, state=list(Study.State)[number % 5])
        old = {**read.model_dump(mode="json"), "title": "An old title"}
        StudyVersion.objects.create(study=made, number=1, definition=old, sha256="0" * 64)
        version = StudyVersion.objects.create(
            study=made, number=2, definition=read.model_dump(mode="json"), sha256=read.sha256
        )
        Condition.objects.create(version=version, name="U", position=0, stages=["U"], quota=2)


def test_a_long_list_costs_as_many_queries_as_a_short_one(rosa, scenes, django_assert_num_queries):
    # session, account, number of studies, studies, versions; artefacts, runs, items, live and simulated sheets, jobs
    for count in (0, 20):
        more_studies(scenes.owner, count)
        with django_assert_num_queries(11):
            page = rosa.get("/").content.decode()
    assert "Study 19 of many" in page
    assert "An old title" not in page


def test_a_long_list_has_pages_newer_and_older(rosa, scenes):
    more_studies(scenes.owner, 50)
    first = rosa.get("/").content.decode()
    assert first.count("<article") == 50
    assert '<a href="?page=2">Older</a>' in first
    assert "Newer" not in first
    assert "What does the model answer?" not in first
    last = rosa.get("/?page=2").content.decode()
    assert last.count("<article") == 1
    assert "What does the model answer?" in last
    assert '<a href="?page=1">Newer</a>' in last


def test_an_empty_list_says_how_to_begin(client, db):
    client.force_login(cast.researcher())
    assert "study create FILE" in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("draft", "Preview it as each condition, then freeze it. /studies/scenes/"),
        ("frozen", "Open it for annotators. /studies/scenes/"),
        (
            "open",
            "0 of 15 sheets are finished: send out links, and close it when you have enough. /studies/scenes/links/",
        ),
        ("closed", "Unblind it to see outcomes by condition. /studies/scenes/life/unblind/"),
        ("unblinded", "Read the report. /studies/scenes/report/"),
    ],
)
def test_the_next_step_follows_the_state_and_leads_to_its_page(scenes, state, words):
    scenes.state = state
    found = standing(scenes)
    assert f"{found.next_step} {found.next_url}" == words


def test_a_study_without_artefacts_is_to_be_precomputed(scenes):
    scenes.state = "draft"
    scenes.version.artefacts.clear()
    found = standing(scenes)
    assert (found.next_step, found.next_url) == ("Precompute it.", "/studies/scenes/run/")
    assert (found.progress.text, found.progress.is_moving) == ("Nothing is precomputed yet.", False)
    scenes.version.desk_jobs.create(kind="precompute")
    assert standing(scenes).next_step == "Wait for the worker: the precomputation is about to begin."
    scenes.version.desk_jobs.update(state="done")
    assert standing(scenes).next_step == "Precompute it."


def test_the_overview_shows_definition_conditions_and_no_outcomes(rosa, scenes):
    sheet = cast.sheet_at_items(scenes, "U+C")
    page = rosa.get("/studies/scenes/").content.decode()
    assert "4 and 2 for practice" in page
    assert "0 of 3" in page
    assert "U, C, Rl, Rg, P" in page
    assert sheet.annotator.pseudonym not in page
    assert "accuracy" not in page.lower()


def test_links_are_shown_with_their_state(rosa, scenes, ann):
    first, second, _ = (cast.invite(scenes) for _ in range(3))
    ann.client.post(f"/s/scenes/{first.token}/")
    invite_revoke(study=scenes, token=second.token)
    assert rosa.get("/studies/scenes/").context["links"] == [("unclaimed", 1), ("claimed", 1), ("revoked", 1)]
    rows = rosa.get("/studies/scenes/links/").context["rows"]
    assert [link.use for link, _ in rows] == ["claimed", "revoked", "unclaimed"]
    assert rows[0][1].endswith(f"/s/scenes/{first.token}/")


def test_links_are_made_by_number_and_previews_once(rosa, scenes):
    rosa.post("/studies/scenes/links/", {"count": "3"})
    for _ in range(2):
        rosa.post("/studies/scenes/links/")
    assert scenes.invites.filter(kind="live").count() == 3
    assert scenes.invites.filter(kind="pilot").count() == 5
    rows = rosa.get("/studies/scenes/").context["conditions"]
    assert all(row["preview"].startswith("http") for row in rows)


@pytest.mark.parametrize("count", ["0", "501", "-1", "many", "1.5"])
def test_a_wrong_number_of_links_is_refused(rosa, scenes, count):
    page = rosa.post("/studies/scenes/links/", {"count": count}, follow=True).content.decode()
    assert "whole number from 1 to 500" in page
    assert not scenes.invites.exists()


def test_a_button_moves_the_study_on(rosa, scenes):
    assert "Close" in rosa.get("/studies/scenes/").content.decode()
    page = rosa.post("/studies/scenes/life/", {"act": "close", "sure": "yes"}, follow=True).content.decode()
    assert "The study is closed now." in page
    assert Study.objects.get().state == "closed"
    assert scenes.audit.get().actor == "rosa"


def test_a_refused_step_shows_its_reasons(rosa, scenes):
    page = rosa.post("/studies/scenes/life/", {"act": "unblind", "sure": "yes"}, follow=True).content.decode()
    assert "the study is open; only a study that is closed can be unblinded" in page
    assert Study.objects.get().state == "open"


def test_every_state_but_the_last_has_one_step():
    assert set(life.STEPS) == set(Study.State) - {Study.State.UNBLINDED, Study.State.DELETING}


def test_an_unknown_act_is_a_bad_request(rosa):
    assert rosa.post("/studies/scenes/life/", {"act": "burn"}).status_code == 400


def test_failed_artefacts_are_counted_and_lead_to_the_run(rosa, scenes):
    unfinish(scenes, 30, state="failed", reason="<out of memory>")
    page = rosa.get("/studies/scenes/").content.decode()
    assert "failed artefacts: reasons, and trying again" in page
    assert progress_of(scenes.version).text.endswith("failed.")


def test_progress_is_polled_as_json(rosa, scenes):
    total = scenes.version.artefacts.count()
    unfinish(scenes, 30, state="wanted", sha256="")
    body = rosa.get("/studies/scenes/progress/").json()
    assert (body["ready"], body["total"], body["is_done"], body["is_moving"]) == (30, total, False, True)
    assert body["text"] == f"30 of {total} artefacts are ready, waiting for a worker."


def test_the_time_left_follows_the_pace_of_the_newest_results(scenes):
    unfinish(scenes, 11, state="leased", sha256="")
    version = scenes.version
    run = Run.objects.create(version=version, snapshot={})
    now = timezone.now()
    Run.objects.filter(pk=run.pk).update(started=now - timedelta(minutes=5))
    for age, row in enumerate(version.artefacts.filter(state="ready")):
        Artefact.objects.filter(pk=row.pk).update(published=now - timedelta(seconds=20 * age))
    # 10 steps of 20 s for 11 results, so 20 s for each of the open ones
    minutes = round(20 * (version.artefacts.count() - 11) / 60)
    assert f"about {minutes} min left" in progress_of(version).text


def test_a_long_row_tells_how_far_it_is(scenes):
    row = scenes.version.artefacts.first()
    Artefact.objects.filter(pk=row.pk).update(
        state="leased", sha256="", stage="predictions", subject="val", done=1200, total=5000
    )
    assert "predictions of val: 1,200 of 5,000" in progress_of(scenes.version).text


def test_why_no_items_could_be_drawn_is_shown(rosa, scenes):
    Run.objects.create(version=scenes.version, snapshot={}, problem="only 3 of 20 items match")
    assert "Stopped: only 3 of 20 items match" in rosa.get("/studies/scenes/").content.decode()

"""The blinding audit: what annotators of each condition receive, field by field, shown without storing a sheet."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from django.test import Client

from studies import pages
from studies.blinding_audit import Audit, audits, payload_sha256
from studies.models import Annotator, Answer, Sheet, Study
from studies.services.sampling import condition_sample
from tests import cast
from tests.cast import Annotator as Person

pytestmark = pytest.mark.django_db
URL = "/studies/scenes/blinding/"


@pytest.fixture
def rosa(client: Client, scenes: Study) -> Client:
    client.force_login(scenes.owner)
    return client


def by_name(study: Study) -> dict[str, Audit]:
    return {audit.name: audit for audit in audits(study.version)}


def names(audit: Audit, heading: str = "Item") -> list[str]:
    return [field.name for page in audit.pages if page.heading == heading for field in page.fields]


def test_the_page_shows_every_condition_with_what_it_hides(rosa: Client, scenes: Study) -> None:
    page = rosa.get(URL).content.decode()
    for condition in scenes.version.conditions.all():
        assert f"Condition {condition.name}<" in page
    assert "other people: who they are" in page
    found = by_name(scenes)
    assert [text[:2] for text in found["U+C"].hidden] == ["Rl", "Rg", "P:"]
    assert found["U+C+Rl+Rg+P"].hidden == []
    assert all(audit.sha256 in page for audit in found.values())


def test_the_overview_leads_to_it(rosa: Client) -> None:
    assert f'href="{URL}"' in rosa.get("/studies/scenes/").content.decode()


def test_the_fields_are_those_of_the_real_page(scenes: Study) -> None:
    sheet = cast.sheet_at_items(scenes, "U+C+Rl")
    real = asdict(pages.item(sheet, cast.PRACTICE))
    shown = {
        field.name: field for page in audits(scenes.version)[2].pages if page.heading == "Item" for field in page.fields
    }
    assert real.keys() <= shown.keys()
    assert {"unimodal", "crossmodal", "features", "local", "graph"} <= shown.keys()
    assert shown["prompt"].value == real["prompt"]
    assert shown["graph"].value == shown["examples"].value == "nothing"
    assert shown["choices"].value == "4 of its kind, the first:"


def test_a_richer_condition_has_more_fields(scenes: Study) -> None:
    found = by_name(scenes)
    assert "weight" not in names(found["U"])
    assert "local" not in names(found["U+C"])
    assert "local" in names(found["U+C+Rl"])
    assert len(found["U"].pictures) < len(found["U+C"].pictures) < len(found["U+C+Rl"].pictures)


def test_making_the_samples_stores_nothing(rosa: Client, scenes: Study) -> None:
    rosa.get(URL)
    assert not Sheet.objects.exists()
    assert not Annotator.objects.exists()
    assert not Answer.objects.exists()
    assert not scenes.audit.exists()


def test_the_hash_is_the_same_again_whatever_people_do_and_another_when_something_shown_changes(
    scenes: Study, ann: Person
) -> None:
    before = {name: audit.sha256 for name, audit in by_name(scenes).items()}
    assert len(set(before.values())) == 5
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    ann.answer_all()
    scenes.version.items.update(truth=3)
    assert {name: audit.sha256 for name, audit in by_name(scenes).items()} == before
    for row in scenes.version.artefacts.filter(stage="C"):
        row.numbers["pairs"][0]["word"] = "another"
        row.save()
    after = {name: audit.sha256 for name, audit in by_name(scenes).items()}
    assert after["U"] == before["U"]
    assert not {name for name in after if name != "U" and after[name] == before[name]}


def test_a_changed_picture_changes_the_hash(scenes: Study) -> None:
    condition = scenes.version.conditions.get(name="U")
    before = payload_sha256(condition_sample(condition=condition))
    for row in scenes.version.artefacts.filter(stage="U"):
        row.files["overlay"]["sha256"] = "0" * 64
        row.save()
    assert payload_sha256(condition_sample(condition=condition)) != before


def test_a_draft_with_its_artefacts_ready_can_be_looked_at(rosa: Client, scenes: Study) -> None:
    Study.objects.update(state=Study.State.DRAFT)
    assert "Condition U+C<" in rosa.get(URL).content.decode()


def test_before_everything_is_computed_it_says_so(rosa: Client, scenes: Study) -> None:
    scenes.version.artefacts.filter(stage="C").update(state="wanted")
    page = rosa.get(URL).content.decode()
    assert "There is nothing to show yet" in page
    assert "Condition U" not in page


def test_with_a_quiz_a_check_and_last_questions_their_pages_are_shown_too(db: None) -> None:
    text = cast.with_quiz().replace("practice: 2", "practice: 2, checks: 1")
    found = audits(cast.study(text=text).version)[0]
    assert [page.heading for page in found.pages] == [
        "Welcome",
        "Consent",
        "Quiz",
        "Instructions",
        "Practice item",
        "Practice item, answered",
        "Item",
        "Item, opened again",
        "Attention check",
        "Review",
        "Last questions",
        "End",
    ]


def test_a_study_without_practice_has_a_sample_too(db: None) -> None:
    text = cast.STUDY_FILE.replace("count: 4, practice: 2", "count: 4, practice: 0")
    headings = [page.heading for page in audits(cast.study(text=text).version)[0].pages]
    assert headings[2:5] == ["Instructions", "Item", "Item, opened again"]

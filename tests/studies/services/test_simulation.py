"""Simulated annotators: repeatable, marked, and as competent as their policy says."""

from __future__ import annotations

import pytest

from studies.models import Answer, Sheet, Study
from studies.services import simulation
from studies.services.answering import answer_submit
from studies.services.simulation import Policy, parse_policy, sheets_simulate
from tests import cast

pytestmark = pytest.mark.django_db


def classes_chosen(study: Study) -> list[tuple[str | None, int, list[int]]]:
    answers = Answer.objects.filter(question="choice", sheet__version__study=study)
    rows = [
        (a.sheet.condition.name if a.sheet.condition else None, a.item.position, a.value["classes"]) for a in answers
    ]
    return sorted(rows)


@pytest.mark.parametrize(("text", "knows"), [("guesser", 0.0), ("competent:0.8", 0.8), ("competent:1", 1.0)])
def test_policies_are_read(text: str, knows: float) -> None:
    assert parse_policy(text) == Policy(text, knows)


@pytest.mark.parametrize("text", ["clever", "competent", "competent:2", "competent:x", "guesser:1", "competent:nan"])
def test_other_policies_are_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(ValueError, match="write guesser, or competent:k"):
        parse_policy(text)


def test_an_annotator_who_knows_everything_is_always_right(scenes: Study) -> None:
    sheets = sheets_simulate(version=scenes.version, policy=Policy("competent:1", 1.0), per_condition=1, seed=0)
    assert len(sheets) == 5
    for answer in Answer.objects.filter(question="choice"):
        assert answer.item.prediction in answer.value["classes"]


def test_simulated_annotators_answer_attention_checks_as_their_text_asks() -> None:
    study = cast.study(text=cast.with_checks(2))
    sheets_simulate(version=study.version, policy=Policy("guesser", 0.0), per_condition=2, seed=0)
    checks = Answer.objects.filter(question="choice").exclude(item__expected="")
    assert len(checks) == 20
    assert all(answer.value["letter"] == answer.item.expected for answer in checks)


def test_sheets_are_finished_and_marked_as_simulated(scenes: Study) -> None:
    sheets_simulate(version=scenes.version, policy=Policy("guesser", 0.0), per_condition=2, seed=0)
    assert set(Sheet.objects.values_list("kind", "step")) == {("simulated", "done")}
    assert {c.sheets.count() for c in scenes.version.conditions.all()} == {2}


def test_filling_again_adds_nobody(scenes: Study) -> None:
    for _ in range(2):
        sheets_simulate(version=scenes.version, policy=Policy("guesser", 0.0), per_condition=2, seed=0)
    assert Sheet.objects.count() == 10


def test_the_same_seed_gives_the_same_answers_whatever_the_studys_secret() -> None:
    first = cast.study()
    second = cast.study(text=cast.STUDY_FILE.replace("study: scenes", "study: other"))
    assert bytes(first.secret) != bytes(second.secret)
    for study in (first, second):
        sheets_simulate(version=study.version, policy=Policy("competent:0.5", 0.5), per_condition=2, seed=3)
    assert classes_chosen(first) == classes_chosen(second)


def test_live_places_are_not_taken_by_simulated_annotators(scenes: Study, ann: cast.Annotator) -> None:
    sheets_simulate(version=scenes.version, policy=Policy("guesser", 0.0), per_condition=3, seed=0)
    ann.enter(cast.invite(scenes))
    assert Sheet.objects.filter(kind="live", step="instructions").count() == 1


def test_an_interruption_leaves_no_half_filled_sheet(scenes: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted = []

    def interrupted(**arguments: object) -> Sheet:
        submitted.append(arguments)
        if len(submitted) == 8:  # in the second sheet: each has 2 practice items and 4 items
            raise KeyboardInterrupt
        return answer_submit(**arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(simulation, "answer_submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sheets_simulate(version=scenes.version, policy=Policy("guesser", 0.0), per_condition=1, seed=0)
    assert list(Sheet.objects.values_list("step", flat=True)) == ["done"]
    monkeypatch.undo()
    sheets_simulate(version=scenes.version, policy=Policy("guesser", 0.0), per_condition=1, seed=0)
    assert Sheet.objects.count() == 5

"""The methods paragraph: sentences that hold for the study at hand, and no others."""

from __future__ import annotations

import re

import pytest

from studies.models import Artefact, AuditEntry, StudyVersion
from studies.reports.build import build
from tests.studies.reports.answers import make_sheet, make_version, right

pytestmark = pytest.mark.django_db
NESTED = "[{name: U, stages: [U]}, {name: U+C, stages: [U, C]}, {name: U+C+Rl, stages: [U, C, Rl]}]"
#: Words that are written differently in Britain and America
DIVIDED = re.compile(
    r"\w*(?:[a-z]{3}(?:isation|ization|ise[ds]?|ize[ds]?)|colou?r|behaviou?r|labell?ed|modell?ing|centre|center|favou?r)\b"
)


def filled(version: StudyVersion, kind: str = "live") -> StudyVersion:
    """Three annotators in each condition."""
    for place, condition in enumerate(version.conditions.all()):
        for count in (5, 7, 9):
            make_sheet(version, condition.name, right(count + 2 * place), kind=kind, confidence=3)
    return version


def methods(version: StudyVersion) -> str:
    return build(version).methods


def test_an_ordered_study_of_people() -> None:
    version = filled(make_version(conditions=NESTED, wrong_items=(0, 1, 2)))
    version.plan_sha256 = ""
    text = methods(version)
    for sentence in (
        "9 annotators took part, each in one of 3 conditions (U: 3, U+C: 3, U+C+Rl: 3).",
        "Each answered the same 20 items of the split val of clevr, drawn with seed 0 after 1 practice item,",
        "The model (cnn_lstm_sa) is right at 17 of the items and wrong at 3.",
        "among 4 choices, namely the model's prediction, the true answer",
        "guessing reaches 0.250.",
        "Krippendorff's alpha for nominal data (Krippendorff, 2011), alpha = 1 - Do/De",
        "as two crossed samples and hold for new annotators and new items:",
        "A second 95 % interval of alpha holds for these annotators and new items: it spans the 2.5th to the 97.5th",
        "Conditions are compared in accuracy, alpha and confidence by two-sided permutation tests",
        "all ways of sharing the annotators out are counted.",
        "The p-values of the 3 pairs are adjusted within each measure (Holm, 1979).",
        "For alpha, p is the larger of two: in one, annotators change their condition with all their answers, which",
        "in the other, their jackknife pseudo-values of alpha change it, and the statistic is divided by its standard",
        "(Janssen, 1997), so that conditions that agree as much on other answers are not told apart.",
        "The conditions are ordered",
        "the correlation of this order with the annotators' scores, and for alpha the slope of the conditions' alphas",
        "cannot give a p below 0.10.",
        "The plan named the trend of accuracy as the main comparison, at the level 0.05.",
        "No finished sheet is left out.",
        "Of 9 people who started, all finished.",
        "The study was not frozen before data collection.",
    ):
        assert sentence in text
    assert re.search(
        r"computed with multiviz-studies \d+\.\d+\.\d+ \(version [0-9a-f]{12} of the study, seed 0\); the random draws"
        " behind figures start from seed 0",
        text,
    )


def test_pairs_that_can_reach_the_level_are_not_said_to_be_out_of_reach() -> None:
    conditions = "[{name: A, stages: [U]}, {name: B, stages: [C]}, {name: C, stages: [U, C]}]"
    version = make_version(conditions=conditions)
    for name, number in (("A", 3), ("B", 3), ("C", 5)):
        for count in range(number):
            make_sheet(version, name, right(5 + count))
    # 3 and 3: 2 of 20 relabellings; 3 and 5: 1 of 56, which is below .05.
    text = methods(version)
    assert "1 of the 3 pairs cannot reach the level 0.05, whatever the answers." in text
    assert "cannot give a p below" not in text


def test_the_reason_of_an_undefined_alpha_is_the_one_that_holds() -> None:
    version = make_version(count=4, conditions="[{name: only, stages: [C]}]")
    make_sheet(version, "only", "AB--")
    make_sheet(version, "only", "--AB")
    text = methods(version)
    assert "Where no item has two answers, alpha is undefined" in text
    assert "all answers of a condition are the same" not in text


def test_two_annotators_of_a_condition_have_only_the_first_test_of_alpha() -> None:
    version = make_version(conditions="[{name: A, stages: [U]}, {name: B, stages: [C]}]")
    for name in ("A", "B"):
        for count in (5, 9):
            make_sheet(version, name, right(count))
    text = methods(version)
    assert "so that a small p can also come from conditions that agree as much on other answers." in text
    assert "Janssen" not in text
    make_sheet(version, "A", right(7))
    text = methods(version)
    assert "For alpha, p is the larger of two" in text
    assert "With two annotators in a condition there is only the first, so that a small p can also come" in text


def test_unordered_arms_have_no_trend_and_two_of_them_no_correction() -> None:
    text = methods(filled(make_version(conditions="[{name: A, stages: [U]}, {name: B, stages: [C]}]")))
    assert "ordered" not in text
    assert "Holm" not in text
    assert "helped more" not in text


def test_what_is_not_asked_or_there_is_not_described() -> None:
    text = methods(filled(make_version(questions="comment", conditions="[{name: only, stages: [C]}]")))
    assert text.startswith("3 annotators took part in a study with one condition (only).")
    for absent in ("onfidence was", "permutation", "quiz", "attention", "LIME", "assigned each person", "simulated"):
        assert absent not in text


def test_quiz_checks_and_exclusions_are_described() -> None:
    version = make_version()
    version.definition["items"]["checks"] = 2
    version.definition["plan"]["exclude"] = ["failed_checks"]
    version.definition["pages"]["quiz"] = {
        "questions": [{"text": "What?", "options": ["a", "b"], "correct": "a"}],
        "attempts": 1,
    }
    text = methods(filled(version))
    assert "they passed a quiz about the task within 1 attempt." in text
    assert "Among them stood 2 attention checks, which no figure counts." in text
    assert (
        "The plan leaves out annotators who answered at least one attention check other than its text asks: 0 of 6"
        " finished sheets." in text
    )


def test_who_was_lost_is_counted() -> None:
    version = filled(make_version())
    version.study.state = "closed"
    version.study.save()
    make_sheet(version, "U", "AA", step="item")
    make_sheet(version, "U", "", step="withdrawn")
    assert "Of 8 people who started, 1 did not finish and 1 withdrew (their answers are deleted)." in methods(version)


def test_a_frozen_study_names_its_plan_and_a_changed_one_its_deviation(monkeypatch: pytest.MonkeyPatch) -> None:
    version = filled(make_version())
    version.plan_sha256 = "a" * 64
    version.save()
    for now, sentence in (
        ("a" * 64, "were frozen before data collection (plan aaaaaaaaaaaa) and not changed since."),
        ("b" * 64, "deviates from the plan frozen before data collection (aaaaaaaaaaaa)."),
    ):
        monkeypatch.setattr("studies.services.freezing.plan_sha256", lambda version, now=now: now)
        assert sentence in methods(version)


def test_a_look_before_unblinding_is_told() -> None:
    version = filled(make_version())
    AuditEntry.objects.create(study=version.study, number=1, act="peek", actor="ada", at=version.created, sha256="0")
    assert "Outcomes were looked at once before unblinding." in methods(version)


def test_simulated_answers_say_so_first_and_nobody_was_recruited() -> None:
    text = methods(filled(make_version(), kind="simulated"))
    assert text.startswith("6 simulated annotators took part")
    assert "Their answers were made by a program and say nothing about people." in text
    for absent in ("who started", "assigned each person", "not frozen"):
        assert absent not in text


@pytest.mark.parametrize("design", ["apart", None, "joint"])
def test_how_the_samples_of_lime_were_made_is_told_as_the_artefacts_have_it(design: str | None) -> None:
    version = filled(make_version())
    config = {"samples": 1000, **({"design": design} if design else {})}
    for stage, target in (("U", "logit:0"), ("Rl", "feature:4")):
        artefact = Artefact.objects.create(
            subject_kind="datapoint",
            subject="val:0",
            stage=stage,
            target=target,
            state="ready",
            sha256="0" * 64,
            params={},
            numbers={"config": config},
            params_hash="0" * 64,
        )
        version.artefacts.add(artefact)
    text = methods(version)
    told = (
        "LIME (U and Rl) is that of Ribeiro, Singh & Guestrin, 2016, with 1000 samples of each datapoint (itself among"
        " them), perturbed with seed 0"
    )
    one, all_ = "shared equally among the modalities, one perturbed", "each of which perturbs the modalities together."
    assert f"{told}, {one if design == 'apart' else all_}" in text
    assert ("at a time" in text) == (design == "apart")


def test_without_a_finished_sheet_there_is_nothing_to_describe() -> None:
    assert methods(make_version()) == "No sheet is finished yet: there is nothing to describe."


def test_one_annotator_has_no_agreement_interval_or_test() -> None:
    version = make_version()
    make_sheet(version, "U", right(8))
    text = methods(version)
    for absent in ("Krippendorff", "interval", "permutation"):
        assert absent not in text


def test_every_citation_has_its_reference_and_none_is_missing() -> None:
    paragraph, _, references = methods(filled(make_version(conditions=NESTED))).partition("\n\nReferences: ")
    for name in ("Krippendorff", "Efron", "Fleiss", "Gwet", "Holm", "Janssen", "Ribeiro"):
        assert name in paragraph
        assert f"{name}, " in references
    assert "Liang" not in references


def test_the_spelling_is_neither_british_nor_american() -> None:
    for conditions in (NESTED, "multiviz-ablation"):
        paragraph = methods(filled(make_version(conditions=conditions, slug=f"s{len(conditions)}")))
        assert not DIVIDED.findall(paragraph.partition("\n\nReferences: ")[0])

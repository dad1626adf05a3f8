"""Comparisons and trends of accuracy, alpha and confidence: by annotators, adjusted within each."""

from __future__ import annotations

import pytest

from studies.reports.build import build
from tests.studies.reports.answers import make_sheet, make_version, right

pytestmark = pytest.mark.django_db
NESTED = "[{name: U, stages: [U]}, {name: U+C, stages: [U, C]}, {name: U+C+Rl, stages: [U, C, Rl]}]"


def of(found, statistic):
    return [each for each in found if each.statistic == statistic]


def test_alphas_are_compared_by_relabelling_annotators():
    version = make_version(count=4)
    for letters in ("AABB", "AABB", "AABB"):
        make_sheet(version, "U", letters)
    for letters in ("ABAB", "BBAA", "BAAB"):
        make_sheet(version, "U+Rl", letters)
    (pair,) = of(build(version).comparisons, "alpha")
    # U: 1. U+Rl: items ABB, BBA, AAA, BAB: disagreements (4 + 4 + 0 + 4) / 2 = 6 of 12; 6 A and 6 B: expected 72 / 132;
    # alpha = 1 - .5 / .545455 = 1/12. Only all three AABB together have an alpha of 1: 2 of 20 relabellings.
    assert pair.difference == pytest.approx(1 / 12 - 1)
    assert (pair.unit, pair.exact, pair.p, pair.smallest_possible_p) == ("annotator", True, 0.1, 0.1)


def test_an_undefined_alpha_is_compared_with_nothing():
    version = make_version(count=4, conditions=NESTED)
    for letters in ("AABB", "AABA"):
        make_sheet(version, "U", letters)
        make_sheet(version, "U+C", letters)
        make_sheet(version, "U+C+Rl", "AAAA")
    report = build(version)
    assert [(pair.a, pair.b) for pair in of(report.comparisons, "alpha")] == [("U", "U+C")]
    assert [trend.order for trend in of(report.trends, "alpha")] == [("U", "U+C")]
    assert len(of(report.comparisons, "accuracy")) == 3
    assert "Alpha of condition U+C+Rl is undefined: all answers are the same." in report.warnings


def test_confidence_is_compared_by_the_mean_of_each_annotator():
    version = make_version(count=4)
    for confidence in (1, 2, 3):
        make_sheet(version, "U", "AABB", confidence=confidence)
        make_sheet(version, "U+Rl", "AABB", confidence=confidence + 2)
    report = build(version)
    (pair,) = of(report.comparisons, "confidence")
    # 1 2 3 against 3 4 5; sums of three of 1 2 3 3 4 5 (18 in all) that lie as far from 9 as 6 does: 6 = 1 + 2 + 3 with
    # either 3, and 12 likewise: 4 of 20
    assert pair.difference == 2
    assert pair.p == pytest.approx(4 / 20)
    assert report.conditions[0].confidence.per_annotator == (1, 2, 3)


def test_what_is_not_asked_is_not_compared():
    version = make_version(count=4, questions="comment")
    for name in ("U", "U+Rl"):
        make_sheet(version, name, "AABB")
        make_sheet(version, name, "AABA")
    report = build(version)
    assert {pair.statistic for pair in report.comparisons} == {"accuracy", "alpha"}
    assert report.conditions[0].confidence is None
    assert report.conditions[0].calibration is None


def test_holm_counts_the_pairs_of_one_statistic():
    version = make_version(conditions=NESTED)
    for i, name in enumerate(("U", "U+C", "U+C+Rl")):
        for count in (1, 2, 3):
            make_sheet(version, name, right(count + 5 * i), confidence=i + 1)
    report = build(version)
    # Separated groups of three: p = .1 each, times three pairs, in accuracy and in confidence
    for statistic in ("accuracy", "confidence"):
        assert [pair.p_adjusted for pair in of(report.comparisons, statistic)] == pytest.approx([0.3] * 3)


def test_the_trend_of_accuracy_is_first_and_stands_alone_as_well():
    version = make_version(conditions=NESTED)
    for i, name in enumerate(("U", "U+C", "U+C+Rl")):
        for count in (1, 2):
            make_sheet(version, name, right(count + 5 * i), confidence=i + 2)
    report = build(version)
    assert [trend.statistic for trend in report.trends] == ["accuracy", "alpha", "confidence"]
    assert report.trends[0] == report.trend
    # 90 relabellings, this one and its mirror image
    assert report.trends[2].p == pytest.approx(2 / 90)


def test_the_declared_trend_is_the_main_result():
    version = make_version(conditions=NESTED)
    for i, name in enumerate(("U", "U+C", "U+C+Rl")):
        for count in (1, 2):
            make_sheet(version, name, right(count + 5 * i))
    primary = build(version).primary
    assert (primary.comparison, primary.p) == ("trend", pytest.approx(2 / 90))
    # Order 0 0 1 1 2 2, scores .05 .10 .30 .35 .55 .60 around .325: products with order - 1 sum to 1, squares to 4 and
    # .25375; 1 / sqrt(4 * .25375) = .9926
    said = "Main result as declared: trend of accuracy over U, U+C, U+C+Rl: correlation +0.993, "
    assert primary.sentence.startswith(said)
    assert primary.sentence.endswith("p = 0.022 (level 0.05: reached).")


def test_the_declared_pairs_are_the_main_result():
    version = make_version()
    version.definition["plan"]["primary"] = "pairs"
    for count in (4, 5, 6):
        make_sheet(version, "U", right(count))
        make_sheet(version, "U+Rl", right(count + 10))
    primary = build(version).primary
    assert (primary.comparison, primary.p) == ("pairs", pytest.approx(0.1))
    assert primary.sentence == (
        "Main result as declared: accuracy by pairs, 0 of 1 differ after Holm's correction; the smallest adjusted"
        " p = 0.100 for U+Rl minus U, +0.500 (level 0.05: not reached)."
    )


def test_a_main_result_that_cannot_be_has_its_reason():
    version = make_version(conditions="[{name: U, stages: [U]}, {name: C, stages: [C]}]")
    for name in ("U", "C"):
        make_sheet(version, name, right(4))
    primary = build(version).primary
    assert primary.p is None
    assert "there is none: it needs two conditions" in primary.sentence

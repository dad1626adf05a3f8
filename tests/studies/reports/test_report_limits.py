"""What a design cannot show: each statistic is a family of its own, and no bound claims more than holds."""

from __future__ import annotations

from itertools import combinations

from studies.reports.limits import limits
from studies.reports.shape import Comparison, ConditionReport, Statistic
from tests.studies.reports.report_values import a_condition


def pairs(statistic: Statistic, names: str, least: float) -> list[Comparison]:
    return [
        Comparison(
            a=a,
            b=b,
            statistic=statistic,
            difference=0.1,
            unit="annotator",
            p=0.5,
            p_adjusted=0.5,
            smallest_possible_p=least,
            exact=True,
        )
        for a, b in combinations(names, 2)
    ]


def arms(names: str, annotators: int) -> list[ConditionReport]:
    return [ConditionReport.model_validate(a_condition(name, [0.5] * annotators)) for name in names]


def test_without_accuracy_the_families_of_alpha_and_confidence_are_not_added_up():
    # Three pairs of 4 per condition in each: 3 * 2 / 70 = .086, not 6 * 2 / 70.
    both = pairs("alpha", "ABC", 2 / 70) + pairs("confidence", "ABC", 2 / 70)
    (said,) = limits(arms("ABC", 4), both, [], 0.05)
    assert said.startswith("3 pairs: after Holm's correction no p can go below 0.086; 5 annotators per condition")


def test_what_a_strict_level_puts_out_of_reach_is_not_rounded_up():
    # 2 / 252 = .0079: .01 would be more than the test needs.
    (said,) = limits(arms("AB", 5), pairs("accuracy", "AB", 2 / 252), [], 0.001)
    assert said.startswith("5 annotators per condition: the annotator-level test cannot go below p = 0.008;")

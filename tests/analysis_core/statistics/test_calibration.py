"""Accuracy per confidence and whether confidence separates: counted by hand, compared with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from analysis_core.errors import BadInput
from analysis_core.statistics import calibration, calibration_sentence, separation

#: Two annotators, four items. At 5: 3 answers, 2 right; at 4: 2, both right; at 1: 2, none right. One has no truth.
RIGHT = [[1, 1, 0, 0], [1, 0, 1, None]]
SURE = [[5, 4, 5, 1], [4, 1, 5, 5]]


def drawn(annotators: int, items: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0.2, 0.95, items)
    right = (rng.random((annotators, items)) < chance).astype(float)
    sure = np.clip(np.round(1 + 4 * chance + rng.normal(0, 1, right.shape)), 1, 5)
    return right, sure


def test_each_level_counts_its_own_answers():
    found = calibration(RIGHT, SURE)
    assert [(each.level, each.answers, each.annotators) for each in found] == [
        (1, 2, 2), (2, 0, 0), (3, 0, 0), (4, 2, 2), (5, 3, 2),
    ]  # fmt: skip
    assert [each.accuracy for each in found] == [0, None, None, 1, pytest.approx(2 / 3)]
    assert all(each.interval is None for each in found)


def test_an_answer_counts_where_both_a_truth_and_a_confidence_are_there():
    found = calibration([[1, None, 1]], [[3, 3, None]])
    assert (found[2].answers, sum(each.answers for each in found)) == (1, 1)


def test_the_interval_is_wilsons_with_the_two_way_jackknife_of_a_ratio():
    right, sure = drawn(8, 30)
    given = sure == 4
    numbers = np.argwhere(given)
    share = right[given].mean()

    def without(keep: np.ndarray) -> float:
        return right[given & keep].mean()

    def variance(values: list[float]) -> float:
        return (len(values) - 1) ** 2 / len(values) * np.var(values, ddof=1)

    rows, columns = np.indices(right.shape)
    people, items = np.unique(numbers[:, 0]), np.unique(numbers[:, 1])
    by_annotator = variance([without(rows != person) for person in people])
    by_item = variance([without(columns != item) for item in items])
    single = variance([without((rows != row) | (columns != column)) for row, column in numbers])
    total = max(by_annotator, by_item, by_annotator + by_item - single)
    freedom = total**2 / (by_annotator**2 / (len(people) - 1) + by_item**2 / (len(items) - 1))
    stretch = student.ppf(0.975, freedom) ** 2 * total / (share * (1 - share))
    centre = (share + stretch / 2) / (1 + stretch)
    half = np.sqrt(stretch * (share * (1 - share) + stretch / 4)) / (1 + stretch)
    assert calibration(right, sure)[3].interval == pytest.approx((centre - half, centre + half), abs=1e-12)


def test_few_annotators_or_nothing_but_right_answers_have_no_interval():
    right, sure = drawn(2, 30)
    assert all(each.interval is None for each in calibration(right, sure))
    assert calibration([[1, 1, 1]] * 4, [[5, 5, 5]] * 4)[4].interval is None


def test_the_area_is_that_of_scikit_learn_within_each_annotator():
    right, sure = drawn(6, 25, seed=3)
    expected = np.mean([roc_auc_score(right[row], sure[row]) for row in range(6)])
    found = separation(right, sure)
    assert (found.auc, found.annotators, found.reason) == (pytest.approx(expected), 6, None)


def test_an_annotator_who_is_always_right_says_nothing_about_separation():
    # The second: right at 4 and 5, wrong at 1: both pairs in order. The first makes no mistake.
    found = separation([[1, 1, 1], [1, 0, 1]], [[5, 1, 3], [4, 1, 5]])
    assert (found.auc, found.annotators) == (1, 1)
    # Equal confidences count as a half.
    assert separation([[1, 0]], [[3, 3]]).auc == 0.5


@pytest.mark.parametrize(
    ("right", "reason"), [([[1, 1], [0, 0]], "no_mistakes_and_successes"), ([[None, None]] * 2, "no_answers")]
)
def test_separation_that_cannot_be_told_has_a_reason(right: list[list[int]], reason: str):
    found = separation(right, [[1, 5], [2, 4]])
    assert (found.auc, found.annotators, found.reason) == (None, 0, reason)


def test_the_sentence_says_both_ends_of_the_scale_and_the_separation():
    # Pairs of the first annotator: right at 5 and 4, wrong at 5 and 1: 5-5 tie, 5-1, 4-5 not, 4-1: 2.5 of 4. The
    # second: right at 4 and 5, wrong at 1: 2 of 2. Mean of 62.5 and 100: 81 %.
    assert calibration_sentence(RIGHT, SURE) == (
        "When people said 5 they were right in 67% of 3 answers, when they said 1 in 0% of 2 answers. Of a right and a"
        " wrong answer of the same person, the right one had the higher confidence in 81% of pairs (mean of 2"
        " annotators with both; ties count half, 50% would be no sign of knowing)."
    )


def test_the_sentence_of_one_level_or_of_no_answer_stays_true():
    assert calibration_sentence([[1, 1]], [[3, 3]]) == (
        "When people said 3 they were right in 100% of 2 answers; they said nothing else. Whether confidence separates"
        " right from wrong cannot be told: nobody has both right and wrong answers."
    )
    assert calibration_sentence([[None]], [[3]]) == "No answer has both a confidence and a truth."
    assert "of 1 answer, when" in calibration_sentence([[1, 0]], [[5, 1]])


def test_what_does_not_fit_is_refused():
    with pytest.raises(BadInput, match="same shape, not 1 x 2 and 1 x 1"):
        calibration([[1, 0]], [[3]])
    with pytest.raises(BadInput, match="6 is none of 1, 2, 3, 4, 5"):
        calibration([[1]], [[6]])
    with pytest.raises(BadInput, match="2 is none of 0, 1"):
        calibration([[2]], [[3]])
    with pytest.raises(BadInput, match="ascend"):
        calibration([[1]], [[3]], levels=(3, 1))

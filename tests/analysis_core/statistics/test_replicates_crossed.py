"""The bootstrap over annotators and items: pair by pair on the explicit resample; copies of a person never meet."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_core.errors import BadInput
from analysis_core.statistics import LEVELS, alpha, crossed_replicates, replicates
from analysis_core.statistics.crossed_replicates import bootstrap_alphas_both
from analysis_core.statistics.disagreement import ratio_distance
from analysis_core.statistics.pairable import pairable
from analysis_core.statistics.ratings import read
from tests.analysis_core.statistics.random_tables import Table, answers


def alphas(table: Table, level: str, items: np.ndarray, annotators: np.ndarray) -> np.ndarray:
    return crossed_replicates._Crossed(pairable(read(table, level))).alphas(items, annotators)


def pair_by_pair(table: Table, level: str, items: np.ndarray, annotators: np.ndarray) -> float:
    """Rows and columns are copied as often as drawn; then every pair of answers is looked at."""
    who, what = np.repeat(np.arange(len(annotators)), annotators), np.repeat(np.arange(len(items)), items)
    resampled = table[who][:, what]
    answered = ~np.isnan(resampled)
    compared = [u for u in range(len(what)) if len(set(who[answered[:, u]])) > 1]
    row, column = np.nonzero(answered[:, compared])
    value, person = resampled[:, compared][row, column], who[row]
    if len(np.unique(value)) < 2:
        return float("nan")
    apart = distances(value, level)
    same_copy_or_other_person = (row[:, None] == row) | (person[:, None] != person)
    pairs = same_copy_or_other_person & ~np.eye(len(value), dtype=bool)
    expected = apart[pairs].sum() / pairs.sum()
    observed = 0.0
    for unit in range(len(compared)):
        here = (column[:, None] == unit) & (column == unit) & (person[:, None] != person)
        observed += (column == unit).sum() * apart[here].sum() / here.sum()
    return float(1 - observed / len(value) / expected)


def distances(value: np.ndarray, level: str) -> np.ndarray:
    if level == "nominal":
        return (value[:, None] != value).astype(np.float64)
    if level == "ratio":
        return ratio_distance(value[:, None], value)
    if level == "ordinal":
        # The mean rank of equal answers: those below, and half of the equal ones.
        value = (value < value[:, None]).sum(axis=1) + (value == value[:, None]).sum(axis=1) / 2
    return (value[:, None] - value) ** 2


@pytest.mark.parametrize("level", LEVELS)
def test_every_pair_but_those_of_two_copies_of_one_annotator_counts(level: str) -> None:
    table = answers(5, 8, missing=0.25, seed=2)
    assert ((~np.isnan(table)).sum(axis=0) >= 2).all()
    rng = np.random.default_rng(0)
    items, annotators = rng.multinomial(8, np.full(8, 1 / 8), 30), rng.multinomial(5, np.full(5, 1 / 5), 30)
    found = alphas(table, level, items.astype(np.float64), annotators.astype(np.float64))
    expected = [pair_by_pair(table, level, *drawn) for drawn in zip(items, annotators, strict=True)]
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("level", LEVELS)
def test_everyone_and_everything_once_is_alpha(level: str) -> None:
    table = answers(6, 12, missing=0.3, values=30)
    units = len(pairable(read(table, level)).unit)
    found = alphas(table, level, np.ones((1, units)), np.ones((1, 6)))
    assert found[0] == pytest.approx(alpha(table, level).value, abs=1e-12)


def test_one_annotator_drawn_alone_has_nobody_to_be_compared_with() -> None:
    table = answers(3, 10, missing=0)
    assert np.isnan(alphas(table, "nominal", np.ones((1, 10)), np.array([[3.0, 0, 0]]))).all()


def test_copies_of_an_annotator_do_not_inflate_agreement() -> None:
    table = answers(3, 20, missing=0, seed=1)
    value = alpha(table, "nominal").value
    found = bootstrap_alphas_both(table, "nominal", replicates=2_000, seed=0)
    rng = np.random.default_rng(0)
    plain = [alpha(table[rng.integers(0, 3, 3)], "nominal").value for _ in range(300)]
    # Of three draws two are alike with probability 1 - 3! / 27 = 7/9; the pairs of copies agree in everything.
    assert np.mean([x for x in plain if x is not None]) > value + 0.1  # type: ignore[operator]
    assert abs(np.nanmean(found) - value) < 0.05
    # All three draws the same person: 3 of 27.
    assert np.isnan(found).mean() == pytest.approx(1 / 9, abs=0.03)


def test_the_same_seed_gives_the_same_replicates_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    table = answers(4, 10)
    monkeypatch.setattr(crossed_replicates, "CELLS", 500)
    first, again = (bootstrap_alphas_both(table, "interval", replicates=50, seed=1) for _ in range(2))
    assert np.array_equal(first, again, equal_nan=True)
    assert np.nanstd(first) > np.nanstd(replicates.bootstrap_alphas(table, "interval", replicates=50, seed=1))


def test_undefined_tables_and_no_replicates() -> None:
    assert np.isnan(bootstrap_alphas_both([[1, 1], [1, 1]], "ratio", replicates=2, seed=0)).all()
    with pytest.raises(BadInput, match="at least one replicate"):
        bootstrap_alphas_both([[1, 2], [1, 2]], "ratio", replicates=0, seed=0)

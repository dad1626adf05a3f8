"""Drawn units are counted as numpy's bincount counts them, whatever their number."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_core.statistics import resamples
from analysis_core.statistics.pairable import pairable
from analysis_core.statistics.ratings import from_long
from analysis_core.statistics.resamples import Resampling, resampling, weights_of


def by_bincount(drawn: np.ndarray, units: int) -> np.ndarray:
    return np.array([np.bincount(row, minlength=units) for row in drawn])


def different_units(units: int) -> Resampling:
    """Two annotators, as many values as answers: no two units are alike."""
    unit, rater = np.repeat(np.arange(units), 2), np.tile([0, 1], units)
    return resampling(pairable(from_long(rater, unit, np.arange(2 * units), "interval", raters=2, units=units)))


@pytest.mark.parametrize(
    ("units", "kind"),
    [(2, np.uint16), (100, np.uint16), (255, np.uint16), (256, np.uint16), (4_095, np.uint16), (4_096, np.uint32)],
)
def test_each_replicate_counts_the_units_that_numpy_draws(units: int, kind: type) -> None:
    first = resamples.HELD // units
    rng = np.random.default_rng(7)
    # One replicate more than are drawn at a time: the second batch goes on where the first ended.
    drawn = [rng.integers(0, units, size=(rows, units), dtype=kind) for rows in (first, 1)]
    found = list(different_units(units).batches(first + 1, 7))
    assert [batch.shape for batch in found] == [(first, units), (1, units)]
    assert all(np.array_equal(batch, by_bincount(rows, units)) for batch, rows in zip(found, drawn, strict=True))


def test_more_units_than_are_drawn_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resamples, "HELD", 50)
    rng = np.random.default_rng(1)
    drawn = np.concatenate([rng.integers(0, 60, size=(1, 60), dtype=np.uint16) for _ in range(3)])
    assert np.array_equal(np.concatenate(list(different_units(60).batches(3, 1))), by_bincount(drawn, 60))


@pytest.mark.parametrize("draws", [1, 255, 256, 65_535, 65_536])
def test_one_unit_drawn_every_time_is_counted_in_full(draws: int) -> None:
    # 256 does not fit into one byte, 65,536 not into two.
    assert weights_of(np.full((2, draws), 1), 3).tolist() == [[0, draws, 0]] * 2


@pytest.mark.parametrize("counted", [1, 7, 40, 41, 1_000])
def test_blocks_of_any_size_count_the_same(counted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resamples, "COUNTED", counted)
    drawn = np.random.default_rng(2).integers(0, 5, size=(11, 20))
    assert np.array_equal(weights_of(drawn, 5), by_bincount(drawn, 5))


def test_units_with_equal_counts_are_drawn_from_the_multinomial_distribution() -> None:
    # 60 units of two kinds, 20 and 40 of them.
    value = np.repeat([[1, 2], [3, 4], [3, 4]], 20, axis=0).ravel()
    unit, rater = np.repeat(np.arange(60), 2), np.tile([0, 1], 60)
    drawing = resampling(pairable(from_long(rater, unit, value, "interval", raters=2, units=60)))
    assert drawing.times is not None
    assert sorted(drawing.times.tolist()) == [20, 40]
    (found,) = drawing.batches(9, 3)
    expected = np.random.default_rng(3).multinomial(60, np.array(drawing.times) / 60, size=9)
    assert np.array_equal(found, expected)

"""Claim: 10,000 bootstrap replicates of alpha cost milliseconds, and any table costs by its answers alone.

The usual way is a loop over the krippendorff package, given value counts, its quicker form; raw answers are in notes.
Nothing is compiled on the way, so that the first call takes as long as the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import krippendorff
import numpy as np
from numpy.typing import NDArray

from analysis_core.statistics import LEVELS, alpha, bootstrap_alphas, from_long
from analysis_core.statistics.leave_one_out import leave_one_out
from analysis_core.statistics.ratings import Ratings
from benchmarks.claims import Row, Scale
from benchmarks.measure import alone, interleaved, timed

#: What is asked for; the loops do few of them, and their time is multiplied.
REPLICATES = 10_000
VALUES = 5


@dataclass(frozen=True)
class Effort:
    """repeats: of each measurement; replicates, raw: how many the loops do; shares: 1 / these of the large table"""

    repeats: int
    replicates: int
    raw: int
    shares: tuple[int, ...]


EFFORTS = {"small": Effort(2, 20, 5, (64,)), "paper": Effort(7, 200, 50, (1, 4, 16))}


def rows(scale: Scale) -> Iterator[Row]:
    """Bootstrap on dense tables and a sparse one, leave-one-out on the sparse one, alpha of a million answers."""
    effort = EFFORTS[scale]
    for raters, units in ((3, 20), (5, 40), (15, 100)):
        for level in LEVELS:
            yield dense(raters, units, level, effort)
    for level in LEVELS:
        yield sparse(effort.shares[0], level, effort)
    yield from (growth(share, effort) for share in effort.shares)
    yield each_left_out(effort.shares[0], effort)
    yield from a_million(1_000_000 // effort.shares[0], effort)


def dense(raters: int, units: int, level: str, effort: Effort) -> Row:
    """A complete table of correlated answers."""
    answers = complete(raters, units)
    counts = value_counts(answers)
    slow, fast = interleaved(
        partial(loop, counts, level, effort.replicates),
        partial(bootstrap_alphas, answers, level, replicates=REPLICATES, seed=0),
        repeats=effort.repeats,
        name=f"{raters} x {units}",
    )
    raw = alone(partial(raw_loop, answers, level, effort.raw), repeats=effort.repeats, name="raw") / effort.raw
    note = f"loop of {effort.replicates}, multiplied; raw answers {1e3 * REPLICATES * raw:,.0f} ms"
    return Row(
        f"{REPLICATES:,} replicates, {raters} x {units}, {level}", "ms", 1e3 * times(slow, effort), 1e3 * fast, note
    )


def sparse(share: int, level: str, effort: Effort) -> Row:
    """1,000 annotators, 10,000 items, 5 answers each, or a share of both: 99.5 % missing in the whole."""
    table = thin(1_000 // share, 10_000 // share, level, VALUES)
    few = max(1, effort.replicates // 40)
    slow, fast = interleaved(
        partial(loop, table.counts(), level, few),
        partial(bootstrap_alphas, table, level, replicates=REPLICATES, seed=0),
        repeats=max(1, effort.repeats // 2),
        name="sparse",
    )
    note = f"{len(table.code):,} answers; loop of {few}, multiplied"
    if share == 1 and level == "nominal":
        answers = np.where(table.codes >= 0, table.codes, np.nan)
        note += f"; raw answers {timed(partial(raw_loop, answers, level, 2)) / 2 * REPLICATES:,.0f} s"
    name = f"{REPLICATES:,} replicates, {table.raters:,} x {table.units:,}, {level}"
    return Row(name, "s", slow / few * REPLICATES, fast, note)


def growth(share: int, effort: Effort) -> Row:
    """The same with as many values as answers: no two items are alike, and each is drawn on its own."""
    table = thin(1_000 // share, 10_000 // share, "interval", 1_000_000)
    replicate = partial(bootstrap_alphas, table, "interval", replicates=REPLICATES, seed=0)
    seconds = alone(replicate, repeats=effort.repeats, name="growth")
    name = f"{REPLICATES:,} replicates, {table.raters:,} x {table.units:,}, {len(table.values):,} values"
    return Row(name, "s", None, seconds, "interval; too many values for the package")


def each_left_out(share: int, effort: Effort) -> Row:
    """Alpha without each annotator and each item of the sparse table."""
    table = thin(1_000 // share, 10_000 // share, "nominal", VALUES)
    counts, few = table.counts(), max(1, effort.replicates // 40)
    slow, fast = interleaved(
        lambda: [by_package(np.delete(counts, unit, axis=0), "nominal") for unit in range(few)],
        partial(leave_one_out, table),
        repeats=max(1, effort.repeats // 2),
        name="leave one out",
    )
    calls = table.raters + table.units
    note = f"{calls:,} values; loop of {few}, multiplied"
    return Row(f"each left out, {table.raters:,} x {table.units:,}, nominal", "s", slow / few * calls, fast, note)


def a_million(answers: int, effort: Effort) -> Iterator[Row]:
    """Alpha of answers in long form, reading included; with few values beside the package, with many alone."""
    repeats = max(1, effort.repeats // 2)
    columns = long_columns(answers, VALUES)
    slow, fast = interleaved(
        partial(package_long, *columns), partial(alpha_long, *columns, "interval"), repeats=repeats, name="long"
    )
    yield Row(f"alpha of {answers:,} answers, {VALUES} values", "s", slow, fast, "interval; value counts and alpha")
    columns = long_columns(answers, answers // 10)
    for level in ("interval", "ordinal"):
        seconds = alone(partial(alpha_long, *columns, level), repeats=repeats, name=level)
        gigabytes = (answers // 10) ** 2 * 8 / 1e9
        note = f"{level}; the package would need tables of {gigabytes:,.3g} GB"
        yield Row(f"alpha of {answers:,} answers, {answers // 10:,} values", "s", None, seconds, note)


def times(seconds: float, effort: Effort) -> float:
    """A loop over few replicates, multiplied to all."""
    return seconds / effort.replicates * REPLICATES


def loop(counts: NDArray[Any], level: str, replicates: int) -> NDArray[Any]:
    """The package on value counts [units, values] of drawn units."""
    rng, units = np.random.default_rng(0), len(counts)
    return np.array([by_package(counts[rng.integers(0, units, units)], level) for _ in range(replicates)])


def raw_loop(answers: NDArray[Any], level: str, replicates: int) -> NDArray[Any]:
    """The package on drawn columns of answers [raters, units]."""
    rng, units = np.random.default_rng(0), answers.shape[1]
    drawn = (answers[:, rng.integers(0, units, units)] for _ in range(replicates))
    return np.array([krippendorff.alpha(table, level_of_measurement=level) for table in drawn])


def by_package(counts: NDArray[Any], level: Any) -> float:
    """Alpha from value counts of the values 1, 2, ..."""
    domain = np.arange(1.0, counts.shape[1] + 1)
    return float(krippendorff.alpha(value_counts=counts, value_domain=domain, level_of_measurement=level))


def complete(raters: int, units: int) -> NDArray[np.float64]:
    """Correlated answers 1 to VALUES."""
    rng = np.random.default_rng(0)
    truth = rng.integers(1, VALUES + 1, units)
    noise = rng.integers(1, VALUES + 1, (raters, units))
    return np.where(rng.random((raters, units)) < 0.6, truth, noise).astype(np.float64)


def value_counts(answers: NDArray[np.float64]) -> NDArray[np.int64]:
    """[units, VALUES]"""
    return (answers.T[..., None] == np.arange(1, VALUES + 1)).sum(axis=1)


def thin(raters: int, units: int, level: str, values: int) -> Ratings:
    """Five annotators, at random, answer each item with 1 to `values`."""
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(units), 5)
    rater = (rng.integers(0, raters, units)[:, None] + np.arange(5)) % raters
    return from_long(rater.ravel(), unit, rng.integers(1, values + 1, len(unit)), level, raters=raters, units=units)


def long_columns(answers: int, values: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """rater, unit, value of answers, five to a unit, in random order."""
    rng = np.random.default_rng(0)
    order = rng.permutation(answers)
    rater, unit = np.arange(answers) % 5, np.arange(answers) // 5
    return rater[order], unit[order], rng.integers(1, values + 1, answers)


def alpha_long(rater: NDArray[Any], unit: NDArray[Any], value: NDArray[Any], level: str) -> Any:
    """Ours, from columns."""
    return alpha(from_long(rater, unit, value, level, raters=5, units=-(-len(unit) // 5)), level)


def package_long(rater: NDArray[Any], unit: NDArray[Any], value: NDArray[Any]) -> float:
    """The package, from value counts made of columns."""
    flat = np.bincount(unit * VALUES + value - 1, minlength=(int(unit.max()) + 1) * VALUES)
    return by_package(flat.reshape(-1, VALUES), "interval")

"""Expected widths of the 95 % intervals of alpha and accuracy, from simulated rating tables of a design."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis_core.statistics.design import Design
from analysis_core.statistics.intervals import alpha_interval
from analysis_core.statistics.scores import crossed_accuracy
from analysis_core.statistics.simulation import Population, as_letters, simulate_answers

#: Replicates of each simulated table's bootstrap, where the interval is one: widths need fewer than intervals
REPLICATES = 500


@dataclass(frozen=True)
class Width:
    """One condition: mean widths over the tables that have an interval, with their standard errors.

    None where fewer than half of the tables have one: with two annotators nobody can be left out
    """

    alpha: float | None
    alpha_error: float | None
    accuracy: float | None
    accuracy_error: float | None
    tables: int


def interval_widths(design: Design, *, tables: int = 100, seed: int = 0, over: str = "both") -> tuple[Width, ...]:
    """Widths per condition. over: what alpha's interval generalises to, as in alpha_interval"""
    found: dict[tuple[float, int], Width] = {}
    for population, size in zip(design.populations, design.sizes, strict=True):
        key = (population.accuracy, size)
        if key not in found:
            found[key] = _widths(population, size, design.items, tables=tables, seed=seed, over=over)
    return tuple(found[p.accuracy, size] for p, size in zip(design.populations, design.sizes, strict=True))


def alpha_width_grid(
    design: Design, annotators: Sequence[int], items: Sequence[int], *, tables: int = 30, seed: int = 0
) -> tuple[tuple[float | None, ...], ...]:
    """Expected width of alpha's interval in the design's first condition, for several sizes: [items][annotators]."""
    population = design.populations[0]
    return tuple(
        tuple(expected(alpha_widths(population, n, k, tables=tables, seed=seed), tables)[0] for n in annotators)
        for k in items
    )


def alpha_widths(
    population: Population, annotators: int, items: int, *, tables: int, seed: int, over: str = "both"
) -> list[float]:
    """Widths of alpha's interval in simulated tables, those without an interval left out."""
    answers = _tables(population, annotators, items, tables, seed)
    letters = as_letters(answers, population.choices, rng=np.random.default_rng([seed, 3]))
    intervals = (
        alpha_interval(table, "nominal", over=over, replicates=REPLICATES, seed=number).interval
        for number, table in enumerate(letters)
    )
    return [found[1] - found[0] for found in intervals if found is not None]


def _widths(population: Population, annotators: int, items: int, *, tables: int, seed: int, over: str) -> Width:
    alphas = alpha_widths(population, annotators, items, tables=tables, seed=seed, over=over)
    intervals = (
        crossed_accuracy((table == 0).astype(np.float64)).interval
        for table in _tables(population, annotators, items, tables, seed)
    )
    accuracies = [found[1] - found[0] for found in intervals if found is not None]
    return Width(*expected(alphas, tables), *expected(accuracies, tables), tables)


def expected(widths: Sequence[float], tables: int) -> tuple[float | None, float | None]:
    """Mean and standard error; None where fewer than half of the tables have an interval."""
    if not widths or 2 * len(widths) < tables:
        return None, None
    spread = float(np.std(widths, ddof=1)) if len(widths) > 1 else math.nan
    return float(np.mean(widths)), None if math.isnan(spread) else spread / math.sqrt(len(widths))


def _tables(population: Population, annotators: int, items: int, tables: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, 2])
    return simulate_answers(population, annotators=annotators, items=items, tables=tables, rng=rng)

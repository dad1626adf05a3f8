"""Alpha without each annotator, and without each item: what the jackknife needs."""

from __future__ import annotations

import numpy as np

from analysis_core.statistics.ratings import Floats, Ratings
from analysis_core.statistics.replicates import BLOCK, weighted_alphas


def leave_one_out(coded: Ratings) -> tuple[Floats, Floats]:
    """(by_annotator, by_item): alpha without each of those that take part in it; nan where it is undefined.

    by_annotator: float64, one per annotator with an answer to an item that others answered, in order
    by_item:      float64, one per item with at least two answers, in order
    """
    return _without_each_annotator(coded), _without_each_item(coded)


def _without_each_item(coded: Ratings) -> Floats:
    counts = coded.counts()
    counts = counts[counts.sum(axis=1) >= 2]
    n = len(counts)
    blocks = (_ones_but(start, min(start + BLOCK, n), n) for start in range(0, n, BLOCK))
    parts = [weighted_alphas(counts, coded.values, coded.level, weights) for weights in blocks]
    return np.concatenate(parts) if parts else np.empty(0)


def _ones_but(start: int, stop: int, n: int) -> Floats:
    weights = np.ones((stop - start, n))
    weights[np.arange(stop - start), np.arange(start, stop)] = 0
    return weights


def _without_each_annotator(coded: Ratings) -> Floats:
    counts = coded.counts()
    overlapping = counts.sum(axis=1) >= 2
    results = []
    for codes in coded.codes:
        given = np.flatnonzero((codes >= 0) & overlapping)
        if len(given):
            fewer = counts.copy()
            fewer[given, codes[given]] -= 1
            results.append(weighted_alphas(fewer, coded.values, coded.level, np.ones((1, len(fewer))))[0])
    return np.array(results)

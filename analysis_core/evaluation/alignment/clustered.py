"""Intervals of a share whose trials come in clusters: phrases of one picture are not independent of each other."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb


def clustered_interval(hits: Sequence[Sequence[bool]]) -> tuple[float, float]:
    """95 % interval of the share of hits, for new clusters of the same kind; hits: one sequence per cluster.

    Clopper and Pearson's interval at the number of independent trials that would vary as much (Korn and Graubard 1998,
    Survey Methodology 24), never more than there are. Where all trials end alike nothing shows how much they vary, and
    each cluster counts as one trial.
    """
    # Here and not above: loading a stored result should not take the half second that scipy.stats takes.
    from scipy.stats import beta, t

    counts, sums = [len(of) for of in hits], [sum(of) for of in hits]
    n, m, found = sum(counts), len(hits), sum(sums)
    if m < 2:
        return 0.0, 1.0
    share = found / n
    if found in (0, n):
        trials = float(m)
    else:
        variance = m / (m - 1) * sum((s - share * c) ** 2 for s, c in zip(sums, counts, strict=True)) / n**2
        trials = min(share * (1 - share) / variance, float(n)) if variance > 0 else float(n)
        trials *= float(t.ppf(0.975, n - 1) / t.ppf(0.975, m - 1)) ** 2
    hit = share * trials
    low = float(beta.ppf(0.025, hit, trials - hit + 1)) if found else 0.0
    high = float(beta.ppf(0.975, hit + 1, trials - hit)) if found < n else 1.0
    return low, high


def chance(named: int, candidates: int, top: int) -> float:
    """How often one of the `named` candidates is among `top` drawn at random."""
    return 1 - comb(candidates - named, top) / comb(candidates, top) if candidates > top else 1.0

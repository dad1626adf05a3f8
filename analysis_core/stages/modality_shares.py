"""How much each modality matters to a prediction: its share of the absolute Shapley values. Behind unimodal.py."""

from __future__ import annotations

import math
from collections.abc import Iterable

from analysis_core.arguments import listed, one_attribution
from analysis_core.errors import BadInput
from analysis_core.types import Attribution

#: A sum of absolute values below this share of the target's own size is round-off.
_ROUND_OFF = 1e-12


def modality_shares(found: Attribution | Iterable[Attribution]) -> dict[str, float]:
    """MM-SHAP: each modality's share of the sum of absolute Shapley values; of several results, the mean of theirs.

    found:   a result of `unimodal.shap` over all modalities, or one per sample of a dataset
    returns: modality -> 0 to 1, together 1. A result whose values are round-off or 0 has no shares: it does not count
             among several, and alone it gives NaN for every modality
    raises:  BadInput (not Shapley values, or of a game in which some modality stayed whole; results of different
             modalities; none)
    source:  Parcalabescu & Frank 2023, "MM-SHAP"
    """
    several = [found] if isinstance(found, Attribution) else listed("found", found, "[first, second]")
    rows = [_shares(one_attribution(each)) for each in several]
    if not rows:
        raise BadInput("no result is given: give one of unimodal.shap, or one per sample")
    for row in rows[1:]:
        if row.keys() != rows[0].keys():
            raise BadInput(f"the results are of different modalities: {', '.join(rows[0])} and {', '.join(row)}")
    counted = [row for row in rows if not any(map(math.isnan, row.values()))]
    return {m: sum(row[m] for row in counted) / len(counted) if counted else math.nan for m in rows[0]}


def _shares(one: Attribution) -> dict[str, float]:
    if one.method != "shap":
        raise BadInput(f"shares are of Shapley values, those of unimodal.shap, not of {one.method!r}")
    if present := one.config.get("present"):
        raise BadInput(f"{', '.join(present)} stayed whole in this game: shares need all modalities (modalities=None)")
    if len(one.values) < 2:
        raise BadInput("shares need at least two modalities whose atoms are switched: call unimodal.shap on them all")
    sizes = {m: float(values.abs().sum()) for m, values in one.values.items()}
    total = sum(sizes.values())
    size = max(abs(one.quality.get(end, 0.0)) for end in ("value", "absent"))
    return {m: part / total if total > _ROUND_OFF * size else math.nan for m, part in sizes.items()}

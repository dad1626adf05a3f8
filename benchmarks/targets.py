"""Claim: one set of perturbations serves all targets. Both ways are batched and run the same code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from analysis_core.models.base import MultimodalModel
from analysis_core.stages import unimodal
from analysis_core.targets import Feature, PredictedLogit, Target
from benchmarks.claims import Row, Scale
from benchmarks.measure import alone, forwards_of, interleaved
from benchmarks.shipped import scenes, scenes_model

SAMPLES, FEATURES = 200, 5
#: Ours is run with these numbers of rows, too: at paper scale the whole, a quarter and a sixteenth. Shapley values of
#: 50 atoms take 104 rows at least, so that 200 are the sixteenth there.
GROWING: dict[Scale, dict[str, tuple[int, ...]]] = {
    "small": {"LIME": (50, 12), "Shapley values": (400,)},
    "paper": {"LIME": (200, 50, 12), "Shapley values": (3200, 800, 200)},
}

Sample = Mapping[str, Any]
#: model, sample, targets, rows
Explain = Callable[[MultimodalModel, Sample, Sequence[Target], int], object]


def rows(scale: Scale) -> Iterator[Row]:
    """Forwards and seconds per item: the predicted logit (U) and five features (Rl)."""
    count, repeats = {"small": (1, 2), "paper": (3, 5)}[scale]
    model, samples = scenes_model(), scenes(count)
    targets: list[Target] = [PredictedLogit(), *(Feature(j) for j in range(FEATURES))]

    for name, explain in (("LIME", _lime), ("Shapley values", _shap)):
        yield from _rows_of(name, explain, model, samples, targets, repeats)
        yield from _growing(name, explain, model, samples[0], targets, scale)


def _lime(model: MultimodalModel, sample: Sample, targets: Sequence[Target], rows: int) -> object:
    return unimodal.lime(model, sample, targets, samples=rows)


def _shap(model: MultimodalModel, sample: Sample, targets: Sequence[Target], rows: int) -> object:
    return unimodal.shap(model, sample, targets, evaluations=rows)


def _rows_of(
    name: str,
    explain: Explain,
    model: MultimodalModel,
    samples: Sequence[Sample],
    targets: Sequence[Target],
    repeats: int,
) -> Iterator[Row]:
    def one_by_one() -> None:
        for sample in samples:
            for target in targets:
                explain(model, sample, [target], SAMPLES)

    def together() -> None:
        for sample in samples:
            explain(model, sample, targets, SAMPLES)

    counted = []
    for way in (one_by_one, together):
        with forwards_of(type(model)) as done:
            way()
        counted.append(done.forwards / len(samples))
    note = f"{SAMPLES} rows, the whole sample among them; both batched"
    yield Row(f"{name}, {len(targets)} targets, per item", "forwards", counted[0], counted[1], note)
    usual, ours = interleaved(one_by_one, together, repeats=repeats, name="targets")
    label, n = f"{name}, {len(targets)} targets, per item", len(samples)
    yield Row(label, "s", usual / n, ours / n, f"items: {n}")


def _growing(
    name: str, explain: Explain, model: MultimodalModel, sample: Sample, targets: Sequence[Target], scale: Scale
) -> Iterator[Row]:
    """Seconds of ours for one item with fewer or more rows, which are what a user's cost grows with."""
    for rows in GROWING[scale][name]:
        way = partial(explain, model, sample, targets, rows)
        taken = alone(way, repeats={"small": 1, "paper": 3}[scale], name=name)
        note = "items: 1; grows with the rows, which all targets share"
        yield Row(f"{name}, {len(targets)} targets, per item, {rows:,} rows", "s", None, taken, note)

"""Claim: one set of perturbations serves all targets. Both ways are batched and run the same code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from analysis_core.models.base import MultimodalModel
from analysis_core.stages import unimodal
from analysis_core.targets import Feature, PredictedLogit, Target
from benchmarks.claims import Row, Scale
from benchmarks.measure import forwards_of, interleaved
from benchmarks.shipped import scenes, scenes_model

SAMPLES, FEATURES = 200, 5

Sample = Mapping[str, Any]


def rows(scale: Scale) -> Iterator[Row]:
    """Forwards and seconds per item: the predicted logit (U) and five features (Rl)."""
    count, repeats = {"small": (1, 2), "paper": (3, 5)}[scale]
    model, samples = scenes_model(), scenes(count)
    targets: list[Target] = [PredictedLogit(), *(Feature(j) for j in range(FEATURES))]

    for name, explain in (("LIME", _lime), ("Shapley values", _shap)):
        yield from _rows_of(name, explain, model, samples, targets, repeats)


def _lime(model: MultimodalModel, sample: Sample, targets: Sequence[Target]) -> None:
    unimodal.lime(model, sample, targets, samples=SAMPLES)


def _shap(model: MultimodalModel, sample: Sample, targets: Sequence[Target]) -> None:
    unimodal.shap(model, sample, targets, evaluations=SAMPLES)


def _rows_of(
    name: str,
    explain: Callable[[MultimodalModel, Sample, Sequence[Target]], None],
    model: MultimodalModel,
    samples: Sequence[Sample],
    targets: Sequence[Target],
    repeats: int,
) -> Iterator[Row]:
    def one_by_one() -> None:
        for sample in samples:
            for target in targets:
                explain(model, sample, [target])

    def together() -> None:
        for sample in samples:
            explain(model, sample, targets)

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

"""Claim: one set of perturbations serves all targets. Both ways are batched and run the same code."""

from __future__ import annotations

from collections.abc import Iterator

from analysis_core.stages import unimodal
from analysis_core.targets import Feature, PredictedLogit, Target
from benchmarks.claims import Row, Scale
from benchmarks.measure import forwards_of, interleaved
from benchmarks.shipped import scenes, scenes_model

SAMPLES, FEATURES = 200, 5


def rows(scale: Scale) -> Iterator[Row]:
    """Forwards and seconds per item: the predicted logit (U) and five features (Rl)."""
    count, repeats = {"small": (1, 2), "paper": (3, 5)}[scale]
    model, samples = scenes_model(), scenes(count)
    targets: list[Target] = [PredictedLogit(), *(Feature(j) for j in range(FEATURES))]

    def one_by_one() -> None:
        for sample in samples:
            for target in targets:
                unimodal.lime(model, sample, [target], samples=SAMPLES)

    def together() -> None:
        for sample in samples:
            unimodal.lime(model, sample, targets, samples=SAMPLES)

    counted = []
    for way in (one_by_one, together):
        with forwards_of(type(model)) as done:
            way()
        counted.append(done.forwards / count)
    note = f"{SAMPLES} rows, the whole sample among them; both batched"
    yield Row(f"LIME, {len(targets)} targets, per item", "forwards", counted[0], counted[1], note)
    usual, ours = interleaved(one_by_one, together, repeats=repeats, name="targets")
    yield Row(f"LIME, {len(targets)} targets, per item", "s", usual / count, ours / count, f"items: {count}")

"""Whole splits: the prediction run, the sparse path fitted on it, and the facts that items are drawn from."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studies.computed import Computed, Job, Source, Tick
from studies.engine import loading

KKT = 1e-6  # as a share of the first knot; the exact path stays below 1e-9


@dataclass(frozen=True)
class Point:
    """What the drawing of items needs to know of one datapoint."""

    index: int
    id: str
    label: int | None
    predicted: int
    filters: Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """A split after its prediction run."""

    points: tuple[Point, ...]
    labels: tuple[str, ...]
    label_types: Mapping[str, str]


def facts(source: Source, split: str) -> Facts:
    """Every datapoint of a split whose prediction run is complete."""
    dataset, store = loading.dataset(source, split), loading.store(source, split)
    points = tuple(
        Point(index, row["id"], row["label"], row["predicted"], row) for index, row in enumerate(store.points())
    )
    return Facts(points, tuple(dataset.labels), dict(dataset.label_types))


def rankings(source: Source, split: str, indices: Sequence[int]) -> dict[int, list[int]]:
    """Classes from the highest logit to the lowest, for some datapoints."""
    logits = loading.store(source, split).logits
    return {i: [int(k) for k in (-logits[i]).argsort(kind="stable")] for i in indices}


def features_of(source: Source, split: str, index: int) -> list[float]:
    """The penultimate features of one datapoint."""
    return [float(value) for value in loading.store(source, split).features[index]]


def predict(job: Job, tick: Tick) -> Computed:
    """The prediction run of a split: logits and features stream into a store on disk; interrupted, it goes on."""
    from analysis_core import prediction_run

    source, split, start = job.source, job.subject, time.perf_counter()
    dataset = loading.dataset(source, split)
    store = prediction_run.run(
        loading.model(source),
        dataset,
        loading.store_folder(source, split),
        key=loading.store_key(source, split),
        progress=tick,
    )
    loading.forget_stores()
    right = [row["predicted"] == row["label"] for row in store.points() if row["label"] is not None]
    numbers = {"rows": len(dataset), "accuracy": sum(right) / len(right) if right else None}
    return Computed(numbers, {}, time.perf_counter() - start, len(dataset), loading.device())


def path(job: Job) -> Computed:
    """The sparse linear models from features to classes, one per class that occurs."""
    import numpy as np

    from analysis_core.errors import BadFeatures
    from analysis_core.stages import prediction

    start, options = time.perf_counter(), job.options
    store = loading.store(job.source, job.subject)
    column = "predicted" if options["fit"] == "predictions" else "label"
    targets = np.array([row[column] for row in store.points()])
    with warnings.catch_warnings():
        # Classes that never occur get an empty path; that stands in the notes.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = prediction.sparse_path(
            store.features, targets, family=options["family"], max_features=options["max_features"]
        )
    if found.kkt > KKT:
        raise BadFeatures(
            f"the sparse path is not optimal (KKT violation {found.kkt:.1e}): are features tied or copies?"
        )
    numbers = {
        "classes": {str(k): _class(found, k) for k in sorted({int(k) for k in targets})},
        "mean": found.mean.tolist(),
        "scale": found.scale.tolist(),
        "quality": {"kkt": found.kkt, "notes": list(found.notes), "config": found.config},
    }
    return Computed(numbers, {}, time.perf_counter() - start, 0, "cpu")


def _class(found: Any, k: int) -> dict[str, Any]:
    top, knot = found.top(k), int(found.selected[k])
    return {
        "indices": top.indices.tolist(),
        "weights": top.weights.tolist(),
        "r2": float(found.r2[k][knot]) if knot >= 0 else None,
    }

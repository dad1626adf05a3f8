"""THE SEAM: the only file that imports analysis_core's torch side. Plain values in, plain values out; workers only.

Importing this module loads no torch; its functions do. Models, datasets and feature stores stay loaded between rows.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from studies.computed import Computed

Source = Mapping[str, Any]
Tick = Callable[[int, int], None]
PNG, SVG = "image/png", "image/svg+xml"
SHOWN_SIDE = 800  # pixels; larger pictures are made smaller for the page
EXAMPLE_SPARES = 10  # candidates per example, so that examples of one picture can be left out


@dataclass(frozen=True)
class Job:
    """One artefact to compute, as its row describes it."""

    stage: str
    subject: str
    target: str
    params: Mapping[str, Any]


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


def compute(jobs: Sequence[Job], tick: Tick) -> Iterator[tuple[int, Computed]]:
    """Compute jobs of one subject and source; yields (number of the job, result) as each is done.

    tick: called with (done, total) while a long job goes on
    """
    stages = {job.stage for job in jobs}
    if "predictions" in stages:
        yield 0, _predict(jobs[0], tick)
    elif "path" in stages:
        yield 0, _path(jobs[0])
    elif "Rg" in stages:
        for i, job in enumerate(jobs):
            yield i, _examples(job)
    else:
        yield from _datapoint(jobs)


def facts(source: Source, split: str) -> Facts:
    """Every datapoint of a split whose prediction run is complete."""
    dataset, store = _dataset(source, split), _store(source, split)
    points = tuple(
        Point(index, row["id"], row["label"], row["predicted"], row) for index, row in enumerate(store.points())
    )
    return Facts(points, tuple(dataset.labels), dict(dataset.label_types))


def rankings(source: Source, split: str, indices: Sequence[int]) -> dict[int, list[int]]:
    """Classes from the highest logit to the lowest, for some datapoints."""
    logits = _store(source, split).logits
    return {i: [int(k) for k in (-logits[i]).argsort(kind="stable")] for i in indices}


def features_of(source: Source, split: str, index: int) -> list[float]:
    """The penultimate features of one datapoint."""
    return [float(value) for value in _store(source, split).features[index]]


def has_predictions(source: Source, split: str) -> bool:
    """Whether the feature store of a split lies on disk, whole."""
    from analysis_core.store import FeatureStore

    folder = _store_folder(source, split)
    return folder.exists() and FeatureStore.open(folder).complete


def device() -> str:
    """The device that work is done on: the DEVICE setting, or cuda where there is one."""
    import torch

    if settings.DEVICE != "auto":
        return str(settings.DEVICE)
    return "cuda" if torch.cuda.is_available() else "cpu"


def _predict(job: Job, tick: Tick) -> Computed:
    from analysis_core import prediction_run

    source, split, start = job.params["source"], job.subject, time.perf_counter()
    dataset = _dataset(source, split)
    store = prediction_run.run(
        _model(source), dataset, _store_folder(source, split), key=_store_key(source, split), progress=tick
    )
    _opened_store.cache_clear()
    right = [row["predicted"] == row["label"] for row in store.points() if row["label"] is not None]
    numbers = {"rows": len(dataset), "accuracy": sum(right) / len(right) if right else None}
    return _done(numbers, {}, start, forwards=len(dataset))


def _path(job: Job) -> Computed:
    import numpy as np

    from analysis_core.stages import prediction

    start, options = time.perf_counter(), job.params["options"]
    store = _store(job.params["source"], job.subject)
    column = "predicted" if options["fit"] == "predictions" else "label"
    targets = np.array([row[column] for row in store.points()])
    with warnings.catch_warnings():
        # Classes that never occur get an empty path; that stands in the notes.
        warnings.simplefilter("ignore", RuntimeWarning)
        path = prediction.sparse_path(
            store.features, targets, family=options["family"], max_features=options["max_features"]
        )
    classes = {}
    for k in sorted({int(k) for k in targets}):
        top, knot = path.top(k), int(path.selected[k])
        classes[str(k)] = {
            "indices": top.indices.tolist(),
            "weights": top.weights.tolist(),
            "r2": float(path.r2[k][knot]) if knot >= 0 else None,
        }
    numbers = {
        "classes": classes,
        "mean": path.mean.tolist(),
        "scale": path.scale.tolist(),
        "quality": {"kkt": path.kkt, "notes": list(path.notes), "config": path.config},
    }
    return _done(numbers, {}, start)


def _datapoint(jobs: Sequence[Job]) -> Iterator[tuple[int, Computed]]:
    """The stages of one datapoint: what shares perturbations is computed from one set of them."""
    split, _, index = jobs[0].subject.rpartition(":")
    source = jobs[0].params["source"]
    sample = _dataset(source, split)[int(index)]
    perturbed: dict[tuple[Any, ...], list[int]] = {}
    for i, job in enumerate(jobs):
        if job.stage in ("U", "Rl"):
            options = job.params["options"]
            perturbed.setdefault((options["method"], options["samples"], options["seed"]), []).append(i)
        elif job.stage == "input":
            yield i, _input(source, sample)
        elif job.stage == "C":
            yield i, _crossmodal(source, sample, job)
        elif job.stage == "P":
            yield i, _graph(job)
    for (method, samples, seed), members in perturbed.items():
        start = time.perf_counter()
        targets = [_target(jobs[i]) for i in members]
        found, forwards = _attribute(source, sample, targets, method=method, samples=samples, seed=seed)
        seconds = (time.perf_counter() - start) / len(members)
        for number, (i, attribution) in enumerate(zip(members, found, strict=True)):
            numbers, files = _drawn(source, sample, attribution)
            # The shared forward passes are counted once, with the first of the results that they serve.
            yield i, Computed(numbers, files, seconds, forwards if number == 0 else 0, device())


def _attribute(
    source: Source, sample: Mapping[str, Any], targets: Sequence[Any], *, method: str, samples: int, seed: int
) -> tuple[list[Any], int]:
    from analysis_core.stages import unimodal

    if method == "gradient":
        return [unimodal.gradient(_model(source), sample, target) for target in targets], len(targets)
    found = unimodal.lime(_model(source), sample, targets, samples=samples, seed=seed)
    return found, int(found[0].quality["forwards"])


def _input(source: Source, sample: Mapping[str, Any]) -> Computed:
    from analysis_core.visualizations import picture

    start = time.perf_counter()
    atoms = _model(source).encode(sample).atoms
    words = [{"text": name} for a in atoms.values() if a.kind == "word" for name in a.names]
    files = {"image": (picture.encode(sample["image"], max_side=SHOWN_SIDE), PNG)} if "image" in sample else {}
    return _done({"words": words}, files, start)


def _crossmodal(source: Source, sample: Mapping[str, Any], job: Job) -> Computed:
    """The words with the largest first-order gradient, each with its interactions in the picture."""
    from analysis_core.stages import crossmodal, unimodal
    from analysis_core.types import PICTURE_KINDS
    from analysis_core.visualizations import attribution as drawing

    start, options, model, target = time.perf_counter(), job.params["options"], _model(source), _target(job)
    encoded = model.encode(sample)
    text, image = _modality(encoded, "word"), _modality(encoded, *PICTURE_KINDS, "region")
    importance = unimodal.gradient(model, sample, target).values[text]
    atoms = sorted(importance.argsort(descending=True, stable=True)[: options["words"]].tolist())
    as_pixels = encoded.atoms[image].kind in PICTURE_KINDS
    found = crossmodal.second_order(
        model,
        sample,
        target,
        source=text,
        to=image,
        atoms=atoms,
        direction=options["direction"],
        pixels=as_pixels,
        seed=options["seed"],
    )
    assert found.pairs is not None
    pairs, files = [], {}
    for row, atom in enumerate(atoms):
        pairs.append({"word": encoded.atoms[text].names[atom], "atom": atom, "values": found.pairs[row].tolist()})
        if found.pixels is not None:
            files[f"overlay{row}"] = (drawing.pixels(found.pixels[row]), PNG)
        elif overlay := _overlay(encoded, image, found.pairs[row], sample):
            files[f"overlay{row}"] = (overlay, PNG)
    numbers = {"pairs": pairs, "config": dict(found.config), "quality": dict(found.quality)}
    return _done(numbers, files, start, forwards=2)


def _examples(job: Job) -> Computed:
    """The datapoints of the pool that activate a feature most, each with what sets the feature off."""
    from analysis_core.targets import Feature
    from analysis_core.visualizations import picture

    start, source, options = time.perf_counter(), job.params["source"], job.params["options"]
    split, feature = options["pool_split"], int(job.subject)
    dataset, files, examples, forwards = _dataset(source, split), {}, [], 0
    for place, index in enumerate(_most_active(source, options, feature, dataset)):
        sample = dataset[index]
        found, cost = _attribute(
            source,
            sample,
            [Feature(feature, options["layer"])],
            method=options["method"],
            samples=options["samples"],
            seed=options["seed"],
        )
        numbers, drawn = _drawn(source, sample, found[0])
        examples.append({"datapoint": sample["id"], "index": index, **numbers})
        files[f"image{place}"] = (picture.encode(sample["image"], max_side=SHOWN_SIDE), PNG)
        if "overlay" in drawn:
            files[f"overlay{place}"] = drawn["overlay"]
        forwards += cost
    return _done({"examples": examples}, files, start, forwards=forwards)


def _most_active(source: Source, options: Mapping[str, Any], feature: int, dataset: Any) -> list[int]:
    """Indices of the top datapoints, no two of one picture or with the same words where it can be helped."""
    found = _extremes(
        _frozen(source), options["pool_split"], options["pool"], options["top"], tuple(options["exclude"])
    )
    candidates = [int(i) for i in found.top[feature] if i >= 0]
    chosen: list[int] = []
    seen: set[str] = set()
    for index in candidates:
        marks = {str(dataset[index].get(key, index)) for key in ("image_path", "text")}
        if not marks & seen and len(chosen) < options["top"]:
            chosen.append(index)
            seen |= marks
    spare = [index for index in candidates if index not in chosen]
    return chosen + spare[: options["top"] - len(chosen)]


def _graph(job: Job) -> Computed:
    from analysis_core.visualizations import graph

    start, features = time.perf_counter(), job.params["options"]["features"]
    rows = [(f"Feature {i}", row["weight"]) for i, row in enumerate(features, start=1)]
    drawn = graph.svg(rows, None)
    return _done({"features": features}, {"graph": (drawn, SVG)}, start)


def _drawn(
    source: Source, sample: Mapping[str, Any], attribution: Any
) -> tuple[dict[str, Any], dict[str, tuple[bytes, str]]]:
    """An attribution's numbers, its words with strength levels, and its overlay: only what speaks for the target."""
    from analysis_core.visualizations import attribution as drawing

    encoded = _model(source).encode(sample)
    numbers: dict[str, Any] = {
        "values": {name: values.tolist() for name, values in attribution.values.items()},
        "config": dict(attribution.config),
        "quality": dict(attribution.quality),
        "target": dict(attribution.target),
        "words": [],
    }
    files: dict[str, tuple[bytes, str]] = {}
    for name, values in attribution.values.items():
        if encoded.atoms[name].kind == "word":
            numbers["words"] = drawing.word_levels(drawing.positive(values), encoded.atoms[name])
        else:
            overlay = _overlay(encoded, name, values, sample)
            if overlay is not None:
                files["overlay"] = (overlay, PNG)
    return numbers, files


def _overlay(encoded: Any, modality: str, values: Any, sample: Mapping[str, Any]) -> bytes | None:
    from analysis_core.visualizations import attribution as drawing

    return drawing.overlay(
        drawing.positive(values),
        encoded.atoms[modality],
        leaf_shape=tuple(encoded.x[modality].shape),
        picture_size=sample["image"].size,
    )


def _target(job: Job) -> Any:
    from analysis_core.targets import Feature, Logit

    kind, _, number = job.target.partition(":")
    if kind == "feature":
        return Feature(int(number), job.params["options"]["layer"])
    return Logit(int(number))


def _modality(encoded: Any, *kinds: str) -> str:
    from analysis_core.errors import MissingCapability

    for name, atoms in encoded.atoms.items():
        if atoms.kind in kinds:
            return str(name)
    raise MissingCapability(f"the model has no modality of kind {' or '.join(kinds)}, which C needs")


def _done(numbers: dict[str, Any], files: Mapping[str, tuple[bytes, str]], start: float, forwards: int = 0) -> Computed:
    return Computed(numbers, files, time.perf_counter() - start, forwards, device())


def _frozen(source: Source) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(source.items()))


def _model(source: Source) -> Any:
    return _loaded_model(_frozen(source), device())


def _dataset(source: Source, split: str) -> Any:
    return _opened_dataset(source["dataset"], source["root"], split)


@lru_cache(maxsize=2)
def _loaded_model(source: tuple[tuple[str, Any], ...], where: str) -> Any:
    import torch

    from analysis_core import models

    torch.set_num_threads(settings.TORCH_THREADS)
    named = dict(source)
    return models.load(named["model"], checkpoint=settings.BASE_DIR / named["checkpoint"], device=where)


@lru_cache(maxsize=8)
def _opened_dataset(name: str, root: str, split: str) -> Any:
    from analysis_core import datasets

    return datasets.load(name, root=settings.BASE_DIR / root, split=split)


def _store(source: Source, split: str) -> Any:
    return _opened_store(str(_store_folder(source, split)))


@lru_cache(maxsize=8)
def _opened_store(folder: str) -> Any:
    from analysis_core.store import FeatureStore

    return FeatureStore.open(Path(folder))


@lru_cache(maxsize=4)
def _extremes(source: tuple[tuple[str, Any], ...], split: str, pool: int, top: int, exclude: tuple[int, ...]) -> Any:
    from analysis_core.stages import representation

    store = _store(dict(source), split)
    left = min(len(store), pool) - sum(index < pool for index in exclude)
    return representation.extremes(store, k=max(1, min(top * EXAMPLE_SPARES, left)), exclude=exclude, pool=pool)


def _store_key(source: Source, split: str) -> dict[str, Any]:
    return {"source": dict(source), "split": split}


def _store_folder(source: Source, split: str) -> Path:
    digest = hashlib.sha256(json.dumps(_store_key(source, split), sort_keys=True).encode()).hexdigest()
    return Path(settings.STATE_DIR) / "features" / digest[:24]

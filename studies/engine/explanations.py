"""The stages of one datapoint: its picture and words, U and Rl from one set of perturbations, C, and the P graph."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from studies.computed import PNG, SVG, Computed, File, Job, Source, attempt
from studies.engine import loading
from studies.engine.perturbed import DESIGN

SHOWN_SIDE = 800  # pixels; larger pictures are made smaller for the page
#: What the P graph calls the class: true whichever class the policy explains, and the same length for all of them.
CLASS_NODE = "this answer"
Sample = Mapping[str, Any]


def compute(jobs: Sequence[Job]) -> Iterator[tuple[int, Computed | Exception]]:
    """Jobs of one datapoint; those that share perturbations are computed from one set of them."""
    split, _, index = jobs[0].subject.rpartition(":")
    source = jobs[0].source
    sample = loading.dataset(source, split)[int(index)]
    alone: dict[str, Callable[[Job], Computed]] = {
        "input": partial(_input, sample),
        "C": partial(_crossmodal, source, sample),
        "P": _graph,
    }
    perturbed: dict[tuple[Any, ...], list[int]] = {}
    for i, job in enumerate(jobs):
        if job.stage in alone:
            yield i, attempt(partial(alone[job.stage], job))
        else:
            options = job.options
            perturbed.setdefault((options["method"], options["samples"], options["seed"]), []).append(i)
    for members in perturbed.values():
        results = attempt(partial(_perturbed, source, sample, [jobs[i] for i in members]))
        for number, i in enumerate(members):
            yield i, results if isinstance(results, Exception) else results[number]


def _perturbed(source: Source, sample: Sample, jobs: Sequence[Job]) -> list[Computed]:
    """U and Rl of one method, number of samples and seed: one set of perturbations for all their targets."""
    start, options = time.perf_counter(), jobs[0].options
    settings = {name: options[name] for name in ("method", "samples", "seed")}
    found, forwards = attribute(source, sample, [_target(job) for job in jobs], **settings)
    pictures = [drawn(source, sample, attribution) for attribution in found]
    seconds = (time.perf_counter() - start) / len(jobs)
    # The shared forward passes are counted once, with the first of the results that they serve.
    return [
        Computed(numbers, files, seconds, forwards if number == 0 else 0, loading.device())
        for number, (numbers, files) in enumerate(pictures)
    ]


def attribute(
    source: Source, sample: Sample, targets: Sequence[Any], *, method: str, samples: int, seed: int
) -> tuple[list[Any], int]:
    """Unimodal attributions of one sample, and the forward passes they took together.

    method: lime or gradient, which has no use for samples and seed
    raises: UnknownName (another method)
    """
    from analysis_core.errors import UnknownName
    from analysis_core.stages import unimodal

    if method == "gradient":
        found = unimodal.saliency(loading.model(source), sample, targets)
    elif method == "lime":
        found = unimodal.lime(loading.model(source), sample, targets, samples=samples, seed=seed, design=DESIGN)
    else:
        raise UnknownName("method of U and R", method, ("lime", "gradient"))
    return found, int(found[0].quality["forwards"])


def drawn(source: Source, sample: Sample, attribution: Any) -> tuple[dict[str, Any], dict[str, File]]:
    """An attribution's numbers, its words with strength levels, and its overlay: only what speaks for the target."""
    from analysis_core.visualizations import attribution as drawing

    encoded = loading.model(source).encode(sample)
    numbers: dict[str, Any] = {
        "values": {name: values.tolist() for name, values in attribution.values.items()},
        "config": dict(attribution.config),
        "quality": dict(attribution.quality),
        "target": dict(attribution.target),
        "words": [],
    }
    files: dict[str, File] = {}
    for name, values in attribution.values.items():
        if encoded.atoms[name].kind == "word":
            numbers["words"] = drawing.word_levels(drawing.positive(values), encoded.atoms[name])
        elif overlay := _overlay(encoded, name, values, sample):
            files["overlay"] = (overlay, PNG)
    return numbers, files


def shown_picture(sample: Sample) -> File:
    """The datapoint's own picture, encoded anew without metadata."""
    from analysis_core.visualizations import picture

    return picture.encode(sample["image"], max_side=SHOWN_SIDE), PNG


def _input(sample: Sample, job: Job) -> Computed:
    start = time.perf_counter()
    words = [{"text": word} for word in str(sample.get("text", "")).split()]
    files = {"image": shown_picture(sample)} if "image" in sample else {}
    return Computed({"words": words}, files, time.perf_counter() - start)


def _crossmodal(source: Source, sample: Sample, job: Job) -> Computed:
    """The words with the largest first-order gradient, each with its interactions in the picture."""
    from analysis_core.stages import crossmodal, unimodal
    from analysis_core.types import PICTURE_KINDS
    from analysis_core.visualizations import attribution as drawing

    start, options, model, target = time.perf_counter(), job.options, loading.model(source), _target(job)
    encoded = model.encode(sample)
    text, image = _modality(encoded, "word"), _modality(encoded, *PICTURE_KINDS, "region")
    importance = unimodal.gradient(model, sample, target).values[text]
    atoms = sorted(importance.argsort(descending=True, stable=True)[: options["words"]].tolist())
    found = crossmodal.second_order(
        model,
        sample,
        target,
        source=text,
        to=image,
        atoms=atoms,
        direction=options["direction"],
        pixels=encoded.atoms[image].kind in PICTURE_KINDS,
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
    return Computed(numbers, files, time.perf_counter() - start, 2, loading.device())


def _graph(job: Job) -> Computed:
    from analysis_core.visualizations import graph

    start, features = time.perf_counter(), job.options["features"]
    rows = [(f"Feature {i}", row["weight"]) for i, row in enumerate(features, start=1)]
    return Computed({"features": features}, {"graph": (graph.svg(rows, CLASS_NODE), SVG)}, time.perf_counter() - start)


def _overlay(encoded: Any, modality: str, values: Any, sample: Sample) -> bytes | None:
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
    return Feature(int(number), job.options["layer"]) if kind == "feature" else Logit(int(number))


def _modality(encoded: Any, *kinds: str) -> str:
    from analysis_core.errors import MissingCapability

    for name, atoms in encoded.atoms.items():
        if atoms.kind in kinds:
            return str(name)
    raise MissingCapability(f"the model has no modality of kind {' or '.join(kinds)}, which C needs")

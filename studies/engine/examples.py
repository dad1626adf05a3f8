"""Rg: the datapoints of a pool that activate a feature most (and least), each with what sets the feature off."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from studies.computed import Computed, File, Job, Source
from studies.engine import loading, perturbed
from studies.engine.explanations import Sample, attribute, drawn, shown_picture

if TYPE_CHECKING:
    from analysis_core.targets import Feature

SPARES = 10  # candidates per example, so that further examples of one picture can be left out


def compute(job: Job) -> Computed:
    """The examples of one feature, the most active first."""
    from analysis_core.targets import Feature

    start, source, options, feature = time.perf_counter(), job.source, job.options, int(job.subject)
    dataset = loading.dataset(source, options["pool_split"])
    found = _extremes(
        tuple(sorted(source.items())),
        options["pool_split"],
        options["pool"],
        max(options["top"], options["bottom"]),
        tuple(options["exclude"]),
    )
    ends = [("top", i) for i in _distinct(dataset, found.top[feature].tolist(), options["top"])]
    ends += [("bottom", i) for i in _distinct(dataset, found.bottom[feature].tolist(), options["bottom"])]
    examples: list[dict[str, Any]] = []
    files: dict[str, File] = {}
    forwards = 0
    for place, (end, index) in enumerate(ends):
        sample = dataset[index]
        attribution, cost = _highlights(source, options, index, sample, Feature(feature, options["layer"]))
        numbers, pictures = drawn(source, sample, attribution)
        examples.append({"datapoint": sample["id"], "index": index, "end": end, **numbers})
        files[f"image{place}"] = shown_picture(sample)
        if "overlay" in pictures:
            files[f"overlay{place}"] = pictures["overlay"]
        forwards += cost
    return Computed({"examples": examples}, files, time.perf_counter() - start, forwards, loading.device())


def _highlights(
    source: Source, options: Mapping[str, Any], index: int, sample: Sample, target: Feature
) -> tuple[Any, int]:
    """What sets the feature off in one example, and the forward passes that were not shared with another feature."""
    if options["method"] == "lime" and options["samples"] <= perturbed.MOST_ROWS:
        settings = {name: options[name] for name in ("layer", "samples", "seed")}
        known, cost = perturbed.lime_answers(source, options["pool_split"], index, **settings)
        return known.explain([target])[0], cost
    settings = {name: options[name] for name in ("method", "samples", "seed")}
    (found,), cost = attribute(source, sample, [target], **settings)
    return found, cost


def _distinct(dataset: Any, candidates: Sequence[int], count: int) -> list[int]:
    """The first candidates, no two of one picture or with the same words where it can be helped."""
    chosen: list[int] = []
    seen: set[str] = set()
    for index in candidates:
        if len(chosen) == count:
            break
        marks = {str(dataset[index].get(key, index)) for key in ("image_path", "text")}
        if not marks & seen:
            chosen.append(index)
            seen |= marks
    spare = [index for index in candidates if index not in chosen]
    return chosen + spare[: count - len(chosen)]


@lru_cache(maxsize=4)
def _extremes(source: tuple[tuple[str, Any], ...], split: str, pool: int, count: int, exclude: tuple[int, ...]) -> Any:
    from analysis_core.stages import representation

    plain: Source = dict(source)
    store = loading.store(plain, split)
    left = min(len(store), pool) - sum(index < pool for index in exclude)
    return representation.extremes(store, k=max(1, min(count * SPARES, left)), exclude=exclude, pool=pool)

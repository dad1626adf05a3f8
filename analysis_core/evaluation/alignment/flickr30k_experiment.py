"""The paper's experiment on Flickr30k Entities (appendix D.2.2): phrases of captions against the boxes of entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import torch

from analysis_core import leaves
from analysis_core.datasets.flickr30k import Flickr30k
from analysis_core.evaluation.alignment.boxes import seen
from analysis_core.evaluation.alignment.experiment import AlignmentExperiment, Drawn, run
from analysis_core.evaluation.alignment.readouts import READOUTS
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.targets import AllLogits, Target

GROUP = "phrases"


def flickr30k(
    model: MultimodalModel,
    dataset: Flickr30k,
    *,
    pictures: int = 20,
    phrases: tuple[int, int] = (8, 15),
    again: Drawn | None = None,
    readouts: Sequence[str] = tuple(READOUTS),
    target: Target | None = None,
    source: str = "text",
    to: str = "image",
    projections: int = 8,
    seed: int = 0,
) -> AlignmentExperiment:
    """Draw pictures with 8 to 15 localised phrases and rank, for each phrase, the entities that the picture shows.

    An entity's score is the mean of the map per pixel over all of its boxes together. A caption rarely has eight
    phrases, so a picture's come from all of its sentences, each read together with its own sentence.
    phrases:  fewest and most per picture; where there are more, the seed draws
    again:    pairs drawn before (`drawn_again`), in the place of new ones
    target:   None = AllLogits(); a model of retrieval has one logit, the score of the match
    raises:   BadInput (no picture that fits), UnknownName
    source:   Liang et al. 2023: 20 pairs; ViLT .44, random .34, CLIP .35 found. Reference, not target
    """
    drawn, notes = (again, []) if again is not None else _draw(dataset, pictures, phrases, seed)
    config = {"pictures": pictures, "phrases": list(phrases), "sentences": len(dataset)}
    return run(
        "Flickr30k Entities",
        model,
        dataset,
        drawn,
        partial(prepare, model=model, to=to),
        readouts=readouts,
        target=AllLogits() if target is None else target,
        source=source,
        to=to,
        projections=projections,
        seed=seed,
        config=config,
        notes=notes,
    )


def prepare(
    sample: Mapping[str, Any], *, model: MultimodalModel | None = None, to: str = "image"
) -> Mapping[str, Any] | None:
    """A sentence with the phrases that name entities with boxes, and those entities as candidates.

    Entities with the same boxes are one candidate ("two men", "a couple"). Of phrases of one sentence that name the
    same candidate the first counts. Boxes that the model crops away are left out, and entities without any other box.
    returns: None where fewer than two candidates or no phrases are left
    """
    if sample.get("boxes") is None or not len(sample["boxes"]):
        return None
    visible = [True] * len(sample["boxes"])
    if model is not None:
        visible = seen(model, sample, leaves.encode(model, sample), to)
    kept = [i for i, there in enumerate(visible) if there]
    number = {old: new for new, old in enumerate(kept)}
    of = {
        entity: tuple(sorted(number[i] for i in facts["boxes"] if i in number))
        for entity, facts in sample["entities"].items()
    }
    candidates = tuple(dict.fromkeys(boxes for boxes in of.values() if boxes))
    index = {boxes: i for i, boxes in enumerate(candidates)}
    named: dict[int, Mapping[str, Any]] = {}
    for phrase in sample["phrases"]:
        candidate = index.get(of.get(phrase["entity"], ()))
        if candidate is not None:
            named.setdefault(candidate, {**phrase, "boxes": (candidate,)})
    if len(candidates) < 2 or not named:
        return None
    return {**sample, "boxes": sample["boxes"][kept], "candidates": candidates, "phrases": tuple(named.values())}


def _draw(dataset: Flickr30k, pictures: int, limits: tuple[int, int], seed: int) -> tuple[Drawn, list[str]]:
    """Pictures in random order until there are enough with so many phrases; nothing is opened for it."""
    fewest, most = limits
    rows = range(len(dataset))
    starts = [list(same) for _, same in groupby(rows, key=dataset.picture_of)]
    random = generator(seed, "alignment pairs")
    found: list[tuple[int, list[tuple[int, int]]]] = []
    left = pictures
    for p in torch.randperm(len(starts), generator=random).tolist():
        if left < 1:
            break
        samples = {row: prepare(sample) for row in starts[p] if (sample := dataset.row(row))["label"] == 1}
        named = [(row, tuple(ph["span"])) for row, s in samples.items() if s is not None for ph in s["phrases"]]
        if len(named) < fewest:
            continue
        chosen = sorted(torch.randperm(len(named), generator=random)[:most].tolist())
        of_rows: dict[int, list[tuple[int, int]]] = {}
        for row, span in (named[i] for i in chosen):
            of_rows.setdefault(row, []).append(span)
        found += of_rows.items()
        left -= 1
    missing = f"Only {pictures - left} of {pictures} pictures have {fewest} or more phrases with boxes."
    return {GROUP: found}, [missing] if left > 0 else []

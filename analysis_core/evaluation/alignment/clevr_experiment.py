"""The paper's experiment on CLEVR (appendix D.2.1): phrases of 1 to 4 words against the boxes of a scene's objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from analysis_core import leaves
from analysis_core.datasets import Dataset
from analysis_core.errors import BadInput
from analysis_core.evaluation.alignment.clevr_phrases import named_objects
from analysis_core.evaluation.alignment.experiment import AlignmentExperiment, Drawn, run
from analysis_core.evaluation.alignment.readouts import READOUTS
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.targets import AllLogits, Target

#: Questions that speak of one object, and of two or more: reported apart, because in the first group an object that
#: simply matters is the named one, so that first order is as good as any interaction.
GROUPS = ("one_object", "two_objects")


def clevr(
    model: MultimodalModel,
    dataset: Dataset,
    *,
    pairs: int = 52,
    groups: Sequence[str] = GROUPS,
    only_right: bool = True,
    again: Drawn | None = None,
    readouts: Sequence[str] = tuple(READOUTS),
    target: Target | None = None,
    source: str = "text",
    to: str = "image",
    projections: int = 8,
    seed: int = 0,
) -> AlignmentExperiment:
    """Draw phrase-object pairs from the questions of a dataset in CLEVR's format and rank the scene's boxes.

    dataset:    questions with programs, on scenes whose objects have a "bbox"
    pairs:      at least so many per group where the data has them; all phrases of a question count, and a picture is
                asked about once per group
    only_right: questions that the model answers as the data do; the paper took all
    again:      pairs drawn before (`drawn_again`), in the place of new ones
    target:     None = AllLogits(), as in the paper
    raises:     BadInput (scenes without boxes; no question that fits), UnknownName
    source:     Liang et al. 2023: 52 pairs, top-2 above .8 for MDETR
    """
    drawn, notes = (again, []) if again is not None else _draw(model, dataset, pairs, groups, only_right, seed)
    config = {"pairs": pairs, "only_right": only_right, "questions": len(dataset)}
    return run(
        "CLEVR",
        model,
        dataset,
        drawn,
        prepare,
        readouts=readouts,
        target=AllLogits() if target is None else target,
        source=source,
        to=to,
        projections=projections,
        seed=seed,
        config=config,
        notes=notes,
    )


def prepare(sample: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """A question with the phrases that each name one object; None where it belongs to no group.

    raises: BadInput (a scene without boxes)
    """
    if sample.get("boxes") is None:
        raise BadInput(
            f"not every object in the scene of question {sample.get('id')} has a 'bbox': nothing can be ranked"
        )
    phrases, unsettled = named_objects(sample["text"], sample.get("program") or [], sample["objects"])
    group = GROUPS[1] if len(phrases) > 1 else GROUPS[0] if phrases and not unsettled else None
    if group is None or len(sample["boxes"]) < 2:
        return None
    candidates = tuple((i,) for i in range(len(sample["boxes"])))
    picture = sample.get("image_path") or sample["id"]
    return {
        **sample,
        "phrases": phrases,
        "candidates": candidates,
        "group": group,
        "picture": str(picture).rpartition("/")[2],
    }


def _draw(
    model: MultimodalModel, dataset: Dataset, pairs: int, groups: Sequence[str], only_right: bool, seed: int
) -> tuple[Drawn, list[str]]:
    """Questions in random order until each group has its pairs."""
    found: dict[str, list[tuple[int, list[tuple[int, int]]]]] = {group: [] for group in groups}
    missing = dict.fromkeys(groups, pairs)
    pictures: set[tuple[str, str]] = set()
    wrong, refused = 0, ""
    for row in torch.randperm(len(dataset), generator=generator(seed, "alignment pairs")).tolist():
        if not any(n > 0 for n in missing.values()):
            break
        sample = prepare(dataset[row])
        if sample is None or missing.get(group := sample["group"], 0) < 1 or (group, sample["picture"]) in pictures:
            continue
        try:
            right = _right(model, sample) if only_right else True
        except BadInput as error:
            refused = f"Questions that the model refuses were left out: {error}."
            continue
        if not right:
            wrong += 1
            continue
        pictures.add((group, sample["picture"]))
        spans = [tuple(phrase["span"]) for phrase in sample["phrases"]]
        found[group].append((row, spans))
        missing[group] -= len(spans)
    notes = [f"Only {pairs - n} of {pairs} pairs were found for {group}." for group, n in missing.items() if n > 0]
    notes += [f"{wrong} questions that the model answers wrong were left out."] if only_right else []
    return found, [*notes, refused] if refused else notes


def _right(model: MultimodalModel, sample: Mapping[str, Any]) -> bool:
    encoded = leaves.encode(model, sample)
    with torch.no_grad():
        predicted = int(leaves.forward(model, encoded.x, encoded.aux).logits[0].argmax())
    return predicted == sample["label"]

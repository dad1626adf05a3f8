"""Running the alignment evaluation over questions with phrases and boxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch

from analysis_core import leaves
from analysis_core.errors import BadInput, UnknownName
from analysis_core.evaluation.alignment.readouts import READOUTS, Reading
from analysis_core.evaluation.alignment.report import AlignmentReport, Ranked, as_scores
from analysis_core.models.base import MultimodalModel
from analysis_core.targets import PredictedLogit, Target, describe


def evaluate(
    model: MultimodalModel,
    questions: Iterable[Mapping[str, Any]],
    *,
    readouts: Sequence[str] = tuple(READOUTS),
    target: Target | None = None,
    source: str = "text",
    to: str = "image",
    projections: int = 8,
    seed: int = 0,
) -> AlignmentReport:
    """Score every box of every question for every phrase in it, by each readout.

    questions: samples as datasets give them, with "text", "boxes" [n, 4] in pixels of the picture, and "phrases":
               {"span": (start, stop) characters of the text, "boxes": indices of the boxes that the phrase names}.
               Phrases that name no box are left out; questions without phrases, or with one box only, are counted as
               skipped. Where a sample has "candidates", tuples of indices of boxes, objects of several boxes are
               ranked, and phrases' boxes are indices of those
    readouts:  names in READOUTS
    target:    None = PredictedLogit(); the paper's CLEVR experiment takes AllLogits()
    returns:   AlignmentReport with the scores of every question
    raises:    UnknownName (readout, modality), BadInput (no question is left; boxes or phrases that do not fit)
    source:    Liang et al. 2023, appendix D.2, with controls of our own
    """
    if unknown := [name for name in readouts if name not in READOUTS]:
        raise UnknownName("readout", unknown[0], READOUTS)
    for modality in (source, to):
        if modality not in model.modalities:
            raise UnknownName("modality", modality, model.modalities)
    wanted = PredictedLogit() if target is None else target
    found: list[Ranked] = []
    skipped = 0
    for question in questions:
        sample = {**question, "phrases": [p for p in question.get("phrases") or () if p["boxes"]]}
        if not sample["phrases"] or sample.get("boxes") is None or len(sample["boxes"]) < 2:
            skipped += 1
            continue
        reading = Reading(model, sample, wanted, source=source, to=to, projections=projections, seed=seed)
        found.append(_ranked(reading, readouts))
    if not found:
        raise BadInput("no question has phrases and at least two boxes: there is nothing to align")
    config = {
        "readouts": list(readouts),
        "target": describe(wanted),
        "source": source,
        "to": to,
        "projections": projections,
        "seed": seed,
    }
    return AlignmentReport(tuple(found), config, skipped)


def answered_right(model: MultimodalModel, samples: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The samples whose label the model predicts."""
    for sample in samples:
        encoded = leaves.encode(model, sample)
        with torch.no_grad():
            predicted = int(leaves.forward(model, encoded.x, encoded.aux).logits[0].argmax())
        if predicted == sample["label"]:
            yield sample


def _ranked(reading: Reading, readouts: Sequence[str]) -> Ranked:
    sample = reading.sample
    scores = {name: READOUTS[name](reading) for name in readouts}
    return Ranked(
        id=str(sample.get("id")),
        text=sample["text"],
        kind=str(sample.get("question_type")),
        phrases=tuple(sample["text"][slice(*phrase["span"])] for phrase in sample["phrases"]),
        gold=tuple(reading.gold),
        scores={name: None if s is None else as_scores(s.tolist()) for name, s in scores.items()},
    )

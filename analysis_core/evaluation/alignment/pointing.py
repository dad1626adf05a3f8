"""Pointing game for pictures whose objects have a centre but no box, such as CLEVR's own: `pixel_coords`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from analysis_core import leaves
from analysis_core.errors import BadInput
from analysis_core.evaluation.alignment.boxes import in_map
from analysis_core.evaluation.alignment.phrases import word_spans, words_of
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.second_order import second_order
from analysis_core.targets import AllLogits, Target


@dataclass(frozen=True)
class Pointed:
    """Where a phrase's map is largest, in pixels of the model's input.

    named: index of the object that the phrase names; distances: from that pixel to every object's centre
    """

    phrase: str
    maximum: tuple[float, float]
    named: int
    distances: tuple[float, ...]

    @property
    def hit(self) -> bool:
        """Is the named object's centre the nearest one? At random one of as many objects as there are."""
        return min(range(len(self.distances)), key=self.distances.__getitem__) == self.named


def point(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    points: Iterable[tuple[float, float]],
    *,
    target: Target | None = None,
    direction: str = "norm",
    source: str = "text",
    to: str = "image",
    projections: int = 8,
    seed: int = 0,
) -> tuple[Pointed, ...]:
    """One result per phrase: where the sum of its words' second-order maps is largest.

    points:  the objects' centres x, y in pixels of the picture; phrases' "boxes" are indices of these
    target:  None = AllLogits()
    raises:  BadInput (fewer than two points; phrases that name no point or more), and what second_order raises
    """
    centres = torch.tensor([[float(x), float(y)] for x, y in points], dtype=torch.float64)
    if len(centres) < 2 or any(len(phrase["boxes"]) != 1 for phrase in sample["phrases"]):
        raise BadInput("the pointing game needs at least two points, and phrases that name one of them each")
    encoded = leaves.encode(model, sample)
    centres = in_map(model, sample, centres.repeat(1, 2), encoded.x[to])[:, :2]
    found = second_order(
        model,
        sample,
        AllLogits() if target is None else target,
        source=source,
        to=to,
        direction=direction,
        pixels=True,
        projections=projections,
        seed=seed,
    )
    assert found.pixels is not None
    spans = word_spans(sample["text"], encoded.atoms[source].names)
    results = []
    for phrase in sample["phrases"]:
        there = found.pixels[words_of(tuple(phrase["span"]), spans)].sum(0)
        y, x = divmod(int(there.argmax()), there.shape[1])
        maximum = torch.tensor([x + 0.5, y + 0.5], dtype=torch.float64)
        results.append(
            Pointed(
                phrase=sample["text"][slice(*phrase["span"])],
                maximum=(x + 0.5, y + 0.5),
                named=int(phrase["boxes"][0]),
                distances=tuple((centres - maximum).norm(dim=1).tolist()),
            )
        )
    return tuple(results)

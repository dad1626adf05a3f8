"""Stage C by finite steps: the 2x2 interaction of two atoms that are moved part of the way to their baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from analysis_core.arguments import finite
from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.models.towers import separate
from analysis_core.stages.removal import removal_grid
from analysis_core.targets import Target
from analysis_core.types import Attribution, Encoded, Output


def finite_step(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    target: Target,
    *,
    source: str,
    to: str,
    atoms: Sequence[int] | None = None,
    step: float = 0.5,
) -> Attribution:
    """[f - f(s moved) - f(t moved) + f(both moved)] / step^2, an atom moved by `step` of its way to the baseline.

    For models without a second derivative (ReLU, max-pooling, not differentiable at all): no gradient is taken. With
    step = 1 this is `removal`; with step -> 0 it is (x_s - b_s)' H_st (x_t - b_t), H the mixed second derivative and b
    the baseline. A kink is seen only where a step crosses it: compare two steps

    atoms:   indices of source atoms; None = all
    step:    0 < step <= 1
    returns: Attribution with pairs float64 [len(atoms), n_atoms(to)], signed as removal; the same at every step for a
             model that is bilinear in the two atoms; values {to: sum over the source atoms of |pairs|}
    raises:  BadInput (step, also one that leaves only round-off, atoms, too many pairs), UnknownName
    source:  the mixed second difference; the step is a share of the way so that embeddings and pictures are comparable
    """
    step = finite("step", step)
    if not 0 < step <= 1:
        raise BadInput(f"step must be a share of the way to the baseline, above 0 and at most 1, not {step}")
    kind = _PartOfTheWay if separate(model) is None else _PartOfTheWayByTowers
    grid = removal_grid(kind(model, float(step)), sample, target, source=source, to=to, atoms=atoms)
    if grid.quality["round_off"] > step**2 * float(grid.f.abs().max()):
        raise BadInput(f"step={step} is so small that only round-off is left of the differences: take a larger one")
    quality = {**grid.quality, "round_off": grid.quality["round_off"] / step**2}
    found = grid.attribution("finite_step", grid.pairs / step**2, {"step": float(step)})
    return replace(found, quality=quality)


class _PartOfTheWay:
    """A model whose baseline is nearer: x + step (baseline - x)."""

    def __init__(self, model: MultimodalModel, step: float) -> None:
        self.model, self.step = model, step
        self.modalities = model.modalities

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        return self.model.encode(sample)

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        return self.model.forward(x, aux)

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        absent = self.model.baseline(encoded)
        # A baseline that is missing or of another shape is left to the engine's check.
        return {m: self._nearer(encoded.x[m], b) if m in encoded.x else b for m, b in absent.items()}

    def _nearer(self, x: Tensor, absent: Tensor) -> Tensor:
        return x + self.step * (absent.to(x) - x) if absent.shape == x.shape else absent


class _PartOfTheWayByTowers(_PartOfTheWay):
    """The same for a model with towers: the engine asks a model's class for them."""

    def tower(self, modality: str, x: Tensor, aux: dict[str, Tensor]) -> Any:
        return self.model.tower(modality, x, aux)  # type: ignore[attr-defined]

    def fuse(self, encodings: dict[str, Any], aux: dict[str, dict[str, Tensor]]) -> Output:
        found: Output = self.model.fuse(encodings, aux)  # type: ignore[attr-defined]
        return found

"""Stage C by curvature: the mixed second derivative between the atoms of two modalities, along a declared direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.arguments import count
from analysis_core.errors import BadInput, NotDifferentiableTwice, NullDirection, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.stages import finite
from analysis_core.stages.atom_pairs import chosen_atoms
from analysis_core.stages.curvature import Curvature, FirstOrder
from analysis_core.stages.gradients import NULL_RATIO as NULL_PRODUCT_RATIO
from analysis_core.stages.smooth_relu import Smooth
from analysis_core.targets import Target, describe, resolve, select
from analysis_core.types import PICTURE_KINDS, Attribution, Encoded

DIRECTIONS = ("norm", "hutchinson", "l1", "grad_x_input", "sum")
#: Below this |sum of the components of g| / |g|_1 only round-off is left (LayerNorm: 1e-7 in float32, 1e-16 in 64).
NULL_RATIO = 1e-5


def second_order(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    target: Target,
    *,
    source: str,
    to: str,
    atoms: Sequence[int] | None = None,
    direction: str = "norm",
    pixels: bool = False,
    projections: int = 8,
    seed: int = 0,
) -> Attribution:
    """Interaction of source atoms with every atom of another modality: d<g_i, v_i>/dx with g_i the atom's gradient.

    atoms:       indices of source atoms; None = all
    direction:   v_i: "norm" g/|g|, "l1" sign g, "grad_x_input" x_i, "sum" ones, "hutchinson" N(0, I), root mean square
                 over `projections` draws from `seed`
    pixels:      also the map over the pixels of a picture, L2 norm over channels
    returns:     Attribution with pairs float64 [len(atoms), n_atoms(to)], >= 0, the L2 norm over the components of the
                 target atom; pixels [len(atoms), H, W] or None; values {to: pairs summed over the source atoms}.
                 Zeros for an additive model
    raises:      NotDifferentiableTwice (says which operation), NullDirection (|sum g| << |g|, or |<g, x>| << its terms
                 for grad_x_input), BadInput, UnknownName
    source:      Liang et al. 2023, definition 2; a Hessian-vector product, see docs/methods.md
    """
    if direction not in DIRECTIONS:
        raise UnknownName("direction", direction, DIRECTIONS)
    projections = count("projections", projections)
    encoded = leaves.encode(model, sample)
    chosen = chosen_atoms(encoded, source, to, atoms)
    if pixels and encoded.atoms[to].kind not in PICTURE_KINDS:
        raise BadInput(f"pixels: {to!r} is of kind {encoded.atoms[to].kind!r}, which has no pixels")
    smoothing: dict[str, Any] = {}
    if isinstance(model, Smooth):
        target, smoothing["value_unsmoothed"] = _of_the_model(model, encoded, target)
    curvature = Curvature(model, encoded, target, source=source, to=to)
    ratio = sum_ratio(curvature, source, chosen)
    if direction == "sum" and ratio is not None and ratio <= NULL_RATIO:
        raise NullDirection(
            f"direction='sum' is annihilated for {source!r}: |sum g| is {ratio:.1e} of |g|, so only round-off would be "
            "drawn (LayerNorm ignores a constant shift); use direction='norm' or 'hutchinson'"
        )
    if direction == "grad_x_input" and (left := _left_of_products(curvature, source, chosen)) <= NULL_PRODUCT_RATIO:
        raise NullDirection(
            f"direction='grad_x_input' is annihilated for {source!r}: |<g, x>| is {left:.1e} of its terms, so only "
            "round-off would be drawn (LayerNorm ignores a vector's length); use direction='norm' or 'hutchinson'"
        )
    draws = projections if direction == "hutchinson" else 1
    squares = _squares(curvature, chosen, direction, draws, seed)
    if ratio is not None and not bool(squares.per_leaf.any()):
        _require_additive(curvature, chosen)
    pairs = squares.per_atom.mean(0).sqrt()
    return Attribution(
        values={to: pairs.sum(0)},
        pairs=pairs,
        pixels=squares.per_leaf.sqrt().reshape(len(chosen), *encoded.x[to].shape[2:]) if pixels else None,
        target=describe(curvature.target),
        method="second_order",
        config={
            "source": source,
            "to": to,
            "atoms": chosen,
            "direction": direction,
            **({"projections": projections, "seed": seed} if direction == "hutchinson" else {}),
            **({"softplus_beta": model.beta} if isinstance(model, Smooth) else {}),
        },
        quality={
            "value": curvature.value,
            **smoothing,
            "evaluations": len(chosen) * draws,
            "engine": curvature.engine,
            "engine_reason": curvature.reason,
            "sum_ratio": ratio,
            **({"relative_standard_error": squares.relative_error()} if draws > 1 else {}),
            "halvings": curvature.batches.halvings,
        },
    )


@dataclass(frozen=True)
class _Squares:
    """Squares of the mixed derivative, float64 CPU: mean per leaf [n, n_leaf], draw by draw per atom [draws, n, m]."""

    per_leaf: Tensor
    per_atom: Tensor

    def relative_error(self) -> float | None:
        """Standard error of the root mean square over draws, as a share of it; the mean over pairs that are not 0."""
        mean = self.per_atom.mean(0)
        spread = self.per_atom.std(0) / len(self.per_atom) ** 0.5
        # The root's error is half the square's.
        shares = spread[mean > 0] / (2 * mean[mean > 0])
        return float(shares.mean()) if len(shares) else None


def _of_the_model(smooth: Smooth, encoded: Encoded, target: Target) -> tuple[Target, float]:
    """The target resolved on the model that is smoothed, and its value there: smoothing may change the prediction."""
    with torch.no_grad():
        output = leaves.forward(smooth.model, encoded.x, encoded.aux)
    target = resolve(target, output)
    return target, float(select(target, output)[0])


def sum_ratio(first: FirstOrder, modality: str, atoms: Sequence[int] | None = None) -> float | None:
    """Sum over atoms of |sum of g's components|, as a share of |g|_1; None where g is 0.

    atoms: None = all. LayerNorm makes it 0 up to round-off: it ignores a constant shift
    """
    chosen = range(len(first.encoded.atoms[modality])) if atoms is None else atoms
    parts = (_atom_masks(first, modality, chosen) * first.gradient(modality)).flatten(1).to(torch.float64)
    whole = float(parts.abs().sum())
    return float(parts.sum(1).abs().sum()) / whole if whole > 0 else None


def _left_of_products(first: FirstOrder, modality: str, atoms: Sequence[int]) -> float:
    """Sum over atoms of |<g_i, x_i>| as a share of the sum of |g x| over components; 1 where all are 0."""
    products = first.gradient(modality) * first.encoded.x[modality]
    parts = (_atom_masks(first, modality, atoms) * products).flatten(1).to(torch.float64)
    whole = float(parts.abs().sum())
    return float(parts.sum(1).abs().sum()) / whole if whole > 0 else 1.0


def _atom_masks(first: FirstOrder, modality: str, chosen: Sequence[int]) -> Tensor:
    """[len(chosen), ...]: ones over the components of each atom, broadcastable over x[modality]."""
    atoms, x = first.encoded.atoms[modality], first.encoded.x[modality]
    groups = leaves.leaf_groups(atoms, x)
    wanted = torch.tensor(list(chosen), device=x.device).unsqueeze(1)
    return leaves.over_input(atoms.kind, (groups == wanted).to(x.dtype), x)


def _squares(curvature: Curvature, chosen: list[int], direction: str, draws: int, seed: int) -> _Squares:
    random = generator(seed, "hutchinson")
    atoms, x = curvature.encoded.atoms[curvature.to], curvature.encoded.x[curvature.to]
    groups = leaves.leaf_groups(atoms, x)
    masks = _atom_masks(curvature, curvature.source, chosen)
    total: Tensor | None = None
    per_atom = []
    for _ in range(draws):
        rows = curvature.products(_directions(curvature, masks, direction, random))
        squares = leaves.by_leaf(atoms.kind, rows).to("cpu", torch.float64).square().sum(2)
        per_atom.append(leaves.sum_over_atoms(squares, groups, len(atoms)))
        total = squares if total is None else total + squares
    assert total is not None
    return _Squares(total / draws, torch.stack(per_atom))


def _directions(curvature: Curvature, masks: Tensor, direction: str, random: torch.Generator) -> Tensor:
    x = curvature.encoded.x[curvature.source]
    if direction == "hutchinson":
        # One draw for all atoms: each sees its own components of it.
        return masks * torch.randn(x.shape, generator=random, dtype=torch.float64).to(x)
    if direction == "sum":
        return masks * torch.ones_like(x)
    if direction == "grad_x_input":
        return masks * x
    g = masks * curvature.gradient(curvature.source)
    if direction == "l1":
        return g.sign()
    norms = g.flatten(1).norm(dim=1).reshape(-1, *([1] * (g.dim() - 1)))
    return torch.where(norms > 0, g / norms.clamp_min(torch.finfo(g.dtype).tiny), 0)


def _require_additive(curvature: Curvature, chosen: list[int]) -> None:
    """A mixed derivative of exactly 0 is believed only where finite steps see no interaction either.

    raises: NotDifferentiableTwice
    """
    found = finite.probe(
        curvature.model, curvature.encoded, curvature.target, source=curvature.source, to=curvature.to, atoms=chosen
    )
    if not found.real:
        return
    operations = ", ".join(curvature.operations()) or "a saturated or custom operation"
    raise NotDifferentiableTwice(
        f"not applicable: the second derivative between {curvature.source!r} and {curvature.to!r} is 0 almost "
        f"everywhere ({operations}), although they interact (finite-step interaction {found.largest:.3g}); "
        "use crossmodal.smooth(model), crossmodal.finite_step or crossmodal.removal"
    )

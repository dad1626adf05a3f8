"""Stage C by curvature: the mixed second derivative between the atoms of two modalities, along a declared direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.arguments import count, whole
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
#: The directions that a model can annihilate, each with the share of its terms below which only round-off is left.
_ANNIHILATED = {"sum": NULL_RATIO, "grad_x_input": NULL_PRODUCT_RATIO}


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
                 Zeros for an additive model, and then quality has the finite-step interaction that vouches for it.
                 quality: null_atoms, those whose row is 0 because the direction says nothing about them; kinks, the
                 piecewise linear operations that the source passes, and joint_kinks, those that `to` passes as well:
                 interactions there have no second derivative and are missing from the pairs
    raises:      NotDifferentiableTwice (says which operation), NullDirection (for every atom v_i is 0, or |sum g| <<
                 |g| for sum, or |<g, x>| << its terms for grad_x_input), BadInput, UnknownName
    source:      Liang et al. 2023, definition 2; a Hessian-vector product, see docs/methods.md
    """
    if direction not in DIRECTIONS:
        raise UnknownName("direction", direction, DIRECTIONS)
    projections, seed = count("projections", projections), whole("seed", seed)
    encoded = leaves.encode(model, sample)
    chosen = chosen_atoms(encoded, source, to, atoms)
    if pixels and encoded.atoms[to].kind not in PICTURE_KINDS:
        raise BadInput(f"pixels: {to!r} is of kind {encoded.atoms[to].kind!r}, which has no pixels")
    smoothing: dict[str, Any] = {}
    if isinstance(model, Smooth):
        target, smoothing["value_unsmoothed"] = _of_the_model(model, encoded, target)
    curvature = Curvature(model, encoded, target, source=source, to=to)
    masks = _atom_masks(curvature, source, chosen)
    draws = projections if direction == "hutchinson" else 1
    squares = _squares(curvature, masks, direction, draws, seed)
    null = _null_rows(curvature, masks, direction)
    vouching: dict[str, float] = {}
    if not bool(squares.without(null).per_leaf.any()):
        vouching = _require_additive(curvature, chosen, masks, direction, seed, round_off=bool(squares.per_leaf.any()))
    squares = squares.without(null)
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
            "sum_ratio": sum_ratio(curvature, source, chosen),
            "null_atoms": [i for i, is_null in zip(chosen, null.tolist(), strict=True) if is_null],
            "kinks": list(curvature.operations(source)),
            "joint_kinks": list(curvature.operations(source, to)),
            **vouching,
            **({"relative_standard_error": squares.relative_error()} if draws > 1 else {}),
            "halvings": curvature.batches.halvings,
        },
    )


@dataclass(frozen=True)
class _Squares:
    """Squares of the mixed derivative, float64 CPU: mean per leaf [n, n_leaf], draw by draw per atom [draws, n, m]."""

    per_leaf: Tensor
    per_atom: Tensor

    def without(self, rows: Tensor) -> _Squares:
        """The same with these source atoms, bool [n], at exactly 0."""
        return _Squares(
            self.per_leaf.masked_fill(rows.unsqueeze(1), 0), self.per_atom.masked_fill(rows.reshape(1, -1, 1), 0)
        )

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


def _null_rows(curvature: Curvature, masks: Tensor, direction: str) -> Tensor:
    """bool [n]: atoms that the direction says nothing about: v_i is 0, or the model annihilates it up to round-off."""
    if direction == "hutchinson":
        return torch.zeros(len(masks), dtype=torch.bool)
    null = ~_directions(curvature, masks, direction, None).flatten(1).any(1)
    if direction in _ANNIHILATED:
        null |= _left(curvature, masks, direction) <= _ANNIHILATED[direction]
    return null.cpu()


def _left(curvature: Curvature, masks: Tensor, direction: str) -> Tensor:
    """[n]: |<g_i, v_i>| as a share of the sum of |g v| over the atom's components; 1 where all of these are 0."""
    products = curvature.gradient(curvature.source)
    if direction == "grad_x_input":
        products = products * curvature.encoded.x[curvature.source]
    parts = (masks * products).flatten(1).to(torch.float64)
    whole = parts.abs().sum(1)
    return torch.where(whole > 0, parts.sum(1).abs() / whole.clamp_min(torch.finfo(whole.dtype).tiny), 1)


def _atom_masks(first: FirstOrder, modality: str, chosen: Sequence[int]) -> Tensor:
    """[len(chosen), ...]: ones over the components of each atom, broadcastable over x[modality]."""
    atoms, x = first.encoded.atoms[modality], first.encoded.x[modality]
    groups = leaves.leaf_groups(atoms, x)
    wanted = torch.tensor(list(chosen), device=x.device).unsqueeze(1)
    return leaves.over_input(atoms.kind, (groups == wanted).to(x.dtype), x)


def _squares(curvature: Curvature, masks: Tensor, direction: str, draws: int, seed: int) -> _Squares:
    random = generator(seed, "hutchinson")
    atoms, x = curvature.encoded.atoms[curvature.to], curvature.encoded.x[curvature.to]
    groups = leaves.leaf_groups(atoms, x)
    total: Tensor | None = None
    per_atom = []
    for _ in range(draws):
        rows = curvature.products(_directions(curvature, masks, direction, random))
        squares = leaves.by_leaf(atoms.kind, rows).to("cpu", torch.float64).square().sum(2)
        per_atom.append(leaves.sum_over_atoms(squares, groups, len(atoms)))
        total = squares if total is None else total + squares
    assert total is not None
    return _Squares(total / draws, torch.stack(per_atom))


def _directions(curvature: Curvature, masks: Tensor, direction: str, random: torch.Generator | None) -> Tensor:
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


def _require_additive(
    curvature: Curvature, chosen: list[int], masks: Tensor, direction: str, seed: int, *, round_off: bool
) -> dict[str, float]:
    """Rows of nothing but 0 are believed only where random directions and finite steps see no interaction either.

    round_off: rows that the direction says nothing about were not exactly 0 before they were set to it
    returns:   the finite-step interaction and its round-off, for quality
    raises:    NullDirection, NotDifferentiableTwice, BadInput (finite steps leave the model's domain)
    """
    if round_off or (direction != "hutchinson" and _is_curved(curvature, masks, seed)):
        raise NullDirection(_about_null(curvature, masks, direction))
    found = finite.probe(
        curvature.model, curvature.encoded, curvature.target, source=curvature.source, to=curvature.to, atoms=chosen
    )
    if not found.real:
        return {"finite_step_interaction": found.largest, "finite_step_round_off": found.round_off}
    operations = ", ".join(curvature.operations()) or "a saturated or custom operation"
    raise NotDifferentiableTwice(
        f"not applicable: the second derivative between {curvature.source!r} and {curvature.to!r} is 0 here, as it is "
        f"almost everywhere through {operations}, although they interact (finite-step interaction "
        f"{found.largest:.3g}); use crossmodal.smooth(model), crossmodal.finite_step or crossmodal.removal"
    )


def _is_curved(curvature: Curvature, masks: Tensor, seed: int) -> bool:
    """Is the product of the mixed second derivative with a random direction anything but 0?"""
    random = generator(seed, "second_order", "is_curved")
    return bool(curvature.products(_directions(curvature, masks, "hutchinson", random)).any())


def _about_null(curvature: Curvature, masks: Tensor, direction: str) -> str:
    source = curvature.source
    left = _left(curvature, masks, direction)
    left = left[left <= _ANNIHILATED.get(direction, 0)]
    if direction not in _ANNIHILATED or not len(left):
        zero = "an atom's input" if direction == "grad_x_input" else "an atom's gradient"
        return (
            f"direction={direction!r} says nothing about {source!r} here: the second derivative is not 0, but its "
            f"products with this direction are (a direction is 0 where {zero} is); use direction='hutchinson'"
        )
    terms, why = {
        "sum": ("|sum g| is {:.1e} of |g|", "LayerNorm ignores a constant shift"),
        "grad_x_input": ("|<g, x>| is {:.1e} of its terms", "LayerNorm ignores a vector's length"),
    }[direction]
    return (
        f"direction={direction!r} is annihilated for {source!r}: {terms.format(float(left.max()))}, so only round-off "
        f"would be drawn ({why}); use direction='norm' or 'hutchinson'"
    )

"""Stage U by gradients along the way from the baseline to the sample: integrated gradients, refused if incomplete."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from scipy.special import roots_legendre
from torch import Tensor

from analysis_core import leaves
from analysis_core.arguments import count, finite
from analysis_core.errors import BadInput, NotComplete, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.point_gradients import PointGradients, atom_sums, movable, require_finite
from analysis_core.targets import Target, describe
from analysis_core.types import Attribution

RULES = ("gauss_legendre", "riemann")
#: Beyond this share of |f(x) - f(baseline)| the result is refused.
REFUSED = 0.05


@dataclass(frozen=True)
class _Path:
    """A straight way to the sample along which some modalities move from their baseline: name, start, difference."""

    name: str
    start: dict[str, Tensor]
    way: dict[str, Tensor]


@dataclass(frozen=True)
class _Sum:
    """One target along one path: signed sums per modality [n_atoms], and what the completeness check saw."""

    values: dict[str, Tensor]
    steps: int
    difference: float
    delta: float
    converged: bool

    def facts(self) -> dict[str, Any]:
        return {
            "delta": self.delta,
            "difference": self.difference,
            "relative_delta": abs(self.delta / self.difference) if self.difference else None,
            "steps": self.steps,
            "converged": self.converged,
        }


def integrated_gradients(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    targets: Sequence[Target],
    *,
    rule: str = "gauss_legendre",
    steps: int = 16,
    most_steps: int = 512,
    tolerance: float = 0.01,
    joint: bool = True,
) -> list[Attribution]:
    """Gradients integrated from model.baseline to the sample, times the way; signed. The same points serve all targets.

    rule:      "gauss_legendre", or "riemann" (midpoints), which bears kinks better
    steps:     points of the first try; doubled, up to `most_steps`, until |delta| <= tolerance |f(x) - f(baseline)|
    joint:     all modalities move together, so that all atoms add up to f(x) - f(baseline);
               False = one after the other, the others present: each modality adds up to what removing it changes
    returns:   quality: delta (the sum less f(x) - f(baseline)), difference, steps, converged; `paths` has them per path
    raises:    NotComplete (|delta| above 5 % of the difference), BadInput, UnknownName, MissingCapability
    source:    Sundararajan et al. 2017, section 3
    """
    if rule not in RULES:
        raise UnknownName("rule", rule, RULES)
    steps, most_steps = count("steps", steps), count("most_steps", most_steps)
    tolerance = finite("tolerance", tolerance)
    if steps > most_steps or tolerance <= 0:
        raise BadInput(
            f"integrated gradients need 1 <= steps <= most_steps and a positive tolerance, not {steps}, {most_steps} "
            f"and {tolerance}"
        )
    points = PointGradients(model, sample, targets)
    found: list[dict[str, _Sum]] = [{} for _ in points.targets]
    evaluations = 0
    for path in _paths(points, joint):
        sums, used = _integrate(points, path, rule, steps, most_steps, tolerance)
        evaluations += used
        for per_target, total in zip(found, sums, strict=True):
            per_target[path.name] = total
    config = {"rule": rule, "steps": steps, "most_steps": most_steps, "tolerance": tolerance, "joint": joint}
    return [
        points.attribution(
            number,
            "integrated_gradients",
            {m: t for total in paths.values() for m, t in total.values.items()},
            config=config,
            evaluations=evaluations,
            **_worst(paths.values()),
            paths={name: total.facts() for name, total in paths.items()},
        )
        for number, paths in enumerate(found)
    ]


def _paths(points: PointGradients, joint: bool) -> list[_Path]:
    x = points.encoded.x
    absent = leaves.encode_baseline(points.model, points.encoded)
    for m, t in absent.items():
        require_finite(t, f"the baseline of {m!r} has NaN or infinite entries: check the model's baseline()")
    # Leaves of no atom stay, as in the masking engine: what they would add belongs to nobody.
    start = {m: torch.where(movable(points.encoded, m), absent[m], t) for m, t in x.items()}
    groups = {"all": tuple(x)} if joint else {m: (m,) for m in x}
    return [
        _Path(
            name,
            {m: start[m] if m in moved else t for m, t in x.items()},
            {m: x[m] - start[m] for m in moved},
        )
        for name, moved in groups.items()
    ]


def _integrate(
    points: PointGradients, path: _Path, rule: str, steps: int, most_steps: int, tolerance: float
) -> tuple[list[_Sum], int]:
    """One _Sum per target, from as many steps as each needs. raises: NotComplete"""
    begin = points.values_at(path.start)
    if not all(map(math.isfinite, begin)):
        raise BadInput("the target is NaN or infinite at the baseline: check the model's baseline()")
    whole = [float(at.values[0]) for at in points.here]
    done: dict[int, _Sum] = {}
    evaluations, n = 0, steps
    eps = torch.finfo(next(iter(path.start.values())).dtype).eps
    while pending := [i for i in range(len(whole)) if i not in done]:
        last = 2 * n > most_steps
        for i, values in zip(pending, _quadrature(points, pending, path, rule, n), strict=True):
            difference = whole[i] - begin[i]
            delta = sum(float(t.sum()) for t in values.values()) - difference
            size = max(abs(whole[i]), abs(begin[i]), sum(float(t.abs().sum()) for t in values.values()))
            round_off = 1e3 * eps * size
            converged = abs(delta) <= max(tolerance * abs(difference), round_off)
            total = _Sum(values, n, difference, delta, converged)
            if last and abs(delta) > max(REFUSED * abs(difference), round_off):
                raise _refusal(points.targets[i], path, total)
            if converged or last:
                done[i] = total
        evaluations += n
        n *= 2
    return [done[i] for i in range(len(whole))], evaluations


def _quadrature(
    points: PointGradients, targets: Sequence[int], path: _Path, rule: str, n: int
) -> list[dict[str, Tensor]]:
    """For targets of these numbers, the sums over each atom of way times integral of the gradient.

    returns: per target and modality float64 CPU [n_atoms]
    """
    nodes, weights = _nodes(rule, n)
    integrals = [
        {m: torch.zeros(t.shape, dtype=torch.float64, device=t.device) for m, t in path.way.items()} for _ in targets
    ]

    def between(start: int, stop: int) -> dict[str, Tensor]:
        rows = {m: t.expand(stop - start, *t.shape[1:]) for m, t in path.start.items()}
        for m, way in path.way.items():
            rows[m] = path.start[m] + _column(nodes[start:stop], way).to(way.dtype) * way
        return rows

    for start, stop, found in points.at(between, n, of=targets):
        for total, at in zip(integrals, found, strict=True):
            for m, way in path.way.items():
                rows = at.gradients[m].to(torch.float64)
                total[m] += (_column(weights[start:stop], way) * rows).sum(0, keepdim=True)
    results = []
    for total in integrals:
        values = {m: atom_sums(points.encoded, m, total[m] * way.double())[0] for m, way in path.way.items()}
        for m, t in values.items():
            require_finite(
                t,
                f"the gradient towards {m!r} is NaN or infinite between baseline and sample: take another baseline",
            )
        results.append(values)
    return results


def _nodes(rule: str, n: int) -> tuple[Tensor, Tensor]:
    """Points in (0, 1) and their weights, which add up to 1."""
    if rule == "riemann":
        return (torch.arange(n, dtype=torch.float64) + 0.5) / n, torch.full((n,), 1 / n, dtype=torch.float64)
    nodes, weights = roots_legendre(n)
    return torch.from_numpy((nodes + 1) / 2), torch.from_numpy(weights / 2)


def _column(t: Tensor, like: Tensor) -> Tensor:
    return t.to(like.device).reshape(-1, *([1] * (like.dim() - 1)))


def _worst(sums: Any) -> dict[str, Any]:
    """The facts of the path with the largest relative delta."""
    return max((s.facts() for s in sums), key=lambda facts: facts["relative_delta"] or 0.0)


def _refusal(target: Target, path: _Path, total: _Sum) -> NotComplete:
    moved = "baseline" if path.name == "all" else f"baseline of {path.name!r}"
    share = f" ({abs(total.delta / total.difference):.0%} of it)" if total.difference else ""
    named = describe(target)
    what = f"{named.pop('kind')}({', '.join(f'{k}={v!r}' for k, v in named.items())})"
    return NotComplete(
        f"integrated gradients of {what} miss f(x) - f({moved}) = {total.difference:.4g} by {total.delta:.4g}{share} "
        f"after {total.steps} steps: raise most_steps, or give the model another baseline (zeros fail through "
        "LayerNorm; the embedding of [MASK] or a mean region does not)"
    )

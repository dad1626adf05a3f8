"""Stage P: a sparse linear model from penultimate features to the model's predictions, one exact path per class."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from analysis_core.chunks import as_array
from analysis_core.errors import BadFeatures, BadInput, UnknownName
from analysis_core.stages import homotopy
from analysis_core.stages.gram import Moments, moments

FAMILIES = ("gaussian",)
_TOLERANCE = 0.01


@dataclass(frozen=True)
class Top:
    """Features with a non-zero coefficient: indices int64 [m] and signed weights float64 [m], descending."""

    indices: Tensor
    weights: Tensor


@dataclass
class SparsePath:
    """Sparse linear models of K targets at every knot of their regularisation paths.

    knots:        per target float64 [m_k]: falling l1; empty for a target that never varies
    support:      per target int64 [s_k]: the features that are non-zero somewhere on its path
    coefficients: per target float64 [m_k, s_k] at the knots, on standardised features
    r2:           per target float64 [m_k]: share of the target's variance explained on the fitted points
    intercepts:   float64 [K]: the targets' means
    mean, scale:  float64 [d] of the features; scale 1 where a feature is constant
    kkt:          the largest violation of the optimality conditions at any knot, as a share of the first knot
    selected:     int64 [K], the knot in use per target (-1: none), see `select`
    notes:        what a reader should know, such as targets that never vary
    """

    knots: tuple[Tensor, ...]
    support: tuple[Tensor, ...]
    coefficients: tuple[Tensor, ...]
    r2: tuple[Tensor, ...]
    intercepts: Tensor
    mean: Tensor
    scale: Tensor
    kkt: float
    config: dict[str, Any]
    notes: tuple[str, ...] = ()
    selected: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))

    def __post_init__(self) -> None:
        if len(self.selected) != len(self.knots):
            self.select()

    def select(self, tolerance: float = _TOLERANCE) -> SparsePath:
        """Use, per target, the sparsest knot that explains nearly as much as the best one; returns this path.

        tolerance: the share of the best knot's R2 that may be given up, 0 to 1. A share, not a difference: a rare
                   class explains little of its variance at best, and still gets its features
        """
        if not 0 <= tolerance < 1:
            raise BadInput(f"tolerance must be at least 0 and below 1, not {tolerance}")
        chosen = [_sparsest(c, r, tolerance) for c, r in zip(self.coefficients, self.r2, strict=True)]
        self.selected = torch.tensor(chosen, dtype=torch.int64)
        return self

    def weights(self, class_: int) -> Tensor:
        """Coefficients of one target at its selected knot, dense: float64 [d], on standardised features."""
        if not 0 <= class_ < len(self.knots):
            raise BadInput(f"class {class_} does not exist: the path has classes 0 to {len(self.knots) - 1}")
        dense = torch.zeros(len(self.mean), dtype=torch.float64)
        knot = int(self.selected[class_])
        if knot >= 0:
            dense[self.support[class_]] = self.coefficients[class_][knot]
        return dense

    def top(self, class_: int, n: int | None = None) -> Top:
        """The features of one target at the selected knot: non-zero only, signed, descending; n of them at most."""
        dense = self.weights(class_)
        order = torch.sort(dense, descending=True, stable=True).indices
        indices = order[dense[order] != 0][:n]
        return Top(indices, dense[indices])

    def contributions(self, features: Any) -> Tensor:
        """beta_j (z_j - mean_j) / scale_j of each datapoint: float64 [n, K, d], or [K, d] for one datapoint [d].

        raises: BadFeatures
        """
        standardised = self._standardise(features)
        dense = torch.stack([self.weights(k) for k in range(len(self.knots))])
        return standardised.unsqueeze(-2) * dense

    def predict(self, features: Any) -> Tensor:
        """The sparse models' values float64 [n, K], or [K] for one datapoint [d]. raises: BadFeatures"""
        dense = torch.stack([self.weights(k) for k in range(len(self.knots))])
        return self.intercepts + self._standardise(features) @ dense.T

    def _standardise(self, features: Any) -> Tensor:
        z = torch.from_numpy(np.array(as_array(features), dtype=np.float64))
        if z.dim() not in (1, 2) or z.shape[-1] != len(self.mean):
            raise BadFeatures(f"features must be [n, {len(self.mean)}] or [{len(self.mean)}], not {tuple(z.shape)}")
        return (z - self.mean) / self.scale


def sparse_path(
    features: Any, targets: Any = None, *, family: str = "gaussian", l2: float = 0.0, max_features: int = 30
) -> SparsePath:
    """The exact elastic-net path of every target, from one streaming pass in float64.

    features:     [n, d] tensor, array or memmap, a FeatureStore, or an iterable of (features, targets) chunks
    targets:      [n, K] real, or class ids [n] (each class against the rest); None where `features` brings them
                  (a FeatureStore brings the model's logits)
    l2:           ridge share of the objective, >= 0
    max_features: a path ends where one more feature would become non-zero
    returns:      SparsePath; per target 1/(2n) |y - Xb|^2 + l1 |b|_1 + l2 |b|^2 on standardised features and centred y
                  is minimal at every knot. Constant features and copies of a lower index are never selected
    raises:       BadFeatures (shapes, NaN), BadInput (l2, max_features), UnknownName (family)
    warns:        RuntimeWarning where a target never varies: its path is empty
    source:       Liang et al. 2023, equation 5, on the model's predictions; Wong et al. 2021
    """
    if family not in FAMILIES:
        raise UnknownName("family", family, FAMILIES)
    if not l2 >= 0 or max_features < 1:
        raise BadInput(f"l2 must be at least 0 and max_features at least 1, not {l2} and {max_features}")
    data = moments(features, targets)
    varies = data.target_variance > np.square(1e-9 * data.target_mean)
    paths = [
        homotopy.solve(data.gram, data.cross[:, k], data.usable, l2=l2, most=max_features) if v else _EMPTY
        for k, v in enumerate(varies)
    ]
    notes = _notes(varies)
    for note in notes:
        warnings.warn(note, RuntimeWarning, stacklevel=2)
    kkt = [homotopy.violation(p, data.gram, data.cross[:, k], data.usable, l2=l2) for k, p in enumerate(paths)]
    return SparsePath(
        knots=tuple(torch.from_numpy(p.knots) for p in paths),
        support=tuple(torch.from_numpy(p.support) for p in paths),
        coefficients=tuple(torch.from_numpy(p.coefficients) for p in paths),
        r2=tuple(torch.from_numpy(_r2(p, data, k)) for k, p in enumerate(paths)),
        intercepts=torch.from_numpy(data.target_mean),
        mean=torch.from_numpy(data.mean),
        scale=torch.from_numpy(data.scale),
        kkt=max(kkt, default=0.0),
        config={"family": family, "l2": l2, "max_features": max_features, "points": data.n},
        notes=notes,
    )


_EMPTY = homotopy.Path(np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros((0, 0)))


def _r2(path: homotopy.Path, data: Moments, k: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    b, at = path.coefficients, path.support
    explained = 2 * b @ data.cross[at, k] - np.einsum("mi,ij,mj->m", b, data.gram[np.ix_(at, at)], b)
    return np.asarray(explained / data.target_variance[k] if len(b) else explained)


def _sparsest(coefficients: Tensor, r2: Tensor, tolerance: float) -> int:
    """The knot with the fewest non-zeros among those good enough, of equals the one explaining most; -1 for none."""
    if not len(r2):
        return -1
    good = torch.nonzero(r2 >= (1 - tolerance) * r2.max()).flatten().tolist()
    sizes = (coefficients != 0).sum(1).tolist()
    return int(min(good, key=lambda m: (sizes[m], -float(r2[m]), m)))


def _notes(varies: Any) -> tuple[str, ...]:
    flat = np.flatnonzero(~varies).tolist()
    if not flat:
        return ()
    named = ", ".join(map(str, flat[:5])) + (", ..." if len(flat) > 5 else "")
    return (f"{len(flat)} of {len(varies)} targets never vary and get an empty path: {named}",)

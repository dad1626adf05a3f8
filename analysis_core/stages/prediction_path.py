"""What stage P returns: sparse linear models at every knot of their paths, one knot of which is in use.

prediction.py and multinomial.py make them; selection.py draws their accuracy against their size; results.py saves them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from analysis_core.arguments import count, finite, whole
from analysis_core.chunks import as_array
from analysis_core.errors import BadFeatures, BadInput

if TYPE_CHECKING:
    from analysis_core.stages.selection import Curve

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
    r2:           per target float64 [m_k] on the fitted points: share of the target's variance explained (gaussian),
                  or of the deviance, the same for all targets (multinomial)
    intercepts:   float64 [K]: the targets' means (gaussian), or the intercepts at the selected knot (multinomial)
    mean, scale:  float64 [d] of the features; scale 1 where a feature is constant
    kkt:          the largest violation of the optimality conditions at any knot, as a share of the first knot, among
                  features that vary and are no copies; a bound on it where products were float32 (config["precision"])
    selected:     int64 [K], the knot in use per target (-1: none), see `select`
    notes:        what a reader should know, such as targets that never vary
    quality:      what the figures are worth and what they cost; "gram_error": how far correlations may be off
    knot_intercepts: float64 [m, K] (multinomial, whose targets share their knots), else None
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
    quality: dict[str, Any] = field(default_factory=dict)
    knot_intercepts: Tensor | None = None

    def __post_init__(self) -> None:
        if len(self.selected) != len(self.knots):
            self.select()

    def select(self, tolerance: float = _TOLERANCE, *, curve: Curve | None = None) -> SparsePath:
        """Use the sparsest models that explain nearly as much as the best; returns this path.

        tolerance: the share of the best that may be given up, 0 to 1. A share, not a difference: a rare class explains
                   little of its variance at best, and still gets its features
        curve:     None = per target by its R2 (multinomial: one knot for all); else for all targets together by the
                   accuracy of `prediction.curve`: at most as many features each as the smallest size that is nearly
                   as accurate as the best
        raises:    BadInput (tolerance; a curve of another path)
        """
        tolerance = share_given_up(tolerance)
        if curve is not None:
            if not hasattr(curve, "sparsest") or len(curve.counts) != len(self.knots):
                raise BadInput(f"curve must be what prediction.curve makes of this path of {len(self.knots)} targets")
            return self._use(self.at_most(curve.sparsest(tolerance)))
        if self.knot_intercepts is None:
            return self._use([_sparsest(self.sizes(k), r2, tolerance) for k, r2 in enumerate(self.r2)])
        # One figure for all targets, so one knot: the total number of features decides.
        total = sum(self.sizes(k) for k, r2 in enumerate(self.r2) if len(r2))
        shared = next((r2 for r2 in self.r2 if len(r2)), torch.zeros(0))
        knot = _sparsest(torch.as_tensor(total), shared, tolerance) if len(shared) else -1
        return self._use([knot if len(r2) else -1 for r2 in self.r2])

    def sizes(self, class_: int) -> Tensor:
        """Non-zero features of one target at each knot: int64 [m_k]. raises: BadInput (no such class)"""
        return (self.coefficients[self._existing(class_)] != 0).sum(1)

    def at_most(self, size: int) -> list[int]:
        """Per target the knot that explains most with at most `size` features; multinomial: one knot for all.

        raises: BadInput (size below 0 or no whole number)
        """
        size = count("size", size, least=0)
        fits = [(self.sizes(k) <= size).tolist() for k in range(len(self.knots))]
        if self.knot_intercepts is not None:
            all_fit = [all(each) for each in zip(*(f for f in fits if f), strict=True)]
            fits = [all_fit if f else f for f in fits]
        return [
            max((m for m, ok in enumerate(f) if ok), key=lambda m: (float(r2[m]), -m), default=-1)
            for f, r2 in zip(fits, self.r2, strict=True)
        ]

    def weights(self, class_: int) -> Tensor:
        """Coefficients of one target at its selected knot, dense: float64 [d], on standardised features.

        raises: BadInput (no such class)
        """
        class_ = self._existing(class_)
        dense = torch.zeros(len(self.mean), dtype=torch.float64)
        knot = int(self.selected[class_])
        if knot >= 0:
            dense[self.support[class_]] = self.coefficients[class_][knot]
        return dense

    def top(self, class_: int, n: int | None = None) -> Top:
        """The features of one target at the selected knot: non-zero only, signed, descending; n of them at most.

        raises: BadInput (a class that does not exist, n below 0)
        """
        n = None if n is None else count("n (or None for all)", n, least=0)
        dense = self.weights(class_)
        order = torch.sort(dense, descending=True, stable=True).indices
        indices = order[dense[order] != 0][:n]
        return Top(indices, dense[indices])

    def contributions(self, features: Any) -> Tensor:
        """beta_j (z_j - mean_j) / scale_j of each datapoint: float64 [n, K, d], or [K, d] for one datapoint [d].

        raises: BadFeatures
        """
        return self.standardised(features).unsqueeze(-2) * self._dense()

    def predict(self, features: Any) -> Tensor:
        """The sparse models' values float64 [n, K], or [K] for one datapoint [d]. raises: BadFeatures

        multinomial: logits, whose softmax are the probabilities
        """
        return self.intercepts + self.standardised(features) @ self._dense().T

    def standardised(self, features: Any) -> Tensor:
        """(z - mean) / scale, float64. raises: BadFeatures (shape, NaN or infinite)"""
        z = torch.from_numpy(np.array(as_array(features), dtype=np.float64))
        if z.dim() not in (1, 2) or z.shape[-1] != len(self.mean):
            raise BadFeatures(f"features must be [n, {len(self.mean)}] or [{len(self.mean)}], not {tuple(z.shape)}")
        if not z.isfinite().all():
            raise BadFeatures(f"features are NaN or infinite at {(~z.isfinite()).nonzero()[0].tolist()}")
        return (z - self.mean) / self.scale

    def _existing(self, class_: int) -> int:
        found = whole("class_", class_)
        if not 0 <= found < len(self.knots):
            raise BadInput(f"class {found} does not exist: the path has classes 0 to {len(self.knots) - 1}")
        return found

    def _dense(self) -> Tensor:
        return torch.stack([self.weights(k) for k in range(len(self.knots))])

    def _use(self, knots: list[int]) -> SparsePath:
        self.selected = torch.tensor(knots, dtype=torch.int64)
        if self.knot_intercepts is not None and len(self.knot_intercepts):
            self.intercepts = self.knot_intercepts[max(knots, default=0)].clone()
        return self


def none_varies(usable: Any) -> tuple[str, ...]:
    """A note where no feature is usable, bool [d]: all models are their intercepts."""
    return () if usable.any() else (f"none of the {len(usable)} features varies: every model is its intercept alone",)


def share_given_up(tolerance: float) -> float:
    """A share of the best, at least 0 and below 1. raises: BadInput"""
    found = finite("tolerance", tolerance)
    if not 0 <= found < 1:
        raise BadInput(f"tolerance must be at least 0 and below 1, not {found}")
    return found


def _sparsest(sizes: Tensor, r2: Tensor, tolerance: float) -> int:
    """The knot with the fewest non-zeros among those good enough, of equals the one explaining most; -1 for none."""
    if not len(r2):
        return -1
    good = torch.nonzero(r2 >= (1 - tolerance) * r2.max()).flatten().tolist()
    return int(min(good, key=lambda m: (int(sizes[m]), -float(r2[m]), m)))

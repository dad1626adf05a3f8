"""A regression model as a classifier over bins of its output, so that studies and sparse linear models can use it.

`Discretised` wraps any model of the protocol whose logits hold a real number; `quantile_edges` finds edges for it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis_core.arguments import count, finite, listed
from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel

if TYPE_CHECKING:
    from torch import Tensor

    from analysis_core.types import Encoded, Output

#: The number itself, as a named layer: Feature(0, layer=REGRESSION) explains it without bins.
REGRESSION = "regression"


class Discretised:
    """Bins of a real output y as classes, with logits that are linear in y.

    With edges e_1 < ... < e_{K-1} bin k holds e_k <= y < e_{k+1}. The logits follow the adjacent-category model,
    l_k - l_{k-1} = (y - e_k) / softness, so that the largest logit is that of y's bin, softmax assigns y softly, and a
    model whose y is additive stays additive in every logit. What is common to all logits, which softmax does not see,
    is chosen so that l_m = -l_{m-1} with m = K // 2: bins below the edge e_m fall with y and the others rise with y;
    none is without a gradient. Where y lies on an edge, or so close that round-off decides, two logits tie: that of y's
    bin (`bin_of`'s: the upper one on the edge) is raised by one or two units in the last place, with the same gradient.

    labels: readable bins, exact: "below 0.5", "[0.5, 1.0)", "1.0 or more"
    source: adjacent-category logits, Agresti, Categorical Data Analysis, 3rd ed., section 8.3.4
    """

    def __init__(
        self, model: MultimodalModel, edges: Sequence[float], *, output: int = 0, softness: float | None = None
    ) -> None:
        """edges: the inner edges, ascending, in units of y; output: the column of the model's logits that holds y

        softness: in units of y; None = the median width of the inner bins, 1 for a single edge. It scales the logits
        raises:   BadInput (edges not ascending or not finite, softness not positive)
        """
        if isinstance(edges, str) or not isinstance(edges, Iterable):
            raise BadInput(f"edges must be a list of numbers, such as [0.0, 0.5], not {edges!r}")
        self.edges = tuple(finite("an edge", e) for e in edges)
        if not self.edges or list(self.edges) != sorted(set(self.edges)):
            raise BadInput(f"edges must be ascending and at least one, not {list(self.edges)}")
        if softness is None:
            softness = float(np.median(np.diff(self.edges))) if len(self.edges) > 1 else 1.0
        self.softness = finite("softness", softness)
        if self.softness <= 0:
            raise BadInput(f"softness must be a positive number, not {softness}")
        self.model, self.output = model, count("output", output, least=0)
        self.modalities = model.modalities
        self.labels = bin_labels(self.edges)
        self.layers = (*(getattr(model, "layers", None) or ()), REGRESSION)
        #: d l_k / d y times softness: half-integers, never 0.
        self.slopes = tuple(k + 0.5 - self._middle for k in range(len(self.labels)))
        self._offsets = self._intercepts()

    @property
    def _middle(self) -> int:
        return (len(self.edges) + 1) // 2

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        """As the model wrapped."""
        return self.model.encode(sample)

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        """As the model wrapped."""
        return self.model.baseline(encoded)

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        """Logits [B, K] of the bins; features and layers as the model wrapped, and y as the layer "regression" [B, 1].

        raises: BadInput (the model has no such output)
        """
        from analysis_core.types import Output

        out = self.model.forward(x, aux)
        if out.logits.dim() != 2 or not 0 <= self.output < out.logits.shape[1]:
            raise BadInput(f"output {self.output} does not exist: the model returns {tuple(out.logits.shape)}")
        y = out.logits[:, self.output : self.output + 1]
        logits = (y * y.new_tensor(self.slopes) + y.new_tensor(self._offsets)) / self.softness
        return Output(self._untied(logits, y), out.features, {**out.layers, REGRESSION: y})

    def bin_of(self, values: Iterable[float]) -> NDArray[np.int64]:
        """The bin of each true value, as class numbers [n]. raises: BadInput (NaN)"""
        y = _numbers(values)
        if np.isnan(y).any():
            raise BadInput(f"value {int(np.isnan(y).argmax())} is NaN, which lies in no bin")
        return np.searchsorted(self.edges, y, side="right").astype(np.int64)

    def regression(self, logits: Tensor) -> Tensor:
        """y [B] from logits [B, K]: softness (l_m - l_{m-1}) + e_m, the inverse of the discretisation."""
        m = self._middle
        return self.softness * (logits[:, m] - logits[:, m - 1]) + self.edges[m - 1]

    def _untied(self, logits: Tensor, y: Tensor) -> Tensor:
        """Logits [B, K] whose largest is that of y's bin, beyond round-off as they are; gradients as they are."""
        import torch

        edges = torch.tensor(self.edges, dtype=torch.float64, device=y.device)
        own = torch.bucketize(y.detach().double().contiguous(), edges, right=True)
        others = logits.detach().scatter(1, own, -math.inf).amax(dim=1, keepdim=True)
        kind = torch.finfo(logits.dtype)
        above = others + (others.abs() * kind.eps).clamp(min=kind.tiny)
        tied = torch.zeros_like(logits, dtype=torch.bool).scatter(1, own, logits.detach().gather(1, own) <= others)
        # The last bracket is 0 with the gradient of the logit.
        return torch.where(tied, above + (logits - logits.detach()), logits)

    def _intercepts(self) -> tuple[float, ...]:
        """b_k with l_k = (slope_k y + b_k) / softness: b_k - b_{k-1} = -e_k and b_m = -e_m / 2."""
        m = self._middle
        falls = np.concatenate([[0.0], -np.cumsum(self.edges)])
        return tuple(float(b) for b in falls - falls[m] - self.edges[m - 1] / 2)


def bin_labels(edges: Sequence[float]) -> tuple[str, ...]:
    """Names of the bins between ascending edges, digit for digit."""
    inner = (f"[{a}, {b})" for a, b in itertools.pairwise(edges))
    return (f"below {edges[0]}", *inner, f"{edges[-1]} or more")


def quantile_edges(values: Iterable[float], bins: int) -> tuple[float, ...]:
    """Edges that cut values into bins of about equal counts, rounded as far as no value changes its bin.

    values: [n], the model's outputs on a training split, say
    bins:   at least 2
    returns: at most bins - 1 edges: ties are never cut, so many equal values leave fewer bins
    raises:  BadInput (bins, NaN, fewer than two different values)
    """
    y = np.sort(_numbers(values))
    bins = count("bins", bins, least=2)
    if not np.isfinite(y).all() or len(np.unique(y)) < 2:
        raise BadInput(f"quantiles need at least two different finite values, not {y.tolist()!r:.80}")
    # A cut lies between neighbours that differ: number c means that the first c values are below the edge.
    cuts = np.flatnonzero(np.diff(y) > 0) + 1
    wanted = [len(y) * k / bins for k in range(1, bins)]
    nearest = {int(cuts[np.abs(cuts - w).argmin()]) for w in wanted}
    return tuple(_shortest_between(float(y[c - 1]), float(y[c])) for c in sorted(nearest))


def _numbers(values: Any) -> NDArray[np.float64]:
    try:
        found = np.asarray(listed("values", values, "[0.5, 2.0]"), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"values must be numbers [n], not {values!r:.80}") from error
    if found.ndim != 1:
        raise BadInput(f"values must be numbers [n], not {list(found.shape)}")
    return found


def _shortest_between(low: float, high: float) -> float:
    """The number with the fewest decimals that lies strictly between two, else their upper end."""
    middle = low + (high - low) / 2
    for digits in range(18):
        candidate = round(middle, digits)
        if low < candidate < high:
            return candidate
    return high

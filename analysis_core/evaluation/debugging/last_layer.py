"""The last layer of a trained model, on cached features: recovered from what it said, and fine-tuned on new points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis_core.arguments import count, finite, whole
from analysis_core.chunks import as_array
from analysis_core.errors import BadInput, Diverged, MissingCapability
from analysis_core.evaluation.debugging.matrices import class_ids, matrix

Table = NDArray[np.float64]

#: Stored features and logits are float32: what a linear layer cannot explain of them is no more than this.
LINEAR = 1e-4


@dataclass(frozen=True, eq=False)
class LastLayer:
    """logits = features weight' + bias, with weight [K, d] and bias [K]."""

    weight: Table
    bias: Table

    @classmethod
    def recover(cls, features: Any, logits: Any) -> LastLayer:
        """The layer between cached features [n, d] and logits [n, K], by least squares.

        Directions in which the features never vary cannot be known and get no weight: on such data they do not matter.
        raises: MissingCapability (the logits are not linear in these features), BadInput (unequal rows), BadFeatures
                (NaN or infinite)
        cost:   O(n d^2), two float64 copies of the features in memory
        """
        given = ("features", features), ("logits", logits)
        x, y = (np.asarray(matrix(name, t), dtype=np.float64) for name, t in given)
        if len(x) != len(y) or not len(x):
            raise BadInput(f"features [n, d] and logits [n, K] are needed, not {x.shape} and {y.shape}")
        centre, middle = x.mean(axis=0), y.mean(axis=0)
        solved = np.linalg.lstsq(x - centre, y - middle, rcond=1e-7)[0]
        off = _off((x - centre) @ solved + middle, y)
        if not off <= LINEAR:
            raise MissingCapability(
                f"the logits are not a linear layer of these features (off by {off:.1e} of the largest):"
                " debugging fine-tunes a last layer, so `features` must be its input"
            )
        return cls(solved.T.copy(), middle - centre @ solved)

    def explains(self, features: Any, logits: Any) -> bool:
        """Whether these logits [n, K] are what the layer says of these features [n, d], up to LINEAR of the largest."""
        x, y = (np.asarray(as_array(t), dtype=np.float64) for t in (features, logits))
        return _off(x @ self.weight.T + self.bias, y) <= LINEAR

    def predict(self, features: Any) -> NDArray[np.int64]:
        """Class ids [n]. raises: BadInput (another width than the layer's), BadFeatures (NaN or infinite)"""
        x = matrix("features", features, width=self.weight.shape[1])
        scores = np.asarray(x, dtype=np.float64) @ self.weight.T + self.bias
        return np.asarray(scores.argmax(axis=1), dtype=np.int64)


def _off(said: Table, logits: Table) -> float:
    """The largest difference, as a share of the largest logit."""
    return float(np.abs(said - logits).max()) / (float(np.abs(logits).max()) or 1.0)


def fine_tune(
    layer: LastLayer,
    features: Any,
    labels: Any,
    *,
    learning_rate: float,
    epochs: int = 1,
    batch: int = 32,
    seed: int = 0,
) -> LastLayer:
    """A copy of the layer after plain stochastic gradient descent on the cross-entropy of some points.

    features, labels: [n, d] and class ids [n]; seed: order of the points
    raises: BadInput (no point, another width than the layer's, labels that are not ids of its classes, a learning rate
            that is not above 0, no epoch, an empty batch), BadFeatures (NaN or infinite), Diverged (weights that are
            no longer finite)
    """
    import torch
    from torch import nn

    learning_rate, epochs, batch = (
        finite("learning_rate", learning_rate),
        count("epochs", epochs),
        count("batch", batch),
    )
    if learning_rate <= 0:
        raise BadInput(f"learning_rate must be above 0, not {learning_rate}")
    x = torch.as_tensor(np.asarray(matrix("features", features, width=layer.weight.shape[1]), dtype=np.float64))
    y = torch.as_tensor(class_ids("labels", labels))
    if not len(x) or len(x) != len(y) or int(y.min()) < 0 or int(y.max()) >= len(layer.bias):
        raise BadInput(f"fine-tuning needs points with classes from 0 to {len(layer.bias) - 1}")
    weight = torch.tensor(layer.weight, requires_grad=True)
    bias = torch.tensor(layer.bias, requires_grad=True)
    optimiser = torch.optim.SGD([weight, bias], lr=learning_rate)
    order = torch.Generator().manual_seed(whole("seed", seed))
    for _ in range(epochs):
        for part in torch.randperm(len(x), generator=order).split(batch):
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(x[part] @ weight.T + bias, y[part])
            loss.backward()
            optimiser.step()
    if not bool(weight.isfinite().all() and bias.isfinite().all()):
        raise Diverged(f"fine-tuning ran out of the range of numbers: take a learning_rate below {learning_rate}")
    return LastLayer(weight.detach().numpy(), bias.detach().numpy())

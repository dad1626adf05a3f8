"""Which points of an unlabelled set are worth a label: one way of choosing per arm. No labels are read here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from analysis_core.arguments import count, listed, whole
from analysis_core.chunks import as_array
from analysis_core.errors import BadInput, UnknownName
from analysis_core.evaluation.debugging.matrices import matrix

#: arm -> (voted features, other features) that it reads; random and uncertainty read none.
ARMS: dict[str, tuple[int, int]] = {
    "random": (0, 0),
    "uncertainty": (0, 0),
    "two_voted": (2, 0),
    "one_voted_one_other": (1, 1),
    "two_other": (0, 2),
}


def choose(
    arm: str,
    *,
    features: Any,
    logits: Any,
    budget: int = 500,
    voted: Sequence[int] = (),
    other: Sequence[int] = (),
    seed: int = 0,
) -> NDArray[np.int64]:
    """The points that an arm has labelled: distinct indices [budget] into U.

    features, logits: [n, d] and [n, K] of the unlabelled set U
    voted, other:     features that annotators voted for, and features they did not, the strongest first
    arm:              random; uncertainty (highest entropy of the softmax); two_voted, one_voted_one_other, two_other:
                      budget / 2 points of each feature with the highest |value|, turn by turn; a point that both would
                      take counts once, and both go on until the budget is spent
    seed:             for random; ties elsewhere go to the lower index
    raises:           UnknownName (arm), BadInput (a budget above n, unequal rows, too few features named), BadFeatures
                      (NaN or infinite; whatever the arm reads)
    source:           Liang et al. 2023, section D.5
    """
    if arm not in ARMS:
        raise UnknownName("selection arm", arm, ARMS)
    values, scores = matrix("features", features), matrix("logits", logits)
    if len(values) != len(scores):
        raise BadInput(f"features of {len(values)} points and logits of {len(scores)} do not belong together")
    budget, seed = count("budget", budget), count("seed", seed, least=0)
    if budget > len(values):
        raise BadInput(f"{budget} points cannot be chosen from {len(values)}")
    if arm == "random":
        return np.sort(np.random.default_rng(seed).permutation(len(values))[:budget]).astype(np.int64)
    if arm == "uncertainty":
        return np.argsort(-entropy(scores), kind="stable")[:budget].astype(np.int64)
    from_voted, from_other = ARMS[arm]
    voted, other = feature_numbers("voted", voted), feature_numbers("other", other)
    if len(voted) < from_voted or len(other) < from_other:
        raise BadInput(f"{arm} needs {from_voted} voted and {from_other} other features")
    read = [*voted[:from_voted], *other[:from_other]]
    if len(set(read)) < len(read) or not all(0 <= j < values.shape[1] for j in read):
        raise BadInput(f"{arm} needs different features from 0 to {values.shape[1] - 1}, not {read}")
    return _in_turn([np.argsort(-np.abs(values[:, j]), kind="stable") for j in read], budget)


def feature_numbers(name: str, features: Any) -> list[int]:
    """Features of any library's numbers as plain ones. raises: BadInput (a single number, a fraction)"""
    return [whole("a feature's number", j) for j in listed(name, features, "[12, 40]")]


def entropy(logits: Any) -> NDArray[np.float64]:
    """Entropy in nats of the softmax of each row: [n]."""
    logs = log_softmax(np.asarray(as_array(logits), dtype=np.float64), axis=1)
    return np.asarray(-(np.exp(logs) * logs).sum(axis=1))


def _in_turn(orders: Sequence[NDArray[np.int64]], budget: int) -> NDArray[np.int64]:
    """Each order gives its next point that nobody has taken, one after the other, until there are enough."""
    taken: dict[int, None] = {}
    queues = [iter(order.tolist()) for order in orders]
    while len(taken) < budget:
        for queue in queues:
            if len(taken) < budget:
                taken.setdefault(next(point for point in queue if point not in taken))
    return np.array(list(taken), dtype=np.int64)

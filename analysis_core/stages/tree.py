"""A decision tree in place of stage P's linear models: which features it asks for, in which order, how well it does.

Grown by scikit-learn; what comes back is plain numbers, without scikit-learn's classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis_core.arguments import count
from analysis_core.chunks import as_array, paired_chunks
from analysis_core.errors import BadFeatures, BadInput
from analysis_core.stages.named_classes import classes_named

#: Questions on the way to a leaf, at most, by default: what a person can follow.
DEPTH = 5
_LEAF, _LARGEST_SEED = -1, 2**32 - 1


@dataclass(frozen=True)
class Step:
    """One question on a datapoint's way: is feature `feature`, here `value`, above `threshold`?"""

    feature: int
    threshold: float
    value: float
    above: bool


@dataclass(frozen=True)
class Tree:
    """A tree of m nodes, each before those below it; node 0 is the root.

    feature:    int64 [m], what a node asks for; -1 for a leaf
    threshold:  float64 [m]: at most this goes on to `below`, more to `above` (int64 [m]; -1 for a leaf)
    predicted:  int64 [m], the class most frequent among the fitted datapoints that reach the node
    size:       int64 [m], how many do
    share:      float64 [m], the share of `predicted` among them
    importance: float64 [d], how much of the impurity each feature takes away, adding up to 1 (0 without a question)
    accuracy:   the share of the fitted datapoints whose class their leaf predicts
    """

    feature: Tensor
    threshold: Tensor
    below: Tensor
    above: Tensor
    predicted: Tensor
    size: Tensor
    share: Tensor
    importance: Tensor
    accuracy: float
    config: dict[str, Any]

    @property
    def features_used(self) -> Tensor:
        """The features that are asked for, the most important first: int64."""
        used = torch.unique(self.feature[self.feature != _LEAF])
        order = torch.sort(self.importance[used], descending=True, stable=True).indices
        return used[order]

    @property
    def leaf_sizes(self) -> Tensor:
        """Fitted datapoints per leaf, the largest first: int64."""
        return torch.sort(self.size[self.feature == _LEAF], descending=True, stable=True).values

    def leaves(self, features: Any) -> Tensor:
        """The leaf that each datapoint reaches: int64 [n]. features: [n, d]. raises: BadFeatures"""
        x = self._checked(features)
        node = torch.zeros(len(x), dtype=torch.int64)
        for _ in range(self.config["depth"]):
            asked = self.feature[node]
            value = x.gather(1, asked.clamp(min=0)[:, None])[:, 0].to(torch.float64)
            following = torch.where(value <= self.threshold[node], self.below[node], self.above[node])
            node = torch.where(asked == _LEAF, node, following)
        return node

    def predict(self, features: Any) -> Tensor:
        """The class of each datapoint's leaf: int64 [n]. raises: BadFeatures"""
        return self.predicted[self.leaves(features)]

    def score(self, features: Any, targets: Any = None) -> float:
        """The share of held-out datapoints whose class is predicted, in one streaming pass; as `tree` takes them."""
        right = rows = 0
        for x, y in paired_chunks(features, targets):
            right += int((self.predict(x).numpy() == classes_named(y, rows)).sum())
            rows += len(x)
        if not rows:
            raise BadFeatures("there are no datapoints to score")
        return right / rows

    def path(self, datapoint: Any) -> tuple[Step, ...]:
        """The questions that one datapoint [d] answers on its way to its leaf. raises: BadFeatures"""
        x, node, steps = self._checked(as_array(datapoint)[None])[0], 0, []
        while int(self.feature[node]) != _LEAF:
            feature, threshold = int(self.feature[node]), float(self.threshold[node])
            above = float(x[feature]) > threshold
            steps.append(Step(feature, threshold, float(x[feature]), above))
            node = int((self.above if above else self.below)[node])
        return tuple(steps)

    def _checked(self, features: Any) -> Tensor:
        x = torch.from_numpy(_single(as_array(features)))
        if x.dim() != 2 or x.shape[1] != len(self.importance):
            raise BadFeatures(f"features must be [n, {len(self.importance)}], not {tuple(x.shape)}")
        if not x.isfinite().all():
            raise BadFeatures(f"features are NaN or infinite at {(~x.isfinite()).nonzero()[0].tolist()}")
        return x


def tree(features: Any, targets: Any = None, *, depth: int = DEPTH, smallest_leaf: int = 1, seed: int = 0) -> Tree:
    """Grow a tree from features to classes.

    features:      [n, d], a FeatureStore, or chunks of (features, targets); all are held in memory, as float32
    targets:       class ids [n], or [n, K] of which the largest counts (a FeatureStore brings its logits)
    depth:         questions on the way to a leaf, at most
    smallest_leaf: datapoints that a leaf must hold
    seed:          decides between questions that are equally good
    raises:        BadFeatures (shapes, NaN, bfloat16, sparse, fewer than two points),
                   BadInput (depth, smallest_leaf, seed)
    source:        Breiman et al. 1984, by Gini impurity
    """
    from sklearn.tree import DecisionTreeClassifier

    depth, smallest_leaf, seed = count("depth", depth), count("smallest_leaf", smallest_leaf), _seed(seed)
    parts: list[tuple[Any, Any]] = []
    for x, y in paired_chunks(features, targets):
        parts.append((_single(x), classes_named(y, sum(len(c) for _, c in parts))))
    if sum(len(c) for _, c in parts) < 2:
        raise BadFeatures("at least two points are needed")
    x, classes = (np.concatenate(each) for each in zip(*parts, strict=True))
    if not np.isfinite(x).all():
        raise BadFeatures("features are too large for float32, in which trees are grown")
    model = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=smallest_leaf, random_state=seed)
    grown = model.fit(x, classes).tree_
    shares = grown.value[:, 0, :]
    found = Tree(
        feature=torch.from_numpy(np.where(grown.children_left == _LEAF, _LEAF, grown.feature).astype(np.int64)),
        threshold=torch.from_numpy(np.where(grown.children_left == _LEAF, 0.0, grown.threshold)),
        below=torch.from_numpy(grown.children_left.astype(np.int64)),
        above=torch.from_numpy(grown.children_right.astype(np.int64)),
        predicted=torch.from_numpy(model.classes_[shares.argmax(axis=1)].astype(np.int64)),
        size=torch.from_numpy(grown.n_node_samples.astype(np.int64)),
        share=torch.from_numpy(shares.max(axis=1).astype(np.float64)),
        importance=torch.from_numpy(model.feature_importances_.astype(np.float64)),
        accuracy=float((model.predict(x) == classes).mean()),
        config={"depth": depth, "smallest_leaf": smallest_leaf, "seed": seed, "points": len(classes)},
    )
    return found


def _single(x: NDArray[Any]) -> NDArray[np.float32]:
    """As scikit-learn grows its trees and compares; what is too large becomes infinite, and is refused later."""
    with np.errstate(over="ignore"):
        return np.array(x, dtype=np.float32)


def _seed(seed: int) -> int:
    found = count("seed", seed, least=0)
    if found > _LARGEST_SEED:
        raise BadInput(f"seed must be at most {_LARGEST_SEED}, as numpy's are, not {found}")
    return found

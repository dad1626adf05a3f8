"""The experiment itself: every arm chooses, the last layer is fine-tuned over seeds, the arms are compared in pairs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis_core.arguments import count, finite
from analysis_core.chunks import as_array
from analysis_core.errors import BadInput, Diverged, UnknownName
from analysis_core.evaluation.debugging.affected import Subset
from analysis_core.evaluation.debugging.arms import ARMS, choose, feature_numbers
from analysis_core.evaluation.debugging.last_layer import LastLayer, fine_tune
from analysis_core.evaluation.debugging.matrices import class_ids, matrix

#: Tried per arm, the same for all; used is the one with the best accuracy on V after fine-tuning with the first seed.
LEARNING_RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
#: What the whole test set is called among the subsets.
ALL = "all"


@dataclass(frozen=True, eq=False)
class Split:
    """Cached features [n, d], original logits [n, K] and class ids [n] of one set."""

    features: Any
    logits: Any
    labels: Any

    def checked(self, name: str) -> Split:
        """As arrays. raises: BadInput (unequal numbers of rows, fractional labels), BadFeatures (NaN or infinite)"""
        x, y, k = (np.asarray(as_array(t)) for t in (self.features, self.logits, self.labels))
        if x.ndim != 2 or y.ndim != 2 or k.shape != (len(x),) or len(y) != len(x) or not len(x):
            raise BadInput(f"{name}: features {x.shape}, logits {y.shape} and labels {k.shape} do not belong together")
        return Split(matrix(f"{name}: features", x), matrix(f"{name}: logits", y), class_ids(f"{name}: labels", k))


@dataclass(frozen=True)
class ArmResult:
    """One arm: accuracies after fine-tuning per subset and seed, its learning rate, how many points it had labelled.

    improvement: subset -> mean and standard deviation (n - 1) over seeds of accuracy minus the original one
    """

    arm: str
    learning_rate: float
    chosen: int
    accuracies: dict[str, tuple[float, ...]]
    improvement: dict[str, tuple[float, float | None]]


@dataclass(frozen=True)
class Difference:
    """Improvement of arm a minus arm b on a subset, paired by seed: mean, t interval; None below two seeds.

    Seeds stand for the order of points (and random's choice), not for other data: the interval speaks of these sets.
    """

    a: str
    b: str
    subset: str
    mean: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Debugging:
    """The whole experiment; `original`: accuracy before, `share_of_errors`: of all errors, per subset; JSON-ready."""

    original: dict[str, float]
    sizes: dict[str, int]
    share_of_errors: dict[str, float]
    arms: tuple[ArmResult, ...]
    differences: tuple[Difference, ...]
    config: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Debugging:
        """What `as_json` gave, also after a way through a JSON file."""
        arms = [
            a
            | {name: {subset: tuple(row) for subset, row in a[name].items()} for name in ("accuracies", "improvement")}
            for a in data["arms"]
        ]
        pairs = [d | {"interval": None if d["interval"] is None else tuple(d["interval"])} for d in data["differences"]]
        kept = {name: dict(data[name]) for name in ("original", "sizes", "share_of_errors", "config")}
        return cls(arms=tuple(ArmResult(**a) for a in arms), differences=tuple(Difference(**d) for d in pairs), **kept)

    def difference(self, a: str, b: str, subset: str = ALL) -> Difference:
        """Of two arms on one subset; the arms in either order. raises: UnknownName (no such pair of arms, subset)"""
        for d in self.differences:
            if (d.a, d.b, d.subset) == (a, b, subset):
                return d
            if (d.b, d.a, d.subset) == (a, b, subset):
                turned = None if d.interval is None else (-d.interval[1], -d.interval[0])
                return Difference(a, b, subset, 0 - d.mean, turned)
        known = [f"{d.a} and {d.b} on {d.subset}" for d in self.differences]
        raise UnknownName("difference", f"{a} and {b} on {subset}", known)


def debug(
    labelled: Split,
    unlabelled: Split,
    test: Split,
    *,
    subsets: Sequence[Subset] | Subset = (),
    voted: Sequence[int],
    other: Sequence[int],
    arms: Sequence[str] = tuple(ARMS),
    budget: int = 500,
    seeds: int = 10,
    confidence: float = 0.95,
    progress: Callable[[int, int], None] | None = None,
) -> Debugging:
    """Fine-tune the last layer on each arm's choice and compare the arms.

    labelled:      V, on which learning rates are chosen, by one rule for all arms
    unlabelled:    U, from which points are chosen; their labels are read for the chosen points only, after the choice
    test:          T; subsets: of T, fixed before (by_answer, by_words); one alone is a list of one
    voted, other:  features as for `choose`
    raises:        BadInput (among others: sets of different widths, a subset of another set), BadFeatures (NaN or
                   infinite), UnknownName (arm), MissingCapability (the logits of V, U and T are not one layer of their
                   features), Diverged (at every learning rate)
    source:        Liang et al. 2023, D.5: one epoch, batches of 32, 10 seeds
    """
    v, u, t = labelled.checked("V"), unlabelled.checked("U"), test.checked("T")
    seeds, budget = count("seeds", seeds), count("budget", budget)
    if not 0 < finite("confidence", confidence) < 1:
        raise BadInput(f"confidence must lie between 0 and 1, not at {confidence}")
    arms = (arms,) if isinstance(arms, str) else tuple(dict.fromkeys(arms))
    for arm in arms:
        if arm not in ARMS:
            raise UnknownName("selection arm", arm, ARMS)
    voted, other = feature_numbers("voted", voted), feature_numbers("other", other)
    subsets = (subsets,) if isinstance(subsets, Subset) else tuple(subsets)
    names = [ALL, *(s.name for s in subsets)]
    if len(set(names)) < len(names):
        raise BadInput(f"subsets need names of their own, none of them {ALL!r}, not {names[1:]}")
    for s in subsets:
        if len(s.members) != len(t.labels):
            raise BadInput(f"{s.name}: a subset of {len(s.members)} points does not belong to a T of {len(t.labels)}")
    layer = _layer_of(v, u, t)
    members = {ALL: np.ones(len(t.labels), dtype=bool), **{s.name: s.members for s in subsets}}
    wrong = np.asarray(t.logits).argmax(axis=1) != t.labels
    share_of_errors = {s.name: s.share_of_errors(wrong) for s in subsets}
    original = {name: float(1 - wrong[inside].mean()) for name, inside in members.items()}
    results = []
    for done, arm in enumerate(arms):
        if progress:
            progress(done, len(arms))
        results.append(_arm(arm, layer, (v, u, t), members, original, voted, other, budget, seeds))
    if progress:
        progress(len(arms), len(arms))
    return Debugging(
        original=original,
        sizes={name: int(inside.sum()) for name, inside in members.items()},
        share_of_errors=share_of_errors,
        arms=tuple(results),
        differences=tuple(_differences(results, list(members), confidence)),
        config={
            "budget": budget,
            "seeds": seeds,
            "voted": voted,
            "other": other,
            "learning_rates": list(LEARNING_RATES),
            "confidence": confidence,
        },
    )


def _layer_of(*sets: Split) -> LastLayer:
    """The layer that all sets' logits come from: V's where it says what the others' are, else that of all together."""
    widths = [(s.features.shape[1], s.logits.shape[1]) for s in sets]
    if len(set(widths)) > 1:
        raise BadInput(f"V, U and T need as many features and as many classes as each other, not {widths}")
    layer = LastLayer.recover(sets[0].features, sets[0].logits)
    if all(layer.explains(s.features, s.logits) for s in sets[1:]):
        return layer
    # Fewer points than features in V, or features that vary elsewhere only, leave weights open that U and T need.
    return LastLayer.recover(*(np.concatenate([getattr(s, name) for s in sets]) for name in ("features", "logits")))


def _arm(
    arm: str,
    layer: LastLayer,
    sets: tuple[Split, Split, Split],
    members: dict[str, NDArray[np.bool_]],
    original: dict[str, float],
    voted: Sequence[int],
    other: Sequence[int],
    budget: int,
    seeds: int,
) -> ArmResult:
    v, u, t = sets

    def tuned(learning_rate: float, seed: int) -> LastLayer:
        points = choose(arm, features=u.features, logits=u.logits, budget=budget, voted=voted, other=other, seed=seed)
        return fine_tune(layer, u.features[points], u.labels[points], learning_rate=learning_rate, seed=seed)

    def on_v(learning_rate: float) -> float:
        try:
            return float((tuned(learning_rate, 0).predict(v.features) == v.labels).mean())
        except Diverged:
            return -1.0

    learning_rate = LEARNING_RATES[int(np.argmax([on_v(rate) for rate in LEARNING_RATES]))]
    right = [tuned(learning_rate, seed).predict(t.features) == t.labels for seed in range(seeds)]
    accuracies = {name: tuple(float(r[inside].mean()) for r in right) for name, inside in members.items()}
    improvement = {name: _mean_and_spread(np.array(a) - original[name]) for name, a in accuracies.items()}
    return ArmResult(arm, learning_rate, budget, accuracies, improvement)


def _mean_and_spread(values: NDArray[np.float64]) -> tuple[float, float | None]:
    return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else None


def _differences(results: Sequence[ArmResult], subsets: Sequence[str], confidence: float) -> list[Difference]:
    found = []
    for a, b in itertools.combinations(results, 2):
        for subset in subsets:
            gaps = np.array(a.accuracies[subset]) - np.array(b.accuracies[subset])
            interval = None
            if len(gaps) > 1:
                half = float(stats.t.ppf((1 + confidence) / 2, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps)))
                interval = (float(gaps.mean()) - half, float(gaps.mean()) + half)
            found.append(Difference(a.arm, b.arm, subset, float(gaps.mean()), interval))
    return found

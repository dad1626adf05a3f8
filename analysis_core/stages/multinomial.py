"""The multinomial elastic-net path, optimal to a tolerance at every knot; prediction.sparse_path calls it.

Minimises mean(-sum_k y_k log p_k) + l1 |B|_1 + l2 |B|^2 with p = softmax(a + B x) on standardised features and free
intercepts a. Class by class, the loss is expanded to second order in that class's coefficients (those of the others as
they are now), the small elastic net that results is solved exactly, and a line search on the true objective follows.
Features at 0 are left out until a pass over all data finds that they are wanted.
Source: Friedman, Hastie & Tibshirani 2010 (glmnet); Simon, Friedman & Hastie 2013 (blocks of a class).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from analysis_core.stages.active_set import Integers
from analysis_core.stages.gram import Matrix
from analysis_core.stages.multinomial_block import Block, Penalty, columns_of
from analysis_core.stages.multinomial_columns import Columns, Spool
from analysis_core.stages.multinomial_newton import Joint
from analysis_core.stages.prediction_path import SparsePath, none_varies
from analysis_core.stages.streaming import stream
from analysis_core.store import FeatureStore

#: Knots fall by this factor down to this share of the first, unless this share of the deviance is explained before.
RATIO, LAST, EXPLAINED = 0.9, 1e-3, 0.999
#: The violation of the optimality conditions, as a share of the first knot, at which a knot is done.
TOLERANCE = 1e-8
#: Cycles over the classes between two passes over all features, and such passes per knot, at most.
_CYCLES, _PASSES = 20, 50
#: After so many cycles all coefficients are moved at once, where with the intercepts they are no more than this.
_PATIENCE, _JOINT = 1, 600

_Sparse = tuple[Integers, Matrix]


def multinomial_path(features: Any, targets: Any, *, l2: float, max_features: int) -> SparsePath:
    """The path down to the last knot of a grid at which classes have at most `max_features` on average.

    features, targets: as for sparse_path; real targets are probabilities, those of a FeatureStore its logits' softmax.
                       Everything is read once and kept by column, in files where it is large
    """
    logits = isinstance(features, FeatureStore) and targets is None
    with tempfile.TemporaryDirectory(prefix="multinomial-") as folder:
        spool = Spool(Path(folder), logits=logits)
        stream(features, targets, {"spool": spool})
        data = spool.columns()
        found = _fit(data, l2=l2, most=max_features)
    varies = data.varies
    knots = torch.tensor(found.knots if varies.any() else [], dtype=torch.float64)
    deviance = torch.tensor(found.deviance, dtype=torch.float64)[: len(knots)]
    explained = 1 - deviance / deviance[0] if len(deviance) and deviance[0] > 0 else torch.zeros(len(knots))
    per_class = [_tables([c[k] for c in found.coefficients[: len(knots)]]) for k in range(data.classes)]
    nothing = torch.zeros(0, dtype=torch.float64)
    return SparsePath(
        knots=tuple(knots if v else nothing for v in varies),
        support=tuple(support for support, _ in per_class),
        coefficients=tuple(table if v else table[:0] for v, (_, table) in zip(varies, per_class, strict=True)),
        r2=tuple(explained.to(torch.float64) if v else nothing for v in varies),
        intercepts=torch.from_numpy(found.intercepts[0]),
        mean=torch.from_numpy(data.moments.mean),
        scale=torch.from_numpy(data.moments.scale),
        kkt=max(found.violation),
        config={"family": "multinomial", "l2": l2, "max_features": max_features, "points": data.n},
        notes=(*none_varies(data.moments.usable), *found.notes()),
        quality={"passes": found.passes, "blocks": found.blocks, "tolerance": TOLERANCE, "deviance": deviance.tolist()},
        knot_intercepts=torch.from_numpy(np.array(found.intercepts)),
    )


@dataclass
class _Fitted:
    """knots, deviance, violation (share of the first knot) [m]; coefficients per knot and class; intercepts [m, K]"""

    knots: list[float] = field(default_factory=list)
    coefficients: list[list[_Sparse]] = field(default_factory=list)
    intercepts: list[Matrix] = field(default_factory=list)
    deviance: list[float] = field(default_factory=list)
    violation: list[float] = field(default_factory=list)
    passes: int = 0
    blocks: int = 0

    def notes(self) -> tuple[str, ...]:
        late = sum(v > TOLERANCE for v in self.violation)
        if not late:
            return ()
        return (f"{late} of {len(self.knots)} knots are optimal only to {max(self.violation):.1e} of the first knot",)


def _fit(data: Columns, *, l2: float, most: int) -> _Fitted:
    model, found = _Model(data, l2), _Fitted()
    first = l1 = model.start()
    while True:
        if l1 < first:
            model.solve(l1, TOLERANCE * first)
        if sum(len(columns) for columns, _ in model.coefficients) > most * len(model.occurs):
            break
        found.knots.append(l1)
        found.coefficients.append(list(model.coefficients))
        found.intercepts.append(model.centred())
        found.deviance.append(model.deviance)
        found.violation.append(model.violation / first if first else 0.0)
        l1 *= RATIO
        if l1 <= LAST * first or model.deviance <= (1 - EXPLAINED) * found.deviance[0]:
            break
    found.passes, found.blocks = model.passes, model.blocks
    return found


class _Model:
    """Coefficients per class, and of every datapoint the sum of exp(logit - shift) over the classes that occur."""

    def __init__(self, data: Columns, l2: float) -> None:
        self.data, self.l2 = data, l2
        share = data.moments.target_mean
        self.occurs = np.flatnonzero(share > 0)
        nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
        self.coefficients: list[_Sparse] = [nothing] * data.classes
        with np.errstate(divide="ignore"):
            self.intercepts: Matrix = np.log(share)
        self.shift, self.sums = np.zeros(data.n), np.ones(data.n)
        self.gradient: Matrix = np.zeros((data.d, data.classes))
        self.deviance = self.violation = self.imbalance = 0.0
        self.passes = self.blocks = 0

    def start(self) -> float:
        """The smallest l1 at which all coefficients are 0."""
        self._pass()
        return float(np.abs(self.gradient).max(initial=0.0))

    def solve(self, l1: float, tolerance: float) -> None:
        """Move to the optimum at l1."""
        for _ in range(_PASSES):
            beyond = np.abs(self.gradient) > l1 * (1 - 1e-9)
            current = False
            for cycle in range(_CYCLES):
                # Anew in each cycle: balancing gives classes coefficients on columns that were not theirs.
                every = {k: columns_of(beyond[:, k], self.coefficients[k][0]) for k in self.occurs.tolist()}
                columns = {k: at for k, at in every.items() if len(at)}
                rest = np.array([k for k, at in every.items() if not len(at)], dtype=np.int64)
                moved = [self._improve(k, at, Penalty(l1, self.l2), tolerance / 2) for k, at in columns.items()]
                if not any([*moved, self._improve_rest(rest, tolerance / 2)]):
                    break
                current = False
                self._balance(Penalty(l1, self.l2))
                if cycle >= _PATIENCE and len(self.occurs) + sum(len(b) for _, b in self.coefficients) <= _JOINT:
                    self._polish(Penalty(l1, self.l2), tolerance / 4)
                    current = True
            if not current:
                self._pass()
            self.violation = max(self._violated(Penalty(l1, self.l2)), self.imbalance)
            if self.violation <= tolerance:
                return

    def centred(self) -> Matrix:
        """Intercepts that add up to 0 over the classes that occur; -inf for the others."""
        return np.asarray(self.intercepts - self.intercepts[self.occurs].mean())

    def _polish(self, penalty: Penalty, tolerance: float) -> None:
        """Move all coefficients that are not 0 at once."""
        sizes = [len(self.coefficients[k][0]) for k in self.occurs]
        joint = Joint(
            self.data,
            penalty,
            self.occurs,
            of=np.repeat(np.arange(len(sizes)), sizes),
            at=np.concatenate([self.coefficients[k][0] for k in self.occurs]),
            b=np.concatenate([self.coefficients[k][1] for k in self.occurs]),
            intercepts=self.intercepts[self.occurs],
        )
        joint.polish(tolerance)
        for place, k in enumerate(self.occurs.tolist()):
            own = joint.of == place
            self.coefficients[k] = joint.at[own], joint.b[own]
        self.intercepts[self.occurs] = joint.intercepts
        self._pass()

    def _balance(self, penalty: Penalty) -> None:
        """Shift each feature's coefficients by what the penalty wants.

        The same shift for all classes changes no probability, and steps of one class at a time hardly see it.
        """
        occurs = self.occurs.tolist()
        held = np.bincount(np.concatenate([self.coefficients[k][0] for k in occurs]), minlength=self.data.d)
        # A shift puts all coefficients off 0: with half of them at 0, none is wanted, but for a ridge penalty.
        columns = np.flatnonzero(held > (0 if penalty.l2 else len(occurs) / 2))
        if not len(columns):
            return
        table = np.zeros((len(columns), len(occurs)))
        for place, k in enumerate(occurs):
            at, values = self.coefficients[k]
            here = np.isin(at, columns)
            table[np.searchsorted(columns, at[here]), place] = values[here]
        shifts = np.array([penalty.centre(row) for row in table])
        columns, table, shifts = columns[shifts != 0], table[shifts != 0], shifts[shifts != 0]
        if not len(columns):
            return
        self.shift -= self.data.take(columns) @ shifts
        for place, k in enumerate(occurs):
            b = np.zeros(self.data.d)
            b[self.coefficients[k][0]] = self.coefficients[k][1]
            b[columns] = table[:, place] - shifts
            self.coefficients[k] = np.flatnonzero(b), b[b != 0]

    def _improve(self, k: int, columns: Integers, penalty: Penalty, tolerance: float) -> bool:
        """Take one step with one class's coefficients on some columns; False where there was nothing to gain."""
        b = np.zeros(len(columns))
        b[np.searchsorted(columns, self.coefficients[k][0])] = self.coefficients[k][1]
        x, y = self.data.take(columns), self.data.target(k)
        taken = Block(x, y, b, float(self.intercepts[k]), self.shift, self.sums).step(penalty, tolerance)
        if taken is None:
            return False
        _, b, self.intercepts[k], self.sums = taken
        self.coefficients[k] = columns[b != 0], b[b != 0]
        self.blocks += 1
        return True

    def _improve_rest(self, rest: Integers, tolerance: float) -> bool:
        """The same for all classes without a column: as one, since their intercepts differ by their shares only."""
        if not len(rest):
            return False
        data, nothing = self.data, np.zeros(0)
        share = data.moments.target_mean[rest]
        together = float(np.log(np.exp(self.intercepts[rest]).sum()))
        x, y = np.zeros((data.n, 0)), np.full(data.n, share.sum())
        taken = Block(x, y, nothing, together, self.shift, self.sums).step(Penalty(0.0, 0.0), tolerance)
        if taken is not None:
            _, _, together, self.sums = taken
            self.blocks += 1
        self.intercepts[rest] = together + np.log(share / share.sum())
        return taken is not None

    def _pass(self) -> None:
        """Sums, deviance and gradient anew, from all data."""
        data, classes = self.data, self.occurs
        used = np.unique(np.concatenate([columns for columns, _ in self.coefficients]))
        weights = np.zeros((len(used), len(classes)))
        for place, k in enumerate(classes):
            columns, values = self.coefficients[k]
            weights[np.searchsorted(used, columns), place] = values
        gradient, level, deviance = np.zeros((data.d, len(classes))), np.zeros(len(classes)), 0.0
        for part, x in data.rows():
            logits = x[used].T @ weights + self.intercepts[classes]
            self.shift[part] = logits.max(axis=1)
            p = np.exp(logits - self.shift[part, None])
            self.sums[part] = p.sum(axis=1)
            p /= self.sums[part, None]
            y = data.dense(part)[:, classes]
            deviance += float((np.log(self.sums[part]) + self.shift[part]).sum() - (y * logits).sum())
            p -= y
            level += p.sum(axis=0)
            gradient += x @ p
        self.gradient[:, classes] = gradient / data.n
        self.gradient[~data.moments.usable] = 0.0
        self.deviance = deviance / data.n - data.entropy
        self.imbalance = float(np.abs(level).max(initial=0.0)) / data.n
        self.passes += 1

    def _violated(self, penalty: Penalty) -> float:
        worst = 0.0
        for k in self.occurs:
            b = np.zeros(self.data.d)
            b[self.coefficients[k][0]] = self.coefficients[k][1]
            worst = max(worst, penalty.violation(b, self.gradient[:, k]))
        return worst


def _tables(per_knot: list[_Sparse]) -> tuple[torch.Tensor, torch.Tensor]:
    """One class's columns that are non-zero at some knot [s], and its coefficients [m, s]."""
    support = (
        np.unique(np.concatenate([columns for columns, _ in per_knot])) if per_knot else np.zeros(0, dtype=np.int64)
    )
    table = np.zeros((len(per_knot), len(support)))
    for row, (columns, values) in zip(table, per_knot, strict=True):
        row[np.searchsorted(support, columns)] = values
    return torch.from_numpy(support), torch.from_numpy(table)

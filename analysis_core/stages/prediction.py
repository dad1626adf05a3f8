"""Stage P: from penultimate features to the model's predictions: sparse linear models, or a decision tree."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from analysis_core.arguments import count, finite
from analysis_core.errors import BadInput, UnknownName
from analysis_core.stages import homotopy, homotopy_batch, single_precision
from analysis_core.stages.gram import Matrix, Moments
from analysis_core.stages.multinomial import multinomial_path
from analysis_core.stages.prediction_path import SparsePath as SparsePath
from analysis_core.stages.prediction_path import Top as Top
from analysis_core.stages.prediction_path import none_varies
from analysis_core.stages.selection import Curve as Curve
from analysis_core.stages.selection import curve as curve
from analysis_core.stages.streaming import read
from analysis_core.stages.tree import Tree as Tree
from analysis_core.stages.tree import tree as tree

FAMILIES = ("gaussian", "multinomial")


def sparse_path(
    features: Any,
    targets: Any = None,
    *,
    family: str = "gaussian",
    l2: float = 0.0,
    max_features: int = 30,
    resume: str | Path | None = None,
) -> SparsePath:
    """The exact elastic-net path of every target, from one streaming pass in float64.

    features:     [n, d] tensor, array or memmap, a FeatureStore, an iterable of (features, targets) chunks, or the
                  Moments that streaming.read has made of them
    targets:      [n, K] real, or class ids [n] (each class against the rest); None where `features` brings them
                  (a FeatureStore brings the model's logits)
    l2:           ridge share of the objective, >= 0
    max_features: a path ends where one more feature would become non-zero
    resume:       a file from which an interrupted pass goes on, see streaming.read
    returns:      SparsePath; per target 1/(2n) |y - Xb|^2 + l1 |b|_1 + l2 |b|^2 on standardised features and centred y
                  is minimal at every knot among features that vary and are no copies: constants and copies of a lower
                  index are taken out of the objective, and the lowest index stands for all of them
    raises:       BadFeatures (shapes, NaN, bfloat16, sparse), BadInput (l2, max_features, moments beside targets),
                  UnknownName (family)
    warns:        RuntimeWarning with each of the path's notes: targets that never vary, whose paths are empty; features
                  none of which varies; paths that end early; moments of products in float32
    source:       Liang et al. 2023, equation 5, on the model's predictions; Wong et al. 2021
    """
    if family not in FAMILIES:
        raise UnknownName("family", family, FAMILIES)
    l2, max_features = finite("l2", l2), count("max_features", max_features)
    if l2 < 0:
        raise BadInput(f"l2 must be at least 0, not {l2}")
    if isinstance(features, Moments) and (targets is not None or resume is not None):
        raise BadInput("moments hold the targets of a pass that is done: give them alone, without targets or resume")
    if family == "multinomial":
        found = _multinomial(features, targets, l2=l2, max_features=max_features, resume=resume)
    else:
        found = _gaussian(features, targets, l2=l2, max_features=max_features, resume=resume)
    for note in found.notes:
        warnings.warn(note, RuntimeWarning, stacklevel=2)
    return found


def _gaussian(features: Any, targets: Any, *, l2: float, max_features: int, resume: str | Path | None) -> SparsePath:
    data = features if isinstance(features, Moments) else read(features, targets, resume=resume).moments
    assert data is not None
    varies = data.varies()
    found = homotopy_batch.solve_all(
        data.gram, data.cross[:, varies], data.usable, l2=l2, most=max_features, threads=torch.get_num_threads()
    )
    paths = [_EMPTY] * len(varies)
    for k, path in zip(np.flatnonzero(varies).tolist(), found, strict=True):
        paths[k] = path
    return SparsePath(
        knots=tuple(torch.from_numpy(p.knots) for p in paths),
        support=tuple(torch.from_numpy(p.support) for p in paths),
        coefficients=tuple(torch.from_numpy(p.coefficients) for p in paths),
        r2=tuple(torch.from_numpy(_r2(p, data, k, l2)) for k, p in enumerate(paths)),
        intercepts=torch.from_numpy(data.target_mean),
        mean=torch.from_numpy(data.mean),
        scale=torch.from_numpy(data.scale),
        kkt=max((single_precision.violation(p, data, k) for k, p in enumerate(paths)), default=0.0),
        config={
            "family": "gaussian",
            "l2": l2,
            "max_features": max_features,
            "points": data.n,
            "precision": data.precision,
        },
        notes=(*_about(data), *_notes(varies, paths)),
        quality={"cut": sum(p.cut for p in paths), "gram_error": data.gram_error},
    )


def _multinomial(features: Any, targets: Any, *, l2: float, max_features: int, resume: str | Path | None) -> SparsePath:
    if isinstance(features, Moments) or resume is not None:
        raise BadInput(
            "the multinomial fit reads the data again and again: give them, not their moments, and no resume"
        )
    found = multinomial_path(features, targets, l2=l2, max_features=max_features)
    varies = np.array([len(knots) > 0 for knots in found.knots])
    return replace(found, notes=(*_notes(varies, ()), *found.notes))


_EMPTY = homotopy.Path(np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros((0, 0)), 0.0)


def _r2(path: homotopy.Path, data: Moments, k: int, l2: float) -> Matrix:
    """2 b'c - b'Gb over the variance, where optimality says that Gb = c - l1 sign b - 2 l2 b."""
    b = path.coefficients
    explained = b @ data.cross[path.support, k] + path.knots * np.abs(b).sum(axis=1) + 2 * l2 * np.square(b).sum(axis=1)
    return np.asarray(explained / data.target_variance[k] if len(b) else explained)


def _about(data: Moments) -> tuple[str, ...]:
    """Notes on the features."""
    notes = [*none_varies(data.usable)]
    if data.copies is not None:
        notes.append(
            f"products of features were taken in float32: correlations may be off by {data.gram_error:.0e}, kkt is a "
            f"bound, and {len(data.copies[0])} columns that agree with another to 1e-6 were left out as copies"
        )
    return tuple(notes)


def _notes(varies: Any, paths: Sequence[homotopy.Path]) -> tuple[str, ...]:
    flat, cut = np.flatnonzero(~varies).tolist(), [k for k, p in enumerate(paths) if p.cut]
    notes = []
    if flat:
        notes.append(f"{len(flat)} of {len(varies)} targets never vary and get an empty path: {_named(flat)}")
    if cut:
        notes.append(f"{len(cut)} paths end early, where strong copies among features leave round-off: {_named(cut)}")
    return tuple(notes)


def _named(targets: Sequence[int]) -> str:
    return ", ".join(map(str, targets[:5])) + (", ..." if len(targets) > 5 else "")

"""Claim: the exact paths of all classes, at the size of VQA 2.0, in seconds; and the multinomial path beside saga.

The usual way per class is scikit-learn's, from the same Gram matrix: a grid of 100 approximate solutions (enet_path) or
least angles (lars_path_gram), down to where ours ends, at 30 features.
"""

from __future__ import annotations

import os
import statistics
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, enet_path, lars_path_gram

from analysis_core.stages import homotopy_batch, streaming
from analysis_core.stages.gram import Matrix, Moments
from analysis_core.stages.prediction import SparsePath, sparse_path
from benchmarks import sparse_at_scale
from benchmarks.claims import Row, Scale
from benchmarks.feature_matrices import VQA_CLASSES, as_large_as_vqa, correlated
from benchmarks.measure import alone, interleaved, progress

MOST, GRID = 30, 100
#: What each scale does: classes of the usual way, repeats, shares of VQA 2.0 and classes there, epochs of saga.
FEW = {"small": 2, "paper": 8}
REPEATS = {"small": 1, "paper": 3}
SHARES = {"small": (1 / 512,), "paper": (1.0, 1 / 4, 1 / 16)}
VQA = {"small": 100, "paper": VQA_CLASSES}
EPOCHS = {"small": 5, "paper": 100}
#: Ours of the multinomial path is run on these parts of the datapoints, too.
PARTS = (4, 16)


def rows(scale: Scale) -> Iterator[Row]:
    """Per class in the demo's shape and in VQA's, all at VQA's size and parts of it, and the multinomial path."""
    features, classes = correlated(scale)
    yield from per_class(moments(features, classes), scale, f"{len(features):,} x {features.shape[1]}")
    whole = alone(lambda: sparse_path(features, classes), repeats=REPEATS[scale], name="all paths")
    yield Row(f"all {classes.max() + 1} classes, Gram pass included", "s", None, whole, "float64, KKT check included")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        share = SHARES[scale][-1]
        found = streaming.read(as_large_as_vqa(share, classes=VQA[scale])).moments
    assert found is not None
    usual = None
    for row in per_class(found, scale, f"{found.n:,} x {len(found.gram)}"):
        usual = usual or row.usual
        yield row
    yield from at_scale(scale, usual)
    yield from multinomial(scale)


def moments(features: NDArray[Any], classes: NDArray[Any]) -> Moments:
    """What the Gram pass finds."""
    found = streaming.read(features, classes).moments
    assert found is not None
    return found


def per_class(data: Moments, scale: Scale, shape: str) -> Iterator[Row]:
    """Milliseconds of the most frequent classes; ours walks a block of classes together."""
    often = np.argsort(-data.target_mean, kind="stable")
    few, block = often[: FEW[scale]], often[: homotopy_batch.BLOCK]
    ends = homotopy_batch.solve_all(data.gram, data.cross[:, few], data.usable, l2=0.0, most=MOST)

    # Given the Gram matrix, X only says how many datapoints there are, and y only what the tolerance is a share of.
    stand_in = np.zeros((2, len(data.gram)), order="F")

    def ours() -> None:
        homotopy_batch.solve_all(data.gram, data.cross[:, block], data.usable, l2=0.0, most=MOST)

    def grid() -> None:
        for k, path in zip(few, ends, strict=True):
            y = np.sqrt(data.target_variance[k]) * np.array([1.0, -1.0])
            on_a_grid(stand_in, y, data.gram, data.cross[:, k], path.knots)

    def angles() -> None:
        for k, path in zip(few, ends, strict=True):
            lars_path_gram(
                data.cross[:, k] * data.n,
                data.gram * data.n,
                n_samples=data.n,
                alpha_min=path.knots[-1],
                method="lasso",
                copy_Gram=False,
            )

    for usual, note in ((grid, f"enet_path, {GRID} steps"), (angles, "lars_path_gram, every knot")):
        slow, fast = interleaved(usual, ours, repeats=REPEATS[scale], name=note)
        note = f"{note}, {len(few)} most frequent classes; ours: every knot, {len(block)} classes at once"
        yield Row(f"path of one class, {shape}", "ms", 1e3 * slow / len(few), 1e3 * fast / len(block), note)


def on_a_grid(
    standardised: Matrix, y: NDArray[Any], gram_matrix: Matrix, cross: Matrix, knots: NDArray[Any]
) -> NDArray[Any]:
    """Coefficients [d, GRID] by coordinate descent, l1 from the first of our knots down to the last."""
    n = len(standardised)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, coefficients, _ = enet_path(
            standardised,
            y,
            l1_ratio=1.0,
            alphas=np.geomspace(knots[0], knots[-1], GRID),
            precompute=n * gram_matrix,
            Xy=n * cross,
            check_input=False,
        )
    return np.asarray(coefficients)


@dataclass(frozen=True)
class Setting:
    """How a run at scale is made."""

    name: str = ""
    precision: str = "float64"
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def threads(cls, n: int, precision: str = "float64") -> Setting:
        """So many for BLAS and torch, and as many blocks of classes at once."""
        named = f"{n} threads" + (f", {precision}" if precision != "float64" else "")
        variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TORCH_THREADS")
        return cls(named, precision, dict.fromkeys(variables, str(n)))


def settings(scale: Scale) -> list[Setting]:
    """The plain one first; at the paper's scale also all that would be faster here."""
    found = [Setting()]
    if scale == "paper":
        found.append(Setting("precision=float32", "float32"))
        if sparse_at_scale.has_wider_kernels():
            (variable,) = sparse_at_scale.WIDER.items()
            found.append(Setting("=".join(variable), environment=sparse_at_scale.WIDER))
        if (os.cpu_count() or 1) > 1:
            found += [Setting.threads(2), Setting.threads(2, "float32")]
    return found


def at_scale(scale: Scale, per_class_ms: float | None) -> Iterator[Row]:
    """Seconds of the Gram pass and of all paths, at parts of VQA's size too; each run is a process of its own."""
    every = settings(scale)
    for share in SHARES[scale]:
        for setting in every if share == 1 else every[:1]:
            with progress(f"sparse paths at {share:g} of VQA", REPEATS[scale]) as bar:
                runs = []
                for _ in range(REPEATS[scale]):
                    runs.append(
                        sparse_at_scale.run(
                            share,
                            classes=VQA[scale],
                            precision=setting.precision,
                            environment=setting.environment,
                        )
                    )
                    bar.update()
            yield from _of_runs(runs, setting, per_class_ms if not setting.name else None)


def _of_runs(runs: list[dict[str, Any]], setting: Setting, per_class_ms: float | None) -> Iterator[Row]:
    def median(name: str) -> float:
        return statistics.median(run[name] for run in runs)

    first = runs[0]
    shape = f"{first['rows']:,} x 768" + (f", {setting.name}" if setting.name else "")
    usual = None if per_class_ms is None else per_class_ms * first["classes"] / 1e3
    memory = "peak not known" if first["peak_mib"] is None else f"peak {max(run['peak_mib'] for run in runs):,.0f} MiB"
    yield Row(f"Gram pass, {shape}", "s", None, median("read"), f"CPU {median('read_cpu'):.3g} s; drawing left out")
    note = f"CPU {median('paths_cpu'):.3g} s; {first['knots']:,} knots, KKT {max(run['kkt'] for run in runs):.0e}"
    note += "; usual: per class, multiplied" if usual else ""
    note += " on its own Gram matrix" if setting.precision != "float64" else ""
    yield Row(f"paths of {first['classes']:,} classes, {shape}", "s", usual, median("paths"), note)
    both = statistics.median(run["read"] + run["paths"] for run in runs)
    cpu = statistics.median(run["read_cpu"] + run["paths_cpu"] for run in runs)
    yield Row(
        f"in all, {shape}",
        "s",
        None,
        both,
        f"CPU {cpu:.3g} s; {memory}; imports {median('import'):.2g} s, nothing compiled",
    )


def multinomial(scale: Scale) -> Iterator[Row]:
    """CPU seconds to an objective at one l1: ours walks down to it along its path, saga starts there."""
    features, classes = correlated("small")
    if scale == "small":
        features, classes = features[:200, :20], np.unique(classes[:200] % 5, return_inverse=True)[1]
    path, ours = _multinomial_path(features, classes)
    l1, standardised = float(path.knots[0][-1]), (features - path.mean.numpy()) / path.scale.numpy()
    model = LogisticRegression(
        C=1 / (len(features) * l1), l1_ratio=1.0, solver="saga", tol=0.0, max_iter=EPOCHS[scale], random_state=0
    )
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(standardised, classes)
    usual = time.process_time() - start
    theirs = objective(standardised, classes, model.coef_, model.intercept_, l1)
    assert path.knot_intercepts is not None
    reached = objective(standardised, classes, last_knot(path), path.knot_intercepts[-1].numpy(), l1)
    yield Row(
        f"multinomial, {len(features):,} x {features.shape[1]}, {classes.max() + 1} classes",
        "s CPU",
        usual,
        ours,
        f"usual: {EPOCHS[scale]} epochs of saga, objective {theirs - reached:.1e} above ours; "
        f"ours: {len(path.knots[0])} knots, KKT {path.kkt:.0e}",
    )
    for part in (len(features) // p for p in PARTS):
        some = np.unique(classes[:part], return_inverse=True)[1]
        path, ours = _multinomial_path(features[:part], some)
        name = f"multinomial, {part:,} x {features.shape[1]}, {some.max() + 1} classes"
        note = f"of the datapoints above, with their classes; {len(path.knots[0])} knots, KKT {path.kkt:.0e}"
        yield Row(name, "s CPU", None, ours, note)


def _multinomial_path(features: NDArray[Any], classes: NDArray[Any]) -> tuple[SparsePath, float]:
    """The path, and the CPU seconds that it took."""
    start = time.process_time()
    path = sparse_path(features, classes, family="multinomial", max_features=3)
    return path, time.process_time() - start


def last_knot(path: SparsePath) -> Matrix:
    """Coefficients [K, d] at the last knot of a multinomial path."""
    dense = np.zeros((len(path.knots), len(path.mean)))
    for row, support, table in zip(dense, path.support, path.coefficients, strict=True):
        if len(table):
            row[support.numpy()] = table[-1].numpy()
    return dense


def objective(z: Matrix, classes: NDArray[Any], coefficients: Matrix, intercepts: Matrix, l1: float) -> float:
    """Mean -log p of the classes, and l1 |B|_1."""
    logs = log_softmax(z @ coefficients.T + intercepts, axis=1)
    return float(-logs[np.arange(len(z)), classes].mean() + l1 * np.abs(coefficients).sum())

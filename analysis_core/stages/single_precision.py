"""What products in float32 leave of exactness: of correlations (gram.py), and of the paths on them (prediction.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from analysis_core.stages.gram import Matrix, Moments
    from analysis_core.stages.homotopy import Path

#: Columns correlated beyond 1 - DUPLICATE are one column, where correlations are off by up to about a tenth of this.
DUPLICATE = 1e-6
#: Of products of different columns, errors are taken to be up to so many times the largest of squares, of which float64
#: sums exist as well; and never less than one rounding.
_MARGIN, _ROUNDING = 4.0, 2.0**-24


def error_of(rounded: Matrix, squares: Matrix, variances: Matrix) -> float:
    """How far correlations may be off: measured on squares, whose sums [d] are known in float32 and in float64.

    variances: n times the variance of each column, [d]
    """
    measured = _MARGIN * float((np.abs(rounded - squares) / variances).max(initial=0.0))
    return max(measured, _ROUNDING * float((squares / variances).max(initial=0.0)))


def apart(
    gram: Matrix, cross: Matrix, stands: NDArray[np.int64], left_out: NDArray[np.bool_], usable: NDArray[np.bool_]
) -> tuple[Matrix, Matrix]:
    """How gram [c, d] and cross [c, K] of columns left out as copies differ from those of the columns for which.

    stands: of each column the one that stands for it; what a copy turns around by its sign is turned back
    """
    columns, kept = np.flatnonzero(left_out), stands[left_out]
    sign = np.sign(gram[columns, kept])[:, None]
    return np.where(usable, gram[columns] - sign * gram[kept], 0.0), cross[columns] - sign * cross[kept]


def violation(path: Path, data: Moments, k: int) -> float:
    """A bound on target k's violation on exact moments, left-out copies included, as a share of the first knot.

    Optimality needs a column's correlation c - G b, which is off by at most gram_error |b|_1. A copy's is that of the
    column that stands for it and what tells them apart, off by three times that.
    """
    if data.precision == "float64" or not len(path.knots) or path.knots[0] == 0:
        return path.violation
    more = data.gram_error * np.abs(path.coefficients).sum(axis=1)
    if data.copies is not None and len(data.copies[0]):
        gram, cross = data.copies
        more = 3 * more + np.abs(cross[:, [k]] - gram[:, path.support] @ path.coefficients.T).max(axis=0)
    return float(path.violation + more.max() / path.knots[0])

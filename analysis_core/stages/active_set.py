"""Small quadratic programmes with signs, solved exactly by active sets. homotopy.py calls this where columns tie.

Source: Lawson & Hanson 1974, chapter 23; Lee, Battle, Raina & Ng 2006 (feature-sign search).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis_core.stages.gram import Matrix

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: A column whose part outside the span of those in use has less variance than this depends on them ...
DEPENDENT = 1e-12
#: ... unless it gains more than the round-off of strongly correlated columns can pretend; then at this it does.
_CLEARLY, COPY = 1e-6, 1e-14
#: What a solution may leave of the right side, and the smallest eigenvalue that counts, as shares of the largest.
_LEFT = 1e-13
#: Gains below this (of 1) are round-off.
_GAIN = 1e-11


def steepest(system: Matrix, *, free: int) -> Matrix:
    """The d that minimises 1/2 d'Hd - sum d with d >= 0 in all but the first `free` places.

    system: H [m, m], positive semidefinite, definite on the free places
    """
    d, used = np.zeros(len(system)), np.arange(len(system)) < free
    d[used] = refined(system[:free, :free], np.ones(free))
    barred = np.zeros(len(system), dtype=bool)
    for _ in range(3 * len(system) + 1):
        gain = np.where(used | barred, -np.inf, 1 - system @ d)
        j = int(np.argmax(gain)) if len(gain) else 0
        if not len(gain) or gain[j] <= _GAIN:
            break
        barred[j] = not enter(system, np.ones(len(system)), d, used, j, float(gain[j]), free=free)
    return d


def optimum(
    gram: Matrix,
    cross: Matrix,
    usable: Flags,
    *,
    l1: float,
    l2: float,
    start: tuple[Integers, Matrix],
    tolerance: float,
) -> tuple[Integers, Matrix]:
    """The non-zero columns [s] and coefficients [s] that minimise 1/2 b'Gb - c'b + l1 |b|_1 + l2 |b|^2.

    start:     columns and coefficients near the solution; without zeros, and independent
    tolerance: the violation of optimality, in units of c, that is taken for round-off
    """
    columns, b = start
    signs = np.sign(b)
    barred = np.zeros(len(cross), dtype=bool)
    entered = -1
    for _ in range(3 * len(cross) + 1):
        system = (gram[np.ix_(columns, columns)] + 2 * l2 * np.eye(len(columns))) * np.outer(signs, signs)
        d, used = signs * b, np.ones(len(columns), dtype=bool)
        descend(system, signs * cross[columns] - l1, d, used, free=0)
        # What alone was let go at once can only have come in by round-off.
        barred[entered] |= entered >= 0 and not used[-1] and bool(used[:-1].all())
        columns, signs, b = columns[used], signs[used], (signs * d)[used]
        residual = cross - b @ gram[columns]
        gain = np.where(usable & ~barred, np.abs(residual) - l1, -np.inf)
        gain[columns] = -np.inf
        entered = int(np.argmax(gain))
        if gain[entered] <= tolerance:
            break
        columns, signs, b = np.append(columns, entered), np.append(signs, np.sign(residual[entered])), np.append(b, 0.0)
    return columns[b != 0], b[b != 0]


def enter(system: Matrix, right: Matrix, d: Matrix, used: Flags, j: int, gain: float, *, free: int) -> bool:
    """Take place j into use and move d to the new minimum; False (and nothing done) where j adds nothing."""
    inner = system[used, j]
    outside = system[j, j] - inner @ refined(system[np.ix_(used, used)], inner)
    if outside <= (COPY if gain > _CLEARLY else DEPENDENT):
        return False
    used[j] = True
    descend(system, right, d, used, free=free)
    return bool(used[j])


def descend(system: Matrix, right: Matrix, d: Matrix, used: Flags, *, free: int) -> None:
    """Move d to the minimum of 1/2 d'Hd - right'd over the places in use, letting go of those that reach 0."""
    bound = np.arange(len(d)) >= free
    while used.any():
        # By the change, not afresh: its error is a share of the change, so that the signs of small ones are right.
        wanted = d.copy()
        wanted[used] += refined(system[np.ix_(used, used)], (right - system @ d)[used])
        below = np.flatnonzero(used & bound & (wanted <= 0))
        if not len(below):
            d[:] = wanted
            return
        share = d[below] / np.where(d[below] > wanted[below], d[below] - wanted[below], 1.0)
        least = share.min()
        d += least * (wanted - d)
        gone = below[share == least]
        d[gone], used[gone] = 0.0, False


def refined(system: Matrix, right: Matrix) -> Matrix:
    """Solve with one step of iterative refinement; where round-off still wins, the shortest least-squares solution.

    Strongly correlated columns cost digits, and a column that depends on others may look independent by round-off.
    """
    if not len(right):
        return np.zeros(0)
    try:
        found: Matrix = np.linalg.solve(system, right).astype(np.float64, copy=False)
        found += np.linalg.solve(system, right - system @ found)
    except np.linalg.LinAlgError:
        return shortest(system, right)
    left = float(np.abs(right - system @ found).max())
    if left <= _LEFT * np.abs(right).max():
        return found
    other = shortest(system, right)
    return other if np.abs(right - system @ other).max() < left else found


def shortest(system: Matrix, right: Matrix) -> Matrix:
    """The least-squares solution of least norm, directions of an eigenvalue below round-off left out."""
    values, vectors = np.linalg.eigh(system)
    kept = values > _LEFT * values[-1]
    return np.asarray(vectors[:, kept] @ ((right @ vectors[:, kept]) / values[kept]))

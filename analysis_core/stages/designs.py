"""Which atoms LIME's and DIME's rows switch off, all modalities in every row or one at a time; and the fits to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analysis_core.arguments import whole
from analysis_core.errors import BadInput, UnknownName
from analysis_core.seeds import generator
from analysis_core.stages.masking import Columns
from analysis_core.stages.surrogate import cosine_kernel, fit_ridge, require_room, stability

#: joint: every row switches atoms of all modalities, one surrogate. apart: every row switches atoms of one modality and
#: keeps the others whole, one surrogate per modality.
DESIGNS = ("joint", "apart")


@dataclass(frozen=True)
class Block:
    """Rows of a design that one surrogate is fitted to, the whole sample first, and the columns it is about."""

    name: str
    rows: Tensor
    start: int
    stop: int


class Design:
    """Mask rows and what is fitted to them.

    Z:      bool [S, n_atoms], the whole sample first
    blocks: one for all columns ("joint"), or one per modality ("apart")
    config: what determines the rows, for an Attribution's config
    """

    def __init__(self, columns: Sequence[Columns], *, samples: int | None, seed: int, design: str) -> None:
        """samples: rows in all; None = max(200, 10 n_atoms). "apart" gives each modality an equal share of them

        raises: UnknownName (design), BadInput (samples or seed no whole number; fewer than two atoms, or rows of a
                surrogate; more than fits in memory)
        """
        if design not in DESIGNS:
            raise UnknownName("design", design, DESIGNS)
        self.columns, atoms = tuple(columns), columns[-1].stop
        samples = max(200, 10 * atoms) if samples is None else whole("samples", samples)
        seed = whole("seed", seed)
        least = 2 if design == "joint" else 1 + len(self.columns)
        if atoms < 2 or samples < least:
            raise BadInput(
                "a surrogate needs at least two atoms and two rows of its own: "
                f"{least} rows, not {samples} for {atoms} atoms"
            )
        self.config: dict[str, Any] = {
            "samples": samples,
            "seed": seed,
            "design": design,
            "modalities": [c.modality for c in self.columns],
        }
        if design == "joint":
            require_room(samples, atoms)
            # One modality by itself has the same stream in either design.
            alone = [c.modality for c in self.columns] if len(self.columns) == 1 else []
            self.Z = bernoulli(samples, atoms, seed, "lime", *alone)
            self.blocks: tuple[Block, ...] = (Block("", torch.arange(samples), 0, atoms),)
        else:
            self.Z, self.blocks = _apart(self.columns, samples, seed)

    def fit(self, y: Tensor) -> Surrogates:
        """Surrogates of targets' values float64 [S, targets] on these rows."""
        return Surrogates(self, y)


class Surrogates:
    """A design's fits put together: coefficients and standard_errors float64 [n_atoms, targets].

    A target's numbers are the same bytes whatever stands beside it.
    """

    def __init__(self, design: Design, y: Tensor) -> None:
        self.columns, self.blocks, self.y = design.columns, design.blocks, y
        self.fits = []
        for block in self.blocks:
            own = design.Z[block.rows, block.start : block.stop]
            self.fits.append(fit_ridge(own.to(torch.float64), y[block.rows], cosine_kernel(own)))
        self.coefficients = torch.cat([fit.coefficients for fit in self.fits])
        self.standard_errors = torch.cat([fit.standard_errors for fit in self.fits])

    def values(self, k: int) -> dict[str, Tensor]:
        """Target k's coefficients by modality."""
        return _split(self.columns, self.coefficients[:, k])

    def worth(self, k: int, *, noise: float | None = None) -> dict[str, Any]:
        """How well target k is fitted and how sure its coefficients are; by modality where each has its own surrogate.

        noise: where the target moves by no more than that, or by round-off only, there is nothing to be fitted: no r2
               and no stability
        """
        figures: dict[str, list[float | None]] = {"r2": [], "r2_in_sample": [], "stability": [], "intercept": []}
        for block, fit in zip(self.blocks, self.fits, strict=True):
            own = self.y[block.rows, k]
            moves = fit.r2[k] is not None and (noise is None or float(own.max() - own.min()) > noise)
            figures["r2"].append(fit.r2[k] if moves else None)
            figures["r2_in_sample"].append(fit.r2_in_sample[k] if moves else None)
            sure = stability(fit.coefficients[:, k], fit.standard_errors[:, k])
            figures["stability"].append(sure if moves else None)
            figures["intercept"].append(float(fit.intercepts[k]))
        errors = _split(self.columns, self.standard_errors[:, k])
        return {
            **{name: self._by_block(found) for name, found in figures.items()},
            "standard_error": {m: e.tolist() for m, e in errors.items()},
            "value": float(self.y[0, k]),
        }

    def _by_block(self, figures: Sequence[float | None]) -> Any:
        if self.blocks[0].name == "":
            return figures[0]
        return {block.name: figure for block, figure in zip(self.blocks, figures, strict=True)}


def bernoulli(rows: int, atoms: int, seed: int, *purpose: str) -> Tensor:
    """bool [rows, atoms], each kept with probability 1/2; the first row keeps all."""
    Z = torch.rand(rows, atoms, generator=generator(seed, *purpose)) < 0.5
    Z[0] = True
    return Z


def _apart(columns: Sequence[Columns], samples: int, seed: int) -> tuple[Tensor, tuple[Block, ...]]:
    """The whole sample, then each modality's rows from a stream of its own, so that errors of one are not another's.

    The first modalities get the rows that do not divide evenly.
    """
    share, over = divmod(samples - 1, len(columns))
    for c in columns:
        require_room(share + 2, c.stop - c.start)
    Z, blocks, start = torch.ones(samples, columns[-1].stop, dtype=torch.bool), [], 1
    for number, c in enumerate(columns):
        stop = start + share + (number < over)
        rows = torch.cat([torch.zeros(1, dtype=torch.int64), torch.arange(start, stop)])
        Z[rows, c.start : c.stop] = bernoulli(len(rows), c.stop - c.start, seed, "lime", c.modality)
        blocks.append(Block(c.modality, rows, c.start, c.stop))
        start = stop
    return Z, tuple(blocks)


def _split(columns: Sequence[Columns], per_atom: Tensor) -> dict[str, Tensor]:
    return {c.modality: per_atom[c.start : c.stop].clone() for c in columns}

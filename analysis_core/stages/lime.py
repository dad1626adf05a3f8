"""Stage U by a local surrogate: LIME over the atoms of all modalities, in every row or one modality at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.coalitions import ROWS_AT_ONCE, evaluate, require_answers, require_finite
from analysis_core.stages.designs import Design
from analysis_core.stages.masking import Masking
from analysis_core.stages.surrogate import KERNEL_WIDTH, RIDGE
from analysis_core.targets import Target, describe, resolve_all, select
from analysis_core.types import Attribution, Output


def lime(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    targets: Sequence[Target],
    *,
    samples: int | None = None,
    seed: int = 0,
    modalities: Iterable[str] | None = None,
    design: str = "joint",
) -> list[Attribution]:
    """Local linear surrogates; the same rows serve every target.

    samples:    rows, the whole sample among them; None = max(200, 10 n_atoms)
    modalities: those whose atoms are switched; the others stay present. None = all
    design:     "joint": each row switches atoms of all modalities, one surrogate over one game. "apart": each row
                switches atoms of one modality and keeps the others whole, a surrogate per modality; each modality gets
                an equal share of the rows
    returns:    one Attribution per target: signed coefficients float64 [n_atoms] per modality; quality: r2 (weighted,
                of rows left out of the fit one by one, so that it can be below 0; r2_in_sample: of the rows fitted to,
                too high with few rows for each atom), standard_error per modality, and stability, the correlation to
                expect with another seed's coefficients; r2 and stability are None where the target does not move; r2,
                stability and intercept by modality where each has a surrogate of its own
    raises:     BadInput (no target, samples or seed no whole number, fewer than two atoms or rows, more than fits, NaN
                from the model), UnknownName
    source:     Ribeiro et al. 2016: Bernoulli(.5) rows, cosine kernel of width .25, ridge regression
    """
    game = Masking(model, sample, modalities=modalities)
    drawn = Design(game.columns, samples=samples, seed=seed, design=design)
    resolved = _resolved(targets, game.unperturbed)
    y = evaluate(game, drawn.Z, resolved)
    return _attributions(drawn, y, resolved, _cost(game))


class Answers:
    """What the model says to all of a sample's rows, kept: targets can be explained later without another forward.

    forwards: rows that really went through the model
    nbytes:   what is kept
    """

    def __init__(
        self,
        model: MultimodalModel,
        sample: Mapping[str, Any],
        *,
        samples: int | None = None,
        seed: int = 0,
        modalities: Iterable[str] | None = None,
        design: str = "joint",
        layers: Sequence[str] = (),
    ) -> None:
        """As `lime`; layers: named layers whose features may be asked for, beside logits and penultimate features.

        raises: as `lime`; BadInput (more rows than are kept: ROWS_AT_ONCE)
        """
        game = Masking(model, sample, modalities=modalities)
        self._design = Design(game.columns, samples=samples, seed=seed, design=design)
        if len(self._design.Z) > ROWS_AT_ONCE:
            raise BadInput(f"answers to {len(self._design.Z)} rows are too many to keep ({ROWS_AT_ONCE}): call lime()")
        self._unperturbed = game.unperturbed
        self._output = _packed(game.predict_masks(self._design.Z, layers=layers))
        self._cost = _cost(game)
        self.forwards = game.forwards

    @property
    def nbytes(self) -> int:
        tensors = (self._output.logits, self._output.features, *self._output.layers.values())
        return sum(t.numel() * t.element_size() for t in tensors)

    def explain(self, targets: Sequence[Target]) -> list[Attribution]:
        """The same bytes as `lime`'s. raises: BadInput (no target, NaN from the model), UnknownName"""
        resolved = _resolved(targets, self._unperturbed)
        require_finite(self._unperturbed, resolved)
        output = _each(self._output, lambda t: t.to(torch.float64))
        y = torch.stack([select(t, output) for t in resolved], dim=1)
        require_answers(y)
        return _attributions(self._design, y, resolved, self._cost)


def _resolved(targets: Sequence[Target], unperturbed: Output) -> list[Target]:
    if not targets:
        raise BadInput("LIME needs at least one target")
    return resolve_all(targets, unperturbed)


def _cost(game: Masking) -> dict[str, int]:
    return {"forwards": game.forwards, "halvings": game.batches.halvings}


def _attributions(design: Design, y: Tensor, targets: Sequence[Target], cost: Mapping[str, int]) -> list[Attribution]:
    """y: float64 [S, targets], the resolved targets' values on the design's rows."""
    fitted = design.fit(y)
    config = {**design.config, "kernel_width": KERNEL_WIDTH, "ridge": RIDGE}
    return [
        Attribution(
            values=fitted.values(k),
            target=describe(target),
            method="lime",
            config=config,
            quality={"evaluations": len(y), **cost, **fitted.worth(k)},
        )
        for k, target in enumerate(targets)
    ]


def _packed(output: Output) -> Output:
    """In half the bytes where nothing is lost by it, as with models that compute in float32."""

    def pack(t: Tensor) -> Tensor:
        small = t.to(torch.float32)
        return small if torch.equal(small.to(torch.float64), t) else t

    return _each(output, pack)


def _each(output: Output, change: Callable[[Tensor], Tensor]) -> Output:
    layers = {name: change(t) for name, t in output.layers.items()}
    return Output(change(output.logits), change(output.features), layers)

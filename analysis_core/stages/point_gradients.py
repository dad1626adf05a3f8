"""Gradients of several targets at many points around one sample, batched. Stage U's gradient methods stand on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.arguments import listed
from analysis_core.batching import Batches, is_out_of_memory, one_row, rows_at_once
from analysis_core.errors import BadInput, MissingCapability
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.curvature import _nodes, differentiable, forward_with_gradient
from analysis_core.stages.curvature_memory import bytes_of_results
from analysis_core.targets import Target, describe, resolve, select
from analysis_core.types import Attribution, Encoded

_NO_GRADIENT = (
    "the model's output carries no gradient: its forward pass must be differentiable, or take method='perturbation', "
    "which needs no gradient"
)


@dataclass(frozen=True)
class At:
    """One target at a batch of points: its values [rows] and its gradients per modality [rows, ...], detached."""

    values: Tensor
    gradients: dict[str, Tensor]


class PointGradients:
    """Targets on one sample, with their gradients there and at any other points.

    targets:  resolved on the sample
    here:     per target its value and gradients at the sample itself, one row
    forwards: rows that went through the model so far
    reason:   why cuDNN, mkldnn and fused attention were switched off, or None
    """

    def __init__(self, model: MultimodalModel, sample: Mapping[str, Any], targets: Sequence[Target]) -> None:
        """raises: BadInput (no target; an empty modality; NaN or infinite), MissingCapability (no gradient)"""
        targets = listed("targets", targets, "[Logit(0)]")
        if not targets:
            raise BadInput("a gradient needs at least one target")
        self.model, self.encoded = model, leaves.encode(model, sample)
        for m, x in self.encoded.x.items():
            leaves.require_modality(self.encoded, m)
            require_finite(x, f"the sample's {m!r} has NaN or infinite entries: clean it before it is explained")
        self.forwards, self.reason = 0, None  # type: int, str | None
        self.targets: tuple[Target, ...] = tuple(targets)
        self._row_bytes = 0
        with one_row():
            self.here = self._at(self.encoded.x, self.targets, first=True)
        for at in self.here:
            require_finite(at.values, "the target is NaN or infinite on this sample: check the model and the sample")
            for m, g in at.gradients.items():
                require_finite(
                    g,
                    f"the gradient towards {m!r} is NaN or infinite on this sample (a root, norm or logarithm of 0?): "
                    "change the operation, or take method='perturbation'",
                )
        device = next(iter(self.encoded.x.values())).device
        # Forward and backward together held .41 (nlvr_regions) and .73 (cnn_lstm_sa) of what the forward pass returns,
        # of which the graph tells .99 and 1.02.
        self.batches = Batches(rows_at_once(self._row_bytes, device))

    def at(
        self, points: Callable[[int, int], dict[str, Tensor]], rows: int, *, of: Sequence[int] | None = None
    ) -> Iterator[tuple[int, int, list[At]]]:
        """Values and gradients at `rows` points, batch by batch: (start, stop, one At per target).

        points: (start, stop) -> inputs per modality [stop - start, ...]
        of:     numbers of the targets wanted; None = all
        """
        chosen = self.targets if of is None else tuple(self.targets[i] for i in of)
        yield from self.batches.run(rows, lambda start, stop: (start, stop, self._at(points(start, stop), chosen)))

    def values_at(self, x: dict[str, Tensor]) -> list[float]:
        """Every target's value at one point [1, ...], without a gradient."""
        with torch.no_grad():
            output = leaves.forward(self.model, x, self.encoded.aux)
        self.forwards += 1
        return [float(select(t, output)[0]) for t in self.targets]

    def attribution(
        self,
        number: int,
        method: str,
        values: Mapping[str, Tensor],
        *,
        config: Mapping[str, Any] | None = None,
        **quality: Any,
    ) -> Attribution:
        """A method's result for the target of this number, with what all of them report."""
        return Attribution(
            values=values,
            target=describe(self.targets[number]),
            method=f"gradient/{method}",
            config={"method": method, **(config or {})},
            quality={
                "value": float(self.here[number].values[0]),
                **quality,
                "forwards": self.forwards,
                "halvings": self.batches.halvings,
                **({"plain_operations": self.reason} if self.reason else {}),
            },
        )

    def _at(self, x: dict[str, Tensor], targets: Sequence[Target], *, first: bool = False) -> list[At]:
        rows = len(next(iter(x.values())))
        if self.reason is None:
            try:
                with _gradients_on():
                    found = self._evaluate(x, targets, first)
                self.forwards += rows
                return found
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise
                # cuDNN's recurrent networks have no backward pass in evaluation mode; the plain forms do.
                self.reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        with differentiable():
            found = self._evaluate(x, targets, first)
        self.forwards += rows
        return found

    def _evaluate(self, x: dict[str, Tensor], targets: Sequence[Target], first: bool) -> list[At]:
        x = {m: t.clone().requires_grad_(True) for m, t in x.items()}
        output = forward_with_gradient(self.model, x, self.encoded.aux, _NO_GRADIENT)
        if first:
            # Of the sample itself: what is predicted there is meant from here on.
            targets = self.targets = tuple(resolve(t, output) for t in targets)
        values = [select(t, output) for t in targets]
        if not all(v.requires_grad for v in values):
            raise MissingCapability(_NO_GRADIENT)
        if first:
            self._row_bytes = bytes_of_results(_nodes(torch.stack([v.sum() for v in values]).sum()))
        found = []
        for i, value in enumerate(values):
            last = i == len(values) - 1
            grads = torch.autograd.grad(value.sum(), list(x.values()), retain_graph=not last, allow_unused=True)
            by_modality = {
                m: torch.zeros_like(t) if g is None else g for (m, t), g in zip(x.items(), grads, strict=True)
            }
            found.append(At(value.detach(), by_modality))
        return found


def require_finite(t: Tensor, sentence: str) -> None:
    """raises: BadInput with the sentence where an entry is NaN or infinite"""
    if not bool(t.isfinite().all()):
        raise BadInput(sentence)


def atom_sums(encoded: Encoded, modality: str, components: Tensor) -> Tensor:
    """Figures in the shape of a batch of inputs [B, ...] added up over each atom: float64 CPU [B, n_atoms]."""
    atoms = encoded.atoms[modality]
    per_leaf = leaves.by_leaf(atoms.kind, components).to(torch.float64).sum(2)
    return leaves.sum_over_atoms(per_leaf, leaves.leaf_groups(atoms, encoded.x[modality]), len(atoms))


def atom_norms(encoded: Encoded, modality: str, components: Tensor) -> Tensor:
    """The L2 norm over each atom's components: float64 CPU [n_atoms]."""
    return atom_sums(encoded, modality, components.to(torch.float64).square())[0].sqrt()


def movable(encoded: Encoded, modality: str) -> Tensor:
    """Bool, broadcastable over x[modality]: the leaves that belong to an atom; CLS and PAD stay as they are."""
    atoms, x = encoded.atoms[modality], encoded.x[modality]
    return leaves.over_input(atoms.kind, (leaves.leaf_groups(atoms, x) >= 0).unsqueeze(0), x)


@contextmanager
def _gradients_on() -> Iterator[None]:
    with torch.inference_mode(False), torch.enable_grad():
        yield

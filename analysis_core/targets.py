"""What is explained: a logit, the predicted logit, a margin, the sum of logits or a feature. Never a probability.

Softmax makes fake interactions in an additive model, so targets are logits or features (docs/methods.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from analysis_core.arguments import whole
from analysis_core.errors import BadInput, UnknownName

if TYPE_CHECKING:
    from torch import Tensor

    from analysis_core.types import Output


@dataclass(frozen=True)
class Logit:
    """The logit of class k."""

    k: int


@dataclass(frozen=True)
class PredictedLogit:
    """The logit of the class the model predicts on the unperturbed sample."""


@dataclass(frozen=True)
class AllLogits:
    """The sum of all logits (the paper's target for the alignment experiment)."""


@dataclass(frozen=True)
class Margin:
    """Logit k minus logit l."""

    k: int
    l: int  # noqa: E741 - the field's own name


@dataclass(frozen=True)
class Feature:
    """Component j of the penultimate features, or of a named layer [B, d]."""

    j: int
    layer: str = "penultimate"


Target = Logit | PredictedLogit | AllLogits | Margin | Feature


def resolve(target: Target, output: Output) -> Target:
    """Turn PredictedLogit into the Logit of row 0's arg max; check that classes, features and layers exist.

    returns: with class ids as plain ints (NumPy's are taken too)
    raises:  BadInput (class or feature out of range or no whole number; layer not [B, d]), UnknownName (layer)
    """
    if not isinstance(target, Target):
        raise BadInput(f"{target!r} is no target: use Logit, PredictedLogit, AllLogits, Margin or Feature")
    if isinstance(target, PredictedLogit):
        return Logit(int(output.logits[0].argmax()))
    if isinstance(target, Logit | Margin):
        wanted = (target.k,) if isinstance(target, Logit) else (target.k, target.l)
        classes = [whole("a class id", k) for k in wanted]
        for k in classes:
            if not 0 <= k < output.logits.shape[1]:
                raise BadInput(f"class {k} does not exist: the model has classes 0 to {output.logits.shape[1] - 1}")
        return type(target)(*classes)
    if isinstance(target, Feature):
        j, width = whole("a feature number", target.j), _layer(output, target.layer).shape[1]
        if not 0 <= j < width:
            raise BadInput(f"feature {j} does not exist: layer {target.layer} has 0 to {width - 1}")
        return replace(target, j=j)
    return target


def resolve_all(targets: Iterable[Target], output: Output) -> list[Target]:
    """Resolve several. raises: BadInput (a single target in place of a list), and as `resolve`"""
    if not isinstance(targets, Iterable):
        raise BadInput(f"give a list of targets, such as [Logit(0)], not {targets!r}")
    return [resolve(t, output) for t in targets]


def select(target: Target, output: Output) -> Tensor:
    """The target's value for each row of a batch: [B]."""
    if isinstance(target, PredictedLogit):
        raise BadInput("resolve PredictedLogit on the unperturbed sample before selecting it from perturbed ones")
    if isinstance(target, Logit):
        return output.logits[:, target.k]
    if isinstance(target, AllLogits):
        return output.logits.sum(dim=1)
    if isinstance(target, Margin):
        return output.logits[:, target.k] - output.logits[:, target.l]
    return _layer(output, target.layer)[:, target.j]


def describe(target: Target) -> dict[str, Any]:
    """A plain, JSON-ready description: {"kind": "Logit", "k": 3}."""
    return {"kind": type(target).__name__, **asdict(target)}


def _layer(output: Output, name: str) -> Tensor:
    if name == "penultimate":
        return output.features
    if name not in output.layers:
        raise UnknownName("layer", name, ("penultimate", *output.layers))
    layer = output.layers[name]
    if layer.dim() != 2:
        shape = ", ".join(("B", *map(str, layer.shape[1:])))
        raise BadInput(f"layer {name!r} is [{shape}]; targets need [B, d]")
    return layer

"""What is explained: a logit, the predicted logit, a margin, the sum of logits or a feature. Never a probability.

Classes are numbers; `of` and `Logit.named` find them by the labels of a model that has some.
Softmax makes fake interactions in an additive model, so targets are logits or features (docs/methods.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from analysis_core.arguments import whole
from analysis_core.errors import BadInput, UnknownName

if TYPE_CHECKING:
    from torch import Tensor

    from analysis_core.models.base import MultimodalModel
    from analysis_core.types import Output


@dataclass(frozen=True)
class Logit:
    """The logit of class k. label: what the class was asked for by, None for a number; two logits of k are equal."""

    k: int
    label: str | None = field(default=None, compare=False, repr=False)

    @classmethod
    def named(cls, model: MultimodalModel, label: str) -> Logit:
        """The logit of the class with this label. raises: UnknownName with the nearest labels, BadInput (no labels)"""
        return cls(*_class(model, label))


@dataclass(frozen=True)
class PredictedLogit:
    """The logit of the class the model predicts on the unperturbed sample."""


@dataclass(frozen=True)
class AllLogits:
    """The sum of all logits (the paper's target for the alignment experiment)."""


@dataclass(frozen=True)
class Margin:
    """Logit k minus logit l. k_label, l_label: as Logit's label."""

    k: int
    l: int  # noqa: E741 - the field's own name
    k_label: str | None = field(default=None, compare=False, repr=False)
    l_label: str | None = field(default=None, compare=False, repr=False)

    @classmethod
    def named(cls, model: MultimodalModel, label: str, other: str) -> Margin:
        """Between two classes by their labels. raises: UnknownName with the nearest labels, BadInput (no labels)"""
        (k, first), (l, second) = _class(model, label), _class(model, other)  # noqa: E741
        return cls(k, l, first, second)


@dataclass(frozen=True)
class Feature:
    """Component j of the penultimate features, or of a named layer [B, d]."""

    j: int
    layer: str = "penultimate"


Target = Logit | PredictedLogit | AllLogits | Margin | Feature


def of(model: MultimodalModel, target: Target | str) -> Target:
    """A target whose classes may be given by their labels, as one with class numbers, which are kept beside the labels.

    target:  "red" is Logit("red"); of Logit and Margin those classes that are strings are looked up in model.labels
    raises:  UnknownName with the nearest labels, BadInput (the model has no labels; a label that two classes share)
    """
    if isinstance(target, str):
        return Logit.named(model, target)
    if isinstance(target, Logit) and isinstance(target.k, str):
        return Logit.named(model, target.k)
    if isinstance(target, Margin):
        if isinstance(target.k, str):
            target = replace(target, k=(found := _class(model, target.k))[0], k_label=found[1])
        if isinstance(target.l, str):
            target = replace(target, l=(found := _class(model, target.l))[0], l_label=found[1])
    return target


def resolve(target: Target, output: Output) -> Target:
    """Turn PredictedLogit into the Logit of row 0's arg max; check that classes, features and layers exist.

    returns: with class ids as plain ints (NumPy's are taken too)
    raises:  BadInput (class or feature out of range or no whole number; layer not [B, d]), UnknownName (layer)
    """
    if not isinstance(target, Target):
        hint = "Logit.named(model, label) for a class by its label, or " if isinstance(target, str) else ""
        raise BadInput(f"{target!r} is no target: use {hint}Logit, PredictedLogit, AllLogits, Margin or Feature")
    if isinstance(target, PredictedLogit):
        return Logit(int(output.logits[0].argmax()))
    if isinstance(target, Logit | Margin):
        wanted = (target.k,) if isinstance(target, Logit) else (target.k, target.l)
        classes = [_whole_class(target, k) for k in wanted]
        for k in classes:
            if not 0 <= k < output.logits.shape[1]:
                raise BadInput(f"class {k} does not exist: the model has classes 0 to {output.logits.shape[1] - 1}")
        if isinstance(target, Logit):
            return replace(target, k=classes[0])
        return replace(target, k=classes[0], l=classes[1])
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
    """A plain, JSON-ready description: {"kind": "Logit", "k": 3}, and {..., "label": "red"} where it was named so."""
    facts = {name: value for name, value in asdict(target).items() if value is not None}
    return {"kind": type(target).__name__, **facts}


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two descriptions are of one target, however its classes were asked for."""
    labels = ("label", "k_label", "l_label")
    first, second = ({name: v for name, v in facts.items() if name not in labels} for facts in (one, other))
    return first == second


def _class(model: MultimodalModel, label: str) -> tuple[int, str]:
    """The number of the class with a label, and the label."""
    labels = getattr(model, "labels", None)
    if labels is None:
        raise BadInput(f"the model has no labels to look {label!r} up in: give the class by its number")
    names = [str(name) for name in labels]
    if label not in names:
        raise UnknownName("class", label, names)
    if names.count(label) > 1:
        raise BadInput(f"{names.count(label)} classes have the label {label!r}: give one by its number")
    return names.index(label), label


def _whole_class(target: Logit | Margin, k: Any) -> int:
    if isinstance(k, str):
        call = ".named(model, 'a label')" if isinstance(target, Logit) else ".named(model, 'a label', 'another')"
        raise BadInput(
            f"a class id must be a whole number, not {k!r}: a class by its label is {type(target).__name__}{call}"
        )
    return whole("a class id", k)


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

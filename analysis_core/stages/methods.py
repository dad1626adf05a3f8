"""Stage U's methods by name, ours and those that installed packages add. Importing this loads no torch.

A method is a callable `(model, sample, targets, *, option=...) -> list[Attribution]`, one result per target; packages
add theirs by an entry point of the group `analysis_core.methods`. `pipeline.explain` and `unimodal.gradient` call them.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from analysis_core.errors import UnknownName
from analysis_core.registry import Registry

if TYPE_CHECKING:
    from analysis_core.models.base import MultimodalModel
    from analysis_core.targets import Target
    from analysis_core.types import Attribution

#: Those that `unimodal.gradient` offers.
GRADIENTS = ("saliency", "gradient_x_input", "smoothgrad", "integrated_gradients", "perturbation")

_REGISTRY = Registry(
    "method",
    {
        "gradient_x_input": "analysis_core.stages.gradients:gradient_x_input",
        "integrated_gradients": "analysis_core.stages.integrated_gradients:integrated_gradients",
        "lime": "analysis_core.stages.lime:lime",
        "perturbation": "analysis_core.stages.perturbation_gradients:perturbation",
        "saliency": "analysis_core.stages.gradients:saliency",
        "shap": "analysis_core.stages.shapley:shap",
        "smoothgrad": "analysis_core.stages.smoothgrad:smoothgrad",
    },
)


class Method(Protocol):
    """Unimodal importance towards several targets of one sample, from what they can share."""

    def __call__(
        self, model: MultimodalModel, sample: Mapping[str, Any], targets: Sequence[Target], **options: Any
    ) -> list[Attribution]: ...


def names() -> tuple[str, ...]:
    """Registered methods of stage U, without importing them."""
    return _REGISTRY.names()


def load(name: str) -> Method:
    """raises: UnknownName with the nearest names"""
    return cast(Method, _REGISTRY.get(name))


def options_of(name: str) -> tuple[str, ...]:
    """The names of a method's keyword options. raises: UnknownName"""
    parameters = inspect.signature(load(name)).parameters.values()
    return tuple(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)


def attribute(
    name: str, model: MultimodalModel, sample: Mapping[str, Any], targets: Sequence[Target], **options: Any
) -> list[Attribution]:
    """Call a method by its name. raises: UnknownName (method, or an option that it does not have)"""
    known = options_of(name)
    for option in options:
        if option not in known:
            raise UnknownName(f"option of {name}", option, known)
    return load(name)(model, sample, targets, **options)

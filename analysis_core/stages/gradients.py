"""Stage U by gradients: the door to all gradient methods, and the two that read the gradient at the sample itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from analysis_core import leaves
from analysis_core.errors import NullDirection, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.stages import methods
from analysis_core.stages.point_gradients import PointGradients, atom_norms, atom_sums
from analysis_core.targets import Target
from analysis_core.types import Attribution

ORIGINS = ("zero", "baseline")
#: A sum over components of random signs leaves 1 / sqrt(components) of them. Below this only LayerNorm's round-off and
#: epsilon are left (1e-7 in float32; with torch's epsilon of 1e-5 and embeddings of unit variance 1e-5).
NULL_RATIO = 1e-4


def gradient(
    model: MultimodalModel, sample: Mapping[str, Any], target: Target, *, method: str = "saliency", **options: Any
) -> Attribution:
    """First-order importance of every atom of every modality.

    method:  "saliency", "gradient_x_input", "smoothgrad", "integrated_gradients" or, for models without a gradient,
             "perturbation"; each is a function of that name, which takes several targets
    options: those of the method's function
    returns: Attribution with values float64 [n_atoms] per modality
    raises:  UnknownName (method, option), MissingCapability (the model gives no gradient), and what the method raises
    """
    if method not in methods.GRADIENTS:
        raise UnknownName("gradient method", method, methods.GRADIENTS)
    return methods.attribute(method, model, sample, [target], **options)[0]


def saliency(model: MultimodalModel, sample: Mapping[str, Any], targets: Sequence[Target]) -> list[Attribution]:
    """The L2 norm of the gradient over all components of each atom, >= 0. One forward pass serves all targets.

    raises: MissingCapability (no gradient), BadInput (no target, an empty modality, NaN), UnknownName (layer)
    source: Simonyan et al. 2014; Liang et al. 2023, section 2.1
    """
    points = PointGradients(model, sample, targets)
    return [
        points.attribution(
            number, "saliency", {m: atom_norms(points.encoded, m, g) for m, g in at.gradients.items()}, evaluations=1
        )
        for number, at in enumerate(points.here)
    ]


def gradient_x_input(
    model: MultimodalModel, sample: Mapping[str, Any], targets: Sequence[Target], *, origin: str = "zero"
) -> list[Attribution]:
    """The sum over each atom's components of gradient times input, signed.

    origin:  "zero": g * x, the usual form: an atom of zeros gets 0 whatever it means to the model.
             "baseline": g * (x - model.baseline), the first-order estimate of what removing the atom changes
    returns: quality: sum_ratio per modality, sum of |u_i| as a share of the sum of |g * x| over components
    raises:  NullDirection (the products cancel in every atom of a modality, as through LayerNorm), UnknownName (origin,
             layer), MissingCapability, BadInput
    source:  Shrikumar et al. 2017, section 3.1; Ancona et al. 2018
    """
    if origin not in ORIGINS:
        raise UnknownName("origin", origin, ORIGINS)
    points = PointGradients(model, sample, targets)
    x = dict(points.encoded.x)
    if origin == "baseline":
        absent = leaves.encode_baseline(model, points.encoded)
        x = {m: t - absent[m] for m, t in x.items()}
    results = []
    for number, at in enumerate(points.here):
        products = {m: g.double() * x[m].double() for m, g in at.gradients.items()}
        values = {m: atom_sums(points.encoded, m, t)[0] for m, t in products.items()}
        ratios = {m: _left(points, m, products[m], values[m]) for m in products}
        result = points.attribution(
            number, "gradient_x_input", values, config={"origin": origin}, evaluations=1, sum_ratio=ratios
        )
        results.append(result)
    return results


def _left(points: PointGradients, modality: str, products: Tensor, sums: Tensor) -> float | None:
    """What the sums leave of the products, as a share of their absolute sum; None where all are 0.

    raises: NullDirection
    """
    whole = float(atom_sums(points.encoded, modality, products.abs()).sum())
    if whole == 0:
        return None
    ratio = float(sums.abs().sum()) / whole
    if ratio <= NULL_RATIO:
        raise NullDirection(
            f"gradient x input cancels in every atom of {modality!r}: {ratio:.1e} of its terms is left, which is "
            "round-off (LayerNorm ignores a vector's length); use origin='baseline', saliency or integrated gradients"
        )
    return ratio

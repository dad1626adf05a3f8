"""Infidelity and maximal sensitivity, computed by captum on our masking engine and our attribution functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.arguments import count, finite, one_attribution
from analysis_core.errors import BadInput
from analysis_core.evaluation.explain_functions import Explain, require_function
from analysis_core.evaluation.faithfulness_game import columns_of, named, notes_of, require_finite, target_of
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.stages.masking import Masking, layers_of
from analysis_core.targets import Target, describe, resolve, select
from analysis_core.types import Attribution, Encoded, Output


@dataclass(frozen=True)
class Score:
    """One figure of one attribution method: the metric's name and its value; the smaller the better."""

    metric: str
    value: float
    method: str
    target: Mapping[str, Any]
    config: Mapping[str, Any]
    quality: Mapping[str, Any]


def infidelity(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    attribution: Attribution,
    *,
    modalities: Iterable[str] | None = None,
    samples: int = 200,
    normalise: bool = False,
    seed: int = 0,
) -> Score:
    """Mean of (sum of the removed atoms' values - change of the target)^2 over random sets of removed atoms.

    attribution: in the target's units, such as LIME's or SHAP's; for gradients take normalise
    modalities:  whose atoms are removed, the others stay; None = those the attribution has values for. Where
                 those of design="apart" are removed together, quality["notes"] says that they cannot be compared
    samples:     sets, each atom removed with probability 1/2
    normalise:   scale the values by the factor that fits best first: only their proportions are judged
    returns:     Score with the squared error in the target's units; 0 for an additive model and its true values
    raises:      BadInput (among others: the target is not finite), UnknownName
    source:      Yeh et al. 2019, the case of removal to a baseline; captum.metrics.infidelity
    """
    samples, attribution = count("samples", samples), one_attribution(attribution)
    game = Masking(model, sample)
    chosen = named(modalities)
    columns, values = columns_of(game, attribution, chosen)
    judged = list(chosen or attribution.values)
    target = resolve(target_of(attribution), game.unperturbed)
    g = generator(seed, "infidelity")

    def value_of(present: Tensor) -> Tensor:
        Z = torch.ones(len(present), game.n_atoms)
        Z[:, columns] = present.to(Z)
        f = select(target, game.predict_masks(Z, layers=layers_of([target])))
        require_finite(f)
        return f

    def remove(present: Tensor) -> tuple[Tensor, Tensor]:
        removed = (torch.rand(present.shape, generator=g) < 0.5).to(present)
        return removed, present - removed

    from captum.metrics import infidelity as of_captum

    found = of_captum(
        value_of,
        remove,
        torch.ones(1, len(columns), dtype=torch.float64),
        values.unsqueeze(0),
        n_perturb_samples=samples,
        normalize=normalise,
    )
    if not bool(found.isfinite().all()):
        raise BadInput("the squares of these values and changes leave the range of numbers: infidelity has no value")
    return Score(
        metric="infidelity",
        # Differences of sums of squares: round-off may leave them below 0.
        value=max(0.0, float(found)),
        method=attribution.method,
        target=dict(attribution.target),
        config={
            "attribution": dict(attribution.config),
            "modalities": judged,
            "samples": samples,
            "normalise": normalise,
            "seed": seed,
        },
        quality={
            "evaluations": samples,
            "forwards": game.forwards,
            "halvings": game.batches.halvings,
            **notes_of(attribution, judged),
        },
    )


def max_sensitivity(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    target: Target,
    explain: Explain,
    *,
    radius: float = 0.02,
    samples: int = 10,
    seed: int = 0,
) -> Score:
    """The largest relative change of an explanation under small changes of the inputs.

    target:  resolved on the sample first: a change of the predicted class is no change of the explanation
    explain: (model, sample, target) -> Attribution, such as stages.unimodal.gradient; its values are compared, or its
             pairs where there are any
    radius:  of uniform noise, as a share of each modality's standard deviation
    samples: noisy copies; the maximum over them only grows with their number
    returns: Score with the largest |explanation of a copy - explanation| / |explanation|
    raises:  BadInput (among others: inputs, target or explanation not finite), and what `explain` raises
    source:  Yeh et al. 2019; captum.metrics.sensitivity_max
    """
    require_function(explain)
    samples, radius = count("samples", samples), finite("radius", radius)
    if radius <= 0:
        raise BadInput(f"radius must be a share of the inputs' standard deviation above 0, not {radius}")
    encoded = leaves.encode(model, sample)
    for modality, x in encoded.x.items():
        if not bool(x.isfinite().all()):
            raise BadInput(f"the inputs of {modality!r} are not finite: no explanation of them can be judged")
    with torch.no_grad():
        output = leaves.forward(model, encoded.x, encoded.aux)
    resolved = resolve(target, output)
    require_finite(select(resolved, output))
    g = generator(seed, "max_sensitivity")
    names = tuple(encoded.x)
    methods: list[str] = []

    def explained(inputs: tuple[Tensor, ...] | Tensor) -> tuple[Tensor]:
        rows = inputs if isinstance(inputs, tuple) else (inputs,)
        found = []
        for i in range(len(rows[0])):
            here = _Here(model, encoded, {m: t[i : i + 1] for m, t in zip(names, rows, strict=True)})
            attribution = one_attribution(explain(here, sample, resolved))
            methods.append(attribution.method)
            parts = [attribution.pairs] if attribution.pairs is not None else list(attribution.values.values())
            found.append(torch.cat([p.flatten() for p in parts]))
            if not bool(found[-1].isfinite().all()):
                raise BadInput(f"{attribution.method} gives values that are not finite: its changes have no size")
        return (torch.stack(found),)

    def disturb(inputs: tuple[Tensor, ...] | Tensor) -> tuple[Tensor, ...] | Tensor:
        rows = inputs if isinstance(inputs, tuple) else (inputs,)
        noisy = [t + radius * _spread(encoded.x[m]) * _uniform(t, g) for m, t in zip(names, rows, strict=True)]
        return tuple(noisy) if isinstance(inputs, tuple) else noisy[0]

    from captum.metrics import sensitivity_max

    found = sensitivity_max(explained, tuple(encoded.x.values()), disturb, n_perturb_samples=samples)
    return Score(
        metric="max_sensitivity",
        value=float(found),
        method=methods[0],
        target=describe(resolved),
        config={"radius": radius, "samples": samples, "seed": seed},
        quality={"evaluations": len(methods)},
    )


class _Here:
    """A model that encodes every sample as given inputs."""

    def __init__(self, model: MultimodalModel, encoded: Encoded, x: dict[str, Tensor]) -> None:
        self.model, self.encoded = model, Encoded(x, encoded.aux, encoded.atoms)
        self.modalities = model.modalities

    def __getattr__(self, name: str) -> Any:
        # For what is not set here (labels, layers, eval()); `model` itself is missing while a copy is being made.
        if name == "model":
            raise AttributeError(name)
        return getattr(self.model, name)

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        return self.encoded

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        return self.model.forward(x, aux)

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        return self.model.baseline(encoded)


def _spread(x: Tensor) -> float:
    """The standard deviation of a modality's numbers; 1 where they are all equal."""
    spread = float(x.to(torch.float64).std()) if x.numel() > 1 else 0.0
    return spread if spread > 0 else 1.0


def _uniform(t: Tensor, g: torch.Generator) -> Tensor:
    return (2 * torch.rand(t.shape, generator=g, dtype=torch.float64) - 1).to(t)

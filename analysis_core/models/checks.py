"""What a model can be used for: `check_model` for people who add one, `capabilities` for methods with needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.batching import is_out_of_memory, one_row
from analysis_core.errors import AnalysisError, BadInput, MissingCapability, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.models.towers import missing, separate
from analysis_core.stages import curvature, second_order
from analysis_core.stages.towers import mixtures
from analysis_core.targets import PredictedLogit
from analysis_core.types import PICTURE_KINDS, Encoded, Output

OK, FAILED, NOT_APPLICABLE = "ok", "failed", "not applicable"


@dataclass(frozen=True)
class Check:
    """One check: its name, "ok" | "failed" | "not applicable", and one sentence that says what was seen."""

    name: str
    state: str
    sentence: str


@dataclass(frozen=True)
class Report:
    """All checks of one model on one sample; `ok` unless one failed."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(c.state != FAILED for c in self.checks)

    def __getitem__(self, name: str) -> Check:
        found = {c.name: c for c in self.checks}
        if name not in found:
            raise UnknownName("check", name, found)
        return found[name]

    def __str__(self) -> str:
        return "\n".join(f"{c.state:>14}  {c.name}: {c.sentence}" for c in self.checks)


@dataclass(frozen=True)
class Capabilities:
    """What a model offers; None where only a sample can tell.

    towers: whether modalities are encoded apart (with a sample: and whether the fusion of the towers is the forward
    pass); gradient, second_order: whether derivatives reach every input; pixels: modalities with a pixel map
    """

    modalities: tuple[str, ...]
    labels: tuple[str, ...] | None
    layers: tuple[str, ...] | None
    towers: bool
    gradient: bool | None = None
    second_order: bool | None = None
    pixels: tuple[str, ...] | None = None


def capabilities(model: MultimodalModel, sample: Mapping[str, Any] | None = None) -> Capabilities:
    """What a model declares, and with a sample also what it really does.

    raises: BadInput (no model; a sample that is not readable; not as the protocol says), OutOfMemory (one row)
    """
    lacking = [name for name in ("modalities", "encode", "forward", "baseline") if not hasattr(model, name)]
    if lacking:
        raise BadInput(f"a model has modalities, encode, forward, baseline; {model!r:.60} has no {', '.join(lacking)}")
    labels, layers = getattr(model, "labels", None), getattr(model, "layers", None)
    known = Capabilities(
        tuple(model.modalities),
        tuple(labels) if labels is not None else None,
        tuple(layers) if layers is not None else None,
        towers=separate(model) is not None,
    )
    if sample is None:
        return known
    with one_row():
        encoded = leaves.encode(model, sample)
        output = _forward(model, encoded.x, encoded.aux)
    return Capabilities(
        known.modalities,
        known.labels,
        tuple(output.layers),
        towers=_guarded("towers", lambda: _towers(model, encoded)).state == OK,
        gradient=_gradient(model, encoded).state == OK,
        second_order=_second_order(model, sample).state == OK,
        pixels=tuple(m for m, atoms in encoded.atoms.items() if atoms.kind in PICTURE_KINDS),
    )


def check_model(model: MultimodalModel, sample: Mapping[str, Any]) -> Report:
    """Check that a model keeps the protocol and say which methods will work on it. Nothing is raised."""
    encoding = _guarded("atoms", lambda: _atoms(model, sample))
    if encoding.state == FAILED:
        return Report((encoding,))
    encoded = leaves.encode(model, sample)
    output = _guarded("output", lambda: _output(model, encoded))
    if output.state == FAILED:
        return Report((encoding, output))
    later: dict[str, Callable[[], Check]] = {
        "baseline": lambda: _baseline(model, encoded),
        "determinism": lambda: _determinism(model, encoded),
        "batch invariance": lambda: _batch_invariance(model, encoded),
        "towers": lambda: _towers(model, encoded),
        "gradient": lambda: _gradient(model, encoded),
        "layer norm": lambda: _layer_norm(model, encoded),
        "second order": lambda: _second_order(model, sample),
    }
    return Report((encoding, output, *(_guarded(name, check) for name, check in later.items())))


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever a user's model raises is the finding
        if is_out_of_memory(error) and not isinstance(error, AnalysisError):
            told = str(error) or type(error).__name__
            return Check(name, FAILED, f"memory ran out: take a smaller input or another device ({told})")
        return Check(name, FAILED, f"{type(error).__name__}: {error}")


def _atoms(model: MultimodalModel, sample: Mapping[str, Any]) -> Check:
    atoms = leaves.encode(model, sample).atoms
    empty = [m for m, a in atoms.items() if len(a) == 0]
    if empty:
        return Check("atoms", FAILED, f"modality {', '.join(empty)} has no atoms in this sample")
    counts = ", ".join(f"{m} {len(a)} of kind {a.kind}" for m, a in atoms.items())
    return Check("atoms", OK, f"{counts}")


def _output(model: MultimodalModel, encoded: Encoded) -> Check:
    output = _forward(model, encoded.x, encoded.aux)
    for name, t in (("logits", output.logits), ("features", output.features)):
        if t.dim() != 2 or t.shape[0] != 1:
            return Check("output", FAILED, f"{name} must be [B, n], not {tuple(t.shape)} for one sample")
        if not bool(t.isfinite().all()):
            return Check("output", FAILED, f"{name} are not finite")
    labels = getattr(model, "labels", None)
    if labels is not None and len(labels) != output.logits.shape[1]:
        return Check("output", FAILED, f"{len(labels)} labels but {output.logits.shape[1]} logits")
    return Check("output", OK, f"{output.logits.shape[1]} classes, {output.features.shape[1]} features")


def _baseline(model: MultimodalModel, encoded: Encoded) -> Check:
    absent = leaves.encode_baseline(model, encoded)
    same = [m for m, x in encoded.x.items() if torch.equal(absent[m], x)]
    if same:
        return Check("baseline", FAILED, f"the baseline of {', '.join(same)} equals the input: masking changes nothing")
    return Check("baseline", OK, "differs from the input in every modality")


def _determinism(model: MultimodalModel, encoded: Encoded) -> Check:
    one, two = (_forward(model, encoded.x, encoded.aux) for _ in range(2))
    gap = _gap(one, two)
    if gap > _tolerance(one):
        return Check("determinism", FAILED, f"two forward passes differ by {gap:.1e}: dropout, or unseeded randomness?")
    return Check("determinism", OK, "two forward passes agree")


def _batch_invariance(model: MultimodalModel, encoded: Encoded) -> Check:
    absent = leaves.encode_baseline(model, encoded)
    whole = _forward(model, encoded.x, encoded.aux)
    alone = _forward(model, absent, encoded.aux)
    both = _forward(model, {m: torch.cat([absent[m], x]) for m, x in encoded.x.items()}, encoded.aux)
    gap = max(_gap(alone, _row(both, 0)), _gap(whole, _row(both, 1)))
    if gap > _tolerance(whole):
        sentence = (
            f"a sample's output changes by {gap:.1e} with its neighbours in the batch: batch statistics, padding?"
        )
        return Check("batch invariance", FAILED, sentence)
    return Check("batch invariance", OK, f"rows of a batch do not see each other (largest difference {gap:.1e})")


def _towers(model: MultimodalModel, encoded: Encoded) -> Check:
    lacking = missing(model)
    if len(lacking) == 2:
        return Check("towers", NOT_APPLICABLE, "no tower() and fuse(): a forward pass per combination of modalities")
    if lacking:
        return Check("towers", FAILED, f"the model has no {lacking[0]}(): it needs both, or neither")
    if separate(model) is None:
        return Check("towers", FAILED, "forward() is overridden without tower() and fuse(): override all three")
    largest = 0.0
    for what, whole, fused in mixtures(model, encoded):
        if whole.layers.keys() != fused.layers.keys():
            names = ", ".join(sorted(whole.layers.keys() ^ fused.layers.keys()))
            return Check("towers", FAILED, f"forward() and fuse() do not return the same layers: {names}")
        gap = _gap(whole, fused)
        if gap > _tolerance(whole):
            return Check("towers", FAILED, f"fuse() of the towers is {gap:.1e} away from forward() with {what}")
        largest = max(largest, gap)
    return Check("towers", OK, f"fuse() of the towers is forward() (largest difference {largest:.1e})")


def _gradient(model: MultimodalModel, encoded: Encoded) -> Check:
    try:
        first = curvature.FirstOrder(model, encoded, PredictedLogit())
    except MissingCapability as error:
        return Check("gradient", FAILED, str(error))
    norms = {m: float(first.gradient(m).norm()) for m in encoded.x}
    cut = [m for m, n in norms.items() if not 0 < n < float("inf")]
    if cut:
        return Check("gradient", FAILED, f"no finite gradient of the predicted logit reaches {', '.join(cut)}")
    return Check("gradient", OK, "reaches every modality: " + ", ".join(f"{m} {n:.2g}" for m, n in norms.items()))


def _layer_norm(model: MultimodalModel, encoded: Encoded) -> Check:
    first = curvature.FirstOrder(model, encoded, PredictedLogit())
    ratios = {m: second_order.sum_ratio(first, m) for m in encoded.x}
    null = [m for m, r in ratios.items() if r is not None and r <= second_order.NULL_RATIO]
    if null:
        sums = f"the gradient of {', '.join(null)} sums to 0 over its components"
        sentence = f"{sums}: direction='sum' is refused wherever the modalities interact"
        return Check("layer norm", NOT_APPLICABLE, sentence)
    return Check("layer norm", OK, "direction='sum' is not annihilated")


def _second_order(model: MultimodalModel, sample: Mapping[str, Any]) -> Check:
    sentences = []
    for source, to in _neighbours(model.modalities):
        try:
            found = second_order.second_order(model, sample, PredictedLogit(), source=source, to=to)
            gap = _disagreement(model, sample, source, to)
        except (AnalysisError, RuntimeError) as error:
            return Check("second order", NOT_APPLICABLE, str(error))
        largest = float(found.pairs.max()) if found.pairs is not None else 0.0
        agreement = "" if gap is None else f" (finite differences differ by {gap:.1%})"
        sentences.append(f"{source} to {to} by {found.quality['engine']}, largest {largest:.2g}{agreement}")
    return Check("second order", OK, "; ".join(sentences) or "one modality only")


def _disagreement(model: MultimodalModel, sample: Mapping[str, Any], source: str, to: str) -> float | None:
    engine = curvature.Curvature(model, leaves.encode(model, sample), PredictedLogit(), source=source, to=to)
    g = engine.gradient(source)
    return engine.disagreement(g / g.norm()) if bool(g.any()) else None


def _neighbours(modalities: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return zip(modalities[1:], modalities[:-1], strict=True)


def _forward(model: MultimodalModel, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
    with torch.no_grad():
        return leaves.forward(model, x, aux)


def _row(output: Output, i: int) -> Output:
    return Output(output.logits[i : i + 1], output.features[i : i + 1])


def _gap(one: Output, two: Output) -> float:
    return float(max((one.logits - two.logits).abs().max(), (one.features - two.features).abs().max()))


def _tolerance(output: Output) -> float:
    """Round-off of a deep network: a thousand units in the last place of the largest figure."""
    largest = max(1.0, float(output.logits.abs().max()), float(output.features.abs().max()))
    return 1e3 * torch.finfo(output.logits.dtype).eps * largest

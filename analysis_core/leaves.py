"""From a sample to checked leaf tensors, and between leaves (rows, pixels, entries) and the atoms they make up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from analysis_core import input_widths
from analysis_core.batching import is_out_of_memory
from analysis_core.errors import AnalysisError, BadInput, MissingCapability, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.types import PICTURE_KINDS, ROW_KINDS, SERIES_KINDS, Atoms, Encoded, Output


def encode(model: MultimodalModel, sample: Mapping[str, Any]) -> Encoded:
    """Encode a sample and check it against the contract; tensors come back detached.

    raises: BadInput (encode() fails or returns something else, no such modality, integer inputs, groups that do not
            fit), UnknownName (kind)
    """
    with (
        _own_code("encode()", "give it a sample of this model's dataset"),
        torch.inference_mode(False),
        torch.no_grad(),
    ):
        encoded = model.encode(sample)
    _require_encoded(encoded, model.modalities)
    for modality in model.modalities:
        if modality not in encoded.x or modality not in encoded.atoms:
            raise BadInput(f"encode() returned no input or no atoms for modality {modality!r}")
        _check(modality, encoded.x[modality], encoded.atoms[modality])
    x = {m: ordinary(encoded.x[m].detach()) for m in model.modalities}
    aux = {m: {name: ordinary(t) for name, t in encoded.aux.get(m, {}).items()} for m in model.modalities}
    return Encoded(x, aux, {m: encoded.atoms[m] for m in model.modalities})


def ordinary(t: Tensor) -> Tensor:
    """A tensor that a caller made in torch.inference_mode() cannot take part in a backward pass; its copy can."""
    if not (isinstance(t, Tensor) and t.is_inference()):
        return t
    with torch.inference_mode(False):
        return t.clone()


def encode_baseline(model: MultimodalModel, encoded: Encoded) -> dict[str, Tensor]:
    """What "absent" means, per modality [1, ...]. raises: BadInput (baseline() fails; missing, of another shape)"""
    with _own_code("baseline()", "it must return what absent means for every modality of encoded.x"), torch.no_grad():
        absent = model.baseline(encoded)
    if not isinstance(absent, Mapping):
        raise BadInput(f"baseline() must return a dict of tensors by modality, not {type(absent).__name__}")
    for modality, x in encoded.x.items():
        found = absent.get(modality)
        if not isinstance(found, Tensor) or found.shape != x.shape:
            wanted = f"{modality!r} in the shape of the input, {tuple(x.shape)}"
            raise BadInput(f"baseline() must return {wanted}, not {described(found)}")
    return {m: absent[m].detach().to(x) for m, x in encoded.x.items()}


def repeat(aux: dict[str, dict[str, Tensor]], rows: int) -> dict[str, dict[str, Tensor]]:
    """Expand what travels with one sample to a batch of `rows` copies."""
    return {m: {name: _expand(t, rows) for name, t in named.items()} for m, named in aux.items()}


def forward(model: MultimodalModel, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
    """One forward pass of a batch; one sample's aux [1, ...] is expanded to it.

    raises: BadInput (inputs of a width that the model does not take; logits, features or layers without a row for
            each of the batch), MissingCapability (weights made in torch.inference_mode(), where a gradient is asked
            for), and as `checked`
    """
    rows = next(iter(x.values())).shape[0]
    own = repeat(aux, rows) if rows != 1 else aux
    try:
        with input_widths.told(lambda: model.forward(x, own), x):
            return checked(model.forward(x, own), rows)
    except RuntimeError as error:
        if "Inference tensors cannot be saved" not in str(error):
            raise
        raise MissingCapability(
            "the model's weights were made in torch.inference_mode() and have no gradient: build or load the model "
            "outside of it"
        ) from error


def checked(output: Output, rows: int, *, by: str = "forward()") -> Output:
    """What a model returned for a batch of `rows`, by its forward() or fuse(). raises: BadInput (not the protocol's)"""
    wanted = f"{by} must return Output(logits [B, K], features [B, d])"
    if not isinstance(output, Output):
        raise BadInput(f"{wanted}, not {type(output).__name__}")
    for name, t in (("logits", output.logits), ("features", output.features)):
        if not isinstance(t, Tensor) or t.dim() != 2:
            raise BadInput(f"{wanted}: its {name} must be [B, n], not {described(t)}")
    if not output.logits.shape[1]:
        raise BadInput(f"{wanted}: its logits must be of at least one class, not {described(output.logits)}")
    if not isinstance(output.layers, Mapping):
        raise BadInput(f"{wanted}: its layers must be a dict of tensors by name, not {type(output.layers).__name__}")
    for name, t in (("logits", output.logits), ("features", output.features), *output.layers.items()):
        if not isinstance(t, Tensor) or not t.dim() or len(t) != rows:
            given = "1 row for 1 sample" if rows == 1 else f"{rows} rows for {rows} samples"
            raise BadInput(f"{by} must return {name} of {given}, not {described(t)}")
    return output


def described(found: object) -> str:
    """What came in place of a tensor, for an error's sentence: a tensor's shape, else the type."""
    return f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__


def leaf_groups(atoms: Atoms, x: Tensor) -> Tensor:
    """int64 [n_leaf] on x's device: the atom of each leaf, -1 for none."""
    if atoms.groups is not None:
        return atoms.groups.to(device=x.device, dtype=torch.int64)
    return torch.arange(len(atoms), device=x.device)


def by_leaf(kind: str, t: Tensor) -> Tensor:
    """A tensor shaped like a batch of inputs [B, ...] as [B, n_leaf, components]."""
    if kind in PICTURE_KINDS:
        return t.flatten(2).transpose(1, 2)
    if kind in SERIES_KINDS:
        return t.flatten(1).unsqueeze(2)
    return t.reshape(t.shape[0], t.shape[1], math.prod(t.shape[2:]))


def over_input(kind: str, per_leaf: Tensor, x: Tensor) -> Tensor:
    """One figure per leaf [B, n_leaf] in a shape that broadcasts over inputs like x."""
    if kind in PICTURE_KINDS:
        return per_leaf.reshape(-1, 1, *x.shape[2:])
    if kind in SERIES_KINDS:
        return per_leaf.reshape(-1, *x.shape[1:])
    return per_leaf.reshape(-1, x.shape[1], *([1] * (x.dim() - 2)))


def sum_over_atoms(per_leaf: Tensor, groups: Tensor, n_atoms: int) -> Tensor:
    """Add the leaves [B, n_leaf] of each atom: float64 CPU [B, n_atoms]; leaves of no atom are left out."""
    per_leaf, groups = per_leaf.detach().to("cpu", torch.float64), groups.cpu()
    inside = groups >= 0
    sums = torch.zeros(per_leaf.shape[0], n_atoms, dtype=torch.float64)
    return sums.index_add_(1, groups[inside], per_leaf[:, inside])


def require_modality(encoded: Encoded, modality: str) -> Atoms:
    """The atoms of a modality. raises: UnknownName, BadInput (it has no atoms in this sample)"""
    if modality not in encoded.x:
        raise UnknownName("modality", modality, encoded.x)
    if len(encoded.atoms[modality]) == 0:
        raise BadInput(f"modality {modality!r} is empty in this sample: it has no atom to explain")
    return encoded.atoms[modality]


def _expand(t: Tensor, rows: int) -> Tensor:
    return t.expand(rows, *t.shape[1:]) if t.dim() > 0 and t.shape[0] == 1 else t


@contextmanager
def _own_code(call: str, advice: str) -> Iterator[None]:
    """Around a call of a model's own code on a sample; lack of memory and its own sentences pass. raises: BadInput"""
    try:
        yield
    except AnalysisError:
        raise
    except (LookupError, RuntimeError, AttributeError, TypeError, ValueError, ArithmeticError, AssertionError) as error:
        if is_out_of_memory(error):
            raise
        raise BadInput(f"{call} failed on this sample ({type(error).__name__}: {error}): {advice}") from error


def _require_encoded(encoded: Encoded, modalities: Iterable[str]) -> None:
    """Whether encode() returned the types of the protocol. raises: BadInput"""
    wanted = "encode() must return Encoded(x, aux, atoms)"
    if not isinstance(encoded, Encoded):
        raise BadInput(f"{wanted}, not {type(encoded).__name__}")
    for name in ("x", "aux", "atoms"):
        if not isinstance(found := getattr(encoded, name), Mapping):
            raise BadInput(f"{wanted}: its {name} must be a dict by modality, not {type(found).__name__}")
    for modality in modalities:
        aux = encoded.aux.get(modality, {})
        if not isinstance(aux, Mapping):
            raise BadInput(f"{wanted}: its aux of {modality!r} must be a dict of tensors, not {type(aux).__name__}")
        for name, t in aux.items():
            if not isinstance(t, Tensor):
                raise BadInput(f"{wanted}: its aux of {modality!r} holds {name!r} as {described(t)}, not as a tensor")


def _check(modality: str, x: Tensor, atoms: Atoms) -> None:
    if not isinstance(x, Tensor):
        raise BadInput(f"encode() must return {modality!r} as a torch tensor [1, ...], not {described(x)}")
    if not isinstance(atoms, Atoms):
        raise BadInput(
            f"encode() must return the atoms of {modality!r} as Atoms(names, kind), not {type(atoms).__name__}"
        )
    if not isinstance(atoms.groups, Tensor | None):
        raise BadInput(f"groups of {modality!r} must be an int64 tensor, or None, not {described(atoms.groups)}")
    if atoms.kind not in (*ROW_KINDS, *PICTURE_KINDS, *SERIES_KINDS):
        raise UnknownName("kind of atoms", atoms.kind, (*ROW_KINDS, *PICTURE_KINDS, *SERIES_KINDS))
    if not x.is_floating_point():
        raise BadInput(f"{modality!r} must be a floating-point leaf (embed tokens in encode()), not {x.dtype}")
    dimensions = {"picture": x.dim() == 4, "series": x.dim() == 3, "rows": x.dim() >= 2}
    shape = "picture" if atoms.kind in PICTURE_KINDS else "series" if atoms.kind in SERIES_KINDS else "rows"
    if not dimensions[shape] or x.shape[0] != 1:
        raise BadInput(f"{modality!r} of kind {atoms.kind} has shape {tuple(x.shape)}; see interfaces: [1, ...]")
    leaves = by_leaf(atoms.kind, x).shape[1]
    if atoms.groups is None and leaves != len(atoms):
        raise BadInput(f"{modality!r} has {leaves} leaves but {len(atoms)} atoms and no groups")
    if atoms.groups is not None:
        groups = atoms.groups
        if groups.shape != (leaves,) or (leaves and not -1 <= int(groups.min()) <= int(groups.max()) < len(atoms)):
            raise BadInput(f"groups of {modality!r} must be [{leaves}] with values from -1 to {len(atoms) - 1}")

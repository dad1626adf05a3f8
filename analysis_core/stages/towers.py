"""A model's towers and fusion behind one face, with honest counts. Masking, EMAP and DIME stand on it.

A model without towers is fused by its forward pass, and the encodings are the leaves themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from analysis_core import input_widths, leaves
from analysis_core.batching import ALIVE, Allocations, Batches, one_row, rows_at_once
from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.models.towers import separate
from analysis_core.types import Encoded, Output

#: So many numbers that come with a sample are looked at, and so many forms of samples are kept per model.
LOOKED_AT, FORMS = 4096, 256


@dataclass(frozen=True)
class Part:
    """One modality of some rows, ready to be fused.

    encoding: Tensor, tuple or dict of Tensors [rows, ...]
    own:      aux with a row for each [rows, ...]
    shared:   aux without rows of its own: the same for all
    """

    encoding: Any
    own: dict[str, Tensor]
    shared: dict[str, Tensor]

    def __len__(self) -> int:
        return len(tree_leaves(self.encoding)[0])

    @property
    def nbytes(self) -> int:
        return sum(t.numel() * t.element_size() for t in tree_leaves((self.encoding, self.own)))

    def over(self, rows: int) -> Part:
        """A single row for all of `rows`; no memory is taken."""
        return self._each(lambda t: t.expand(rows, *t.shape[1:]))

    def at(self, index: Tensor) -> Part:
        """The rows at int64 [n], copied."""
        return self._each(lambda t: t.index_select(0, index.to(t.device)))

    def span(self, start: int, stop: int) -> Part:
        """Consecutive rows, as a view."""
        return self._each(lambda t: t[start:stop])

    def copy(self) -> Part:
        """In memory of its own: a view would keep its whole batch alive."""
        return self._each(lambda t: t.contiguous().clone())

    @staticmethod
    def joined(parts: Sequence[Part]) -> Part:
        """Rows of several parts one after the other."""
        first = parts[0]
        if len(parts) == 1:
            return first
        encoding, own = tree_map(
            lambda *same: torch.cat(same),
            (first.encoding, first.own),
            *((p.encoding, p.own) for p in parts[1:]),
        )
        return Part(encoding, own, first.shared)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Part:
        encoding, own = tree_map(change, (self.encoding, self.own))
        return Part(encoding, own, self.shared)


class Fusion:
    """Encodes modalities apart, fuses them, and counts both.

    forwards:       rows that went through fuse, or through forward where the model has no towers
    encodings:      rows that went through each tower; empty where the model has none
    row_bytes:      bytes of one row's part, by modality; known, like the batches, after `begin`
    encode_batches, fuse_batches: rows at a time; halved when memory runs out
    """

    def __init__(self, model: MultimodalModel) -> None:
        self.model = model
        self.towers = separate(model)
        self.forwards = 0
        self.encodings: dict[str, int] = dict.fromkeys(model.modalities, 0) if self.towers is not None else {}
        self.row_bytes: dict[str, int] = {}
        self.encode_batches, self.fuse_batches = Batches(1), Batches(1)

    def begin(self, encoded: Encoded) -> tuple[dict[str, Part], Output]:
        """One sample's parts and output; its memory tells how many rows go at once.

        raises: BadInput (inputs of a width that the model does not take), OutOfMemory, and as `leaves.checked`
        """
        with one_row(), input_widths.told(lambda: self.model.forward(encoded.x, encoded.aux), encoded.x):
            return self._begin(encoded)

    def _begin(self, encoded: Encoded) -> tuple[dict[str, Part], Output]:
        known, form = _sizes_of(self.model), _form(encoded)
        found = known.get(form)
        with _RowAllocations(self.model) if found is None else nullcontext() as encoding:
            parts = {m: self.encode(m, encoded.x[m], *divided(encoded.aux[m])) for m in encoded.x}
        with _RowAllocations(self.model) if found is None else nullcontext() as fusing:
            output = self.fuse(parts)
        self.row_bytes = {m: part.nbytes for m, part in parts.items()}
        if encoding is not None and fusing is not None:
            held, device = sum(self.row_bytes.values()), next(iter(encoded.x.values())).device
            found = tuple(rows_at_once(held + ALIVE * watched.largest, device) for watched in (encoding, fusing))
            if len(known) >= FORMS:
                del known[next(iter(known))]
            known[form] = found
        assert found is not None
        self.encode_batches, self.fuse_batches = Batches(found[0]), Batches(found[1])
        return parts, output

    def encode(self, modality: str, x: Tensor, own: Mapping[str, Tensor], shared: Mapping[str, Tensor]) -> Part:
        """Leaves [rows, ...] as a part; aux of one row is taken for all of them.

        raises: BadInput (the tower's encoding has not one row for each)
        """
        rows = len(x)
        own = {name: t if len(t) == rows else t.expand(rows, *t.shape[1:]) for name, t in own.items()}
        encoding: Any = x
        if self.towers is not None:
            with torch.no_grad():
                encoding = self.towers.tower(modality, x, {**own, **shared})
            _require_rows(modality, encoding, rows)
            self.encodings[modality] += rows
        return Part(encoding, dict(own), dict(shared))

    def fuse(self, parts: Mapping[str, Part]) -> Output:
        """The output of rows whose modalities lie in step. raises: as `leaves.checked`"""
        encodings = {m: part.encoding for m, part in parts.items()}
        aux = {m: {**part.own, **part.shared} for m, part in parts.items()}
        rows = len(next(iter(parts.values())))
        with torch.no_grad():
            if self.towers is not None:
                output = leaves.checked(self.towers.fuse(encodings, aux), rows, by="fuse()")
            else:
                output = leaves.checked(self.model.forward(encodings, aux), rows)
        self.forwards += rows
        return output


#: Rows at once through towers and through their fusion, by model and by the form of a sample: to count what operations
#: allocate takes as long as ten forward passes of a small model. A model is taken to stay as it was when first seen.
_SIZES: WeakKeyDictionary[MultimodalModel, dict[Hashable, tuple[int, ...]]] = WeakKeyDictionary()


def _sizes_of(model: MultimodalModel) -> dict[Hashable, tuple[int, ...]]:
    """What is known of a model; nothing, and nothing is kept, of one that cannot be a key."""
    try:
        return _SIZES.setdefault(model, {})
    except TypeError:
        return {}


def _form(encoded: Encoded) -> Hashable:
    """Whatever a forward pass's memory may depend on: shapes, and the lengths and masks that come with them."""

    def told(t: Tensor) -> Hashable:
        return tuple(t.shape), t.dtype, t.device, tuple(t.flatten().tolist()) if _counts(t) else ()

    return tuple(
        (m, told(x), tuple((name, told(t)) for name, t in sorted(encoded.aux[m].items()))) for m, x in encoded.x.items()
    )


def _counts(t: Tensor) -> bool:
    """Whether a tensor may be a length or a mask: not too many numbers, and whole ones."""
    if t.numel() > LOOKED_AT or t.is_complex():
        return False
    return not t.is_floating_point() or bool((t == t.round()).all())


def _require_rows(modality: str, encoding: Any, rows: int) -> None:
    """Fewer rows would be broadcast by the fusion in silence. raises: BadInput (not a row for each)"""
    for t in tree_leaves(encoding) or [encoding]:
        if not isinstance(t, Tensor) or not t.dim() or len(t) != rows:
            wanted = f"tensors [{rows}, ...] for a batch of {rows}"
            raise BadInput(f"tower() must return {wanted} of {modality!r}, not {leaves.described(t)}")


class _RowAllocations(Allocations):
    """Leaves views of weights out: they are as large however many rows there are, and larger than a row's fusion."""

    def __init__(self, model: MultimodalModel) -> None:
        super().__init__()
        weights = model.parameters() if isinstance(model, nn.Module) else ()
        self._weights = {p.untyped_storage().data_ptr() for p in weights}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        largest = self.largest
        result = super().__torch_dispatch__(func, types, args, kwargs)
        if isinstance(result, Tensor) and result.untyped_storage().data_ptr() in self._weights:
            self.largest = largest
        return result


def divided(aux: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """One sample's aux: what has a row per sample [1, ...], and what is the same for all rows of a batch."""
    own = {name: t for name, t in aux.items() if t.dim() > 0 and t.shape[0] == 1}
    return own, {name: t for name, t in aux.items() if name not in own}


def mixtures(model: MultimodalModel, encoded: Encoded) -> Iterator[tuple[str, Output, Output]]:
    """What is present, what forward returns, and what fuse makes of the towers, for `check_model`.

    The whole sample, its baseline, and each modality alone: a tower that has seen another modality, or another row of
    its batch, gives itself away there.
    """
    absent, fusion = leaves.encode_baseline(model, encoded), Fusion(model)
    parts = {m: fusion.encode(m, torch.cat([absent[m], x]), *divided(encoded.aux[m])) for m, x in encoded.x.items()}
    for present in (set(encoded.x), set[str](), *({m} for m in encoded.x)):
        x = {m: encoded.x[m] if m in present else absent[m] for m in encoded.x}
        with torch.no_grad():
            whole = leaves.forward(model, x, encoded.aux)
        fused = fusion.fuse({m: part.span(int(m in present), int(m in present) + 1) for m, part in parts.items()})
        yield f"{' and '.join(sorted(present)) or 'nothing'} present", whole, fused

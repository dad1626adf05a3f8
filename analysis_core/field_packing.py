"""Packing of plain result dataclasses, field by field: tensors as arrays, everything else as JSON. For results.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Pack = Callable[[Any], tuple[dict[str, Any], dict[str, NDArray[Any]]]]
Unpack = Callable[..., Any]


def by_fields(kind: type) -> tuple[Pack, Unpack]:
    """How to pack and unpack a dataclass whose fields are tensors, tuples, or what JSON keeps as it is.

    raises: TypeError (a field named "kind", which is where results.py writes the class)
    """
    if any(f.name == "kind" for f in fields(kind)):
        raise TypeError(f"{kind.__name__} cannot be saved with a field named 'kind'")

    def pack(result: Any) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        values = {f.name: getattr(result, f.name) for f in fields(kind)}
        arrays = {name: v.numpy() for name, v in values.items() if isinstance(v, Tensor)}
        return {name: _plain(v) for name, v in values.items() if name not in arrays}, arrays

    def unpack(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Any:
        tensors = {name: torch.from_numpy(np.array(a)) for name, a in arrays.items()}
        tuples = {f.name for f in fields(kind) if str(f.type).startswith("tuple")}
        rest = {f.name: facts[f.name] for f in fields(kind) if f.name not in tensors}
        return kind(
            **tensors, **{name: tuple(v) if name in tuples and v is not None else v for name, v in rest.items()}
        )

    return pack, unpack


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value

"""What to say of a forward pass that fails on the shape of its inputs: which modality, its width, the one wanted.

Only asked after a failure: the pass is taken once more, and the first operation whose weights do not fit is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from analysis_core.batching import is_out_of_memory
from analysis_core.errors import BadInput

#: Parts of what torch says where shapes do not fit; other errors are the model's own affair.
_ABOUT_SHAPES = (
    "shapes cannot be multiplied", "size mismatch", "must match the size", "must match the existing size",
    "normalized_shape", "to have", "does not broadcast", "is invalid for input of size", "Expected size for",
    "expected input", "Sizes of tensors must match", "must have same reduction dim", "input_size",
    "embedding dimension", "size of tensor", "doesn't match the broadcast shape", "inconsistent tensor size",
)  # fmt: skip
_OWN_SENTENCE = re.compile(r"(?:Expected|dimension of) (\d+), (?:but )?got (\d+)")


@contextmanager
def told(again: Callable[[], Any], x: Mapping[str, Tensor]) -> Iterator[None]:
    """Around a forward pass of the inputs x; `again` takes it once more. raises: BadInput (inputs of a wrong width)"""
    try:
        yield
    except (RuntimeError, AssertionError) as error:
        if is_out_of_memory(error) or not any(part in str(error) for part in _ABOUT_SHAPES):
            raise
        raise BadInput(sentence(again, x, error)) from error


def sentence(again: Callable[[], Any], x: Mapping[str, Tensor], error: BaseException) -> str:
    """What is wrong with the inputs x of a forward pass that failed, `again` being the same pass."""
    watcher = _Watcher()
    with suppress(Exception), torch.no_grad(), watcher:
        again()
    told = str(error).strip().splitlines()[0]
    misfit = watcher.last or _as_told(told)
    shapes = ", ".join(f"{m!r} {tuple(t.shape)}" for m, t in x.items())
    if misfit is not None:
        axis, found, wanted = misfit
        named = [m for m, t in x.items() if t.dim() > abs(axis) and t.shape[axis] == found]
        if len(named) == 1:
            return (
                f"{named[0]!r} has {found} numbers per {'pixel' if axis == 1 else 'row'}, the model takes {wanted}: "
                "give it a sample as its own encode() makes it"
            )
        return f"an operation of the model takes {wanted} numbers and finds {found} (inputs: {shapes}): {told}"
    return f"forward() failed on inputs {shapes}: {told}; give the model a sample of its own dataset"


class _Watcher(TorchFunctionMode):
    """Remembers the first operation whose weights its input does not fit: (axis of x, width found, width wanted)."""

    def __init__(self) -> None:
        super().__init__()
        self.last: tuple[int, int, int] | None = None

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        try:
            return func(*args, **(kwargs or {}))
        except Exception:
            if self.last is None:
                self.last = _misfit(func, args)
            raise


def _misfit(func: Callable[..., Any], args: Sequence[Any]) -> tuple[int, int, int] | None:
    """Axis, width found and width wanted of a call that failed, where its weights tell."""
    tensors = [a for a in args[:2] if isinstance(a, Tensor)]
    if func is functional.layer_norm and tensors:
        return _unless_equal(-1, tensors[0].shape[-1], int(args[1][-1]))
    if len(tensors) < 2 or min(t.dim() for t in tensors) < 1:
        return None
    value, weight = tensors
    if func is functional.linear:
        return _unless_equal(-1, value.shape[-1], weight.shape[-1])
    if func in (torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.mm, torch.bmm) and weight.dim() > 1:
        return _unless_equal(-1, value.shape[-1], weight.shape[-2])
    if func in (functional.conv1d, functional.conv2d, functional.conv3d) and value.dim() > 1:
        return _unless_equal(1, value.shape[1], weight.shape[1])
    return None


def _as_told(told: str) -> tuple[int, int, int] | None:
    """The same from a sentence of torch's own: recurrent layers and nn.MultiheadAttention check their input's width."""
    numbers = _OWN_SENTENCE.search(told)
    return _unless_equal(-1, int(numbers[2]), int(numbers[1])) if numbers else None


def _unless_equal(axis: int, found: int, wanted: int) -> tuple[int, int, int] | None:
    return None if found == wanted else (axis, found, wanted)

"""How many rows go through a model at once: estimated from one forward pass, halved when memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from analysis_core.arguments import count
from analysis_core.errors import OutOfMemory

_LOG = logging.getLogger(__name__)
#: A fixed budget, not the free memory of the moment: batch sizes, and so the last bits of results, stay reproducible.
CPU_BUDGET = 128 * 2**20
#: Without gradients about this many results of the largest size are alive at once (inputs, output, workspace).
ALIVE = 6
MOST_ROWS = 128
_ONE_ROW = "one row does not fit in memory: take a smaller input or another device"

Part = TypeVar("Part")


class Allocations(TorchDispatchMode):
    """Counts the bytes that operations return: `largest` result and `total` of all."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 1
        self.total = 1

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here; to be kept from it, torch would load its whole compiler, a second of CPU."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        given = {_storage(leaf) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        for leaf in tree_leaves(result):
            if not isinstance(leaf, Tensor):
                continue
            size = leaf.numel() * leaf.element_size()
            # The largest may be an expanded view: what is computed from it is as large.
            self.largest = max(self.largest, size)
            # Views and in-place results take no memory of their own.
            self.total += size if _storage(leaf) not in given else 0
        return result


def _storage(t: Tensor) -> int:
    return t.untyped_storage().data_ptr() or id(t)


def rows_at_once(bytes_per_row: int, device: torch.device) -> int:
    """A power of two between 1 and MOST_ROWS that fits the budget (a quarter of the memory on an accelerator)."""
    budget = CPU_BUDGET
    if device.type == "cuda":
        budget = torch.cuda.get_device_properties(device).total_memory // 4
    fitting = max(1, min(MOST_ROWS, budget // max(1, bytes_per_row)))
    return 1 << (fitting.bit_length() - 1)


@contextmanager
def one_row() -> Iterator[None]:
    """Around work on a single row, which no smaller batch can help. raises: OutOfMemory (where memory runs out)"""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, OutOfMemory) or not is_out_of_memory(error):
            raise
        raise OutOfMemory(_ONE_ROW) from error


class Batches:
    """Works through rows in batches of `size`; out of memory halves the size and goes on."""

    def __init__(self, size: int) -> None:
        self.size = count("rows at a time", size)
        self.halvings = 0

    def run(self, rows: int, compute: Callable[[int, int], Part]) -> Iterator[Part]:
        """Yield compute(start, stop) for consecutive ranges covering 0 to rows. raises: OutOfMemory (at one row)"""
        start = 0
        while start < rows:
            stop = min(start + self.size, rows)
            try:
                part = compute(start, stop)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                if self.size == 1:
                    raise OutOfMemory(_ONE_ROW) from error
                self._halve()
                continue
            yield part
            start = stop

    def _halve(self) -> None:
        self.size //= 2
        self.halvings += 1
        _LOG.warning("out of memory: going on with %d rows at a time", self.size)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on any device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return "out of memory" in text or "can't allocate memory" in text or "not enough memory" in text

"""How much memory one direction of a second derivative may take, read off the graph of the forward pass."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

#: Nodes whose results share memory with their input, and the leaves: they take none of their own.
_VIEWS = frozenset(
    (
        "Alias", "AsStrided", "Chunk", "Detach", "Diagonal", "Expand", "Narrow", "Permute", "ReshapeAlias", "Select",
        "Slice", "Split", "Squeeze", "T", "Transpose", "Unbind", "Unfold", "UnsafeSplit", "UnsafeView", "Unsqueeze",
        "View", "torch::autograd::AccumulateGrad",
    )
)  # fmt: skip


def bytes_of_results(nodes: Iterable[Any]) -> int:
    """Bytes that the recorded operations of a forward pass returned; at least 1.

    Read from the graph after the pass: watching every operation took longer than the pass itself
    (nlvr_regions: 11 ms on top of 3). The peak of a double backward was .32 to .50 of this per direction
    (LXMERT of widths 64 to 192, cnn_lstm_sa, nlvr_regions). Results that have no one shape (nested tensors) are
    taken to be as large as the largest of the others
    """
    found = [_bytes(node) for node in nodes if node.name().split("Backward")[0] not in _VIEWS]
    largest = max((size for size in found if size is not None), default=0)
    return max(1, sum(largest if size is None else size for size in found))


def _bytes(node: Any) -> int | None:
    try:
        return sum(math.prod(result.shape) * result.dtype.itemsize for result in node._input_metadata)
    except (RuntimeError, AttributeError, TypeError):
        return None

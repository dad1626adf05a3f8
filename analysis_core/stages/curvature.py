"""The curvature engine: a target's first gradient, and products of its mixed second derivative with directions.

One forward, one first gradient, then all directions in one batched backward; a loop where an operation cannot be
batched; central differences of the first gradient where an operation has no second derivative. Reverse over reverse
only: reverse over forward through torch 2.13's fused layer_norm is wrong without an error where both modalities pass
one LayerNorm together (by .18 to 1.28 of the norm in six random networks).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from analysis_core import leaves
from analysis_core.batching import Batches, is_out_of_memory, one_row, rows_at_once
from analysis_core.errors import BadInput, MissingCapability, NotDifferentiableTwice
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.curvature_memory import bytes_of_results
from analysis_core.targets import Target, resolve, select
from analysis_core.types import Encoded, Output

_NO_GRADIENT = (
    "the model's output carries no gradient: its forward pass must be differentiable; crossmodal.removal and "
    "crossmodal.finite_step find interactions without a gradient, unimodal.perturbation the importance of atoms"
)
#: Graph nodes whose second derivative is zero almost everywhere, as their names begin.
_PIECEWISE_LINEAR = (
    "Relu", "LeakyRelu", "Threshold", "Prelu", "Rrelu", "Hardtanh", "Hardsigmoid", "Clamp", "Abs",
    "MaxPool", "AdaptiveMaxPool", "Max", "Min", "Amax", "Amin",
)  # fmt: skip


@contextmanager
def differentiable() -> Iterator[None]:
    """Gradients on, and every operation in a form that has a second derivative.

    mkldnn's LSTM, cuDNN's RNNs and fused attention have none (torch 2.13); the plain forms do.
    """
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.backends.mkldnn.flags(enabled=False, allow_tf32=None, fp32_precision=None),
        torch.backends.cudnn.flags(enabled=False),
        sdpa_kernel(SDPBackend.MATH),
    ):
        yield


def forward_with_gradient(
    model: MultimodalModel, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]], sentence: str
) -> Output:
    """leaves.forward on inputs with gradients. raises: MissingCapability with the sentence (the model refuses them)"""
    try:
        return leaves.forward(model, x, aux)
    except RuntimeError as error:
        # What torch says when a model hands its inputs to numpy, as wrappers of other libraries do.
        if "requires grad" in str(error):
            raise MissingCapability(sentence) from error
        raise


class FirstOrder:
    """A target on one sample with its gradient towards any modality, the graph kept for a second derivative.

    target: resolved on this sample; value: the target's value
    """

    def __init__(self, model: MultimodalModel, encoded: Encoded, target: Target) -> None:
        """raises: MissingCapability (the forward pass is cut off from its inputs), BadInput (not finite)"""
        self.model, self.encoded = model, encoded
        with one_row(), differentiable():
            self._x = {m: t.detach().clone().requires_grad_(True) for m, t in encoded.x.items()}
            output = self._forward(self._x)
            self.target = resolve(target, output)
            self._value = select(self.target, output)[0]
        if not self._value.requires_grad:
            raise MissingCapability(_NO_GRADIENT)
        self.value = float(self._value.detach())
        if not math.isfinite(self.value):
            raise BadInput(f"the target is {self.value} on this sample: look for NaN or infinite inputs or weights")
        self._gradients: dict[str, Tensor | None] = {}

    def gradient(self, modality: str) -> Tensor:
        """d target / d x[modality], detached, in x's shape; zeros where the target does not depend on it."""
        g = self._graph_gradient(modality)
        return torch.zeros_like(self._x[modality]) if g is None else g.detach()

    def operations(self, *modalities: str) -> tuple[str, ...]:
        """Names of piecewise linear operations on the way to the target that depend on each of these modalities.

        modalities: none = on the way from any input
        """
        kinks = {node for node in _nodes(self._value) if _name(node).startswith(_PIECEWISE_LINEAR)}
        for modality in modalities if kinks else ():
            kinks &= _users(self._value, self._x[modality])
        return tuple(sorted({_name(node) for node in kinks}))

    def _forward(self, x: dict[str, Tensor]) -> Output:
        return forward_with_gradient(self.model, x, self.encoded.aux, _NO_GRADIENT)

    def _graph_gradient(self, modality: str) -> Tensor | None:
        if modality not in self._gradients:
            with one_row(), differentiable():
                (g,) = torch.autograd.grad(self._value, [self._x[modality]], create_graph=True, allow_unused=True)
            self._gradients[modality] = g
        return self._gradients[modality]


class Curvature(FirstOrder):
    """Products d<g, v>/d x[to] with g the gradient towards x[source].

    engine: how they were computed: "double_backward", "double_backward_loop" or "central_differences"
    reason: why not the first of these, or None
    """

    def __init__(self, model: MultimodalModel, encoded: Encoded, target: Target, *, source: str, to: str) -> None:
        super().__init__(model, encoded, target)
        self.source, self.to = source, to
        self.engine, self.reason = "double_backward", None  # type: str, str | None
        if once := _once_differentiable(self._value):
            # torch leaves the share of such a function out of the second derivative without an error.
            self.engine, self.reason = "central_differences", f"{once} is once_differentiable"
        self.batches = Batches(rows_at_once(bytes_of_results(_nodes(self._value)), encoded.x[to].device))

    def products(self, directions: Tensor) -> Tensor:
        """directions [n, *x[source].shape[1:]] -> [n, *x[to].shape[1:]], detached.

        raises: NotDifferentiableTwice (neither a second derivative nor differences of the first can be had)
        """
        g, x = self._graph_gradient(self.source), self._x[self.to]
        if g is None or not g.requires_grad:
            return x.new_zeros(len(directions), *x.shape[1:])
        directions = leaves.ordinary(directions)
        parts = list(self.batches.run(len(directions), lambda a, b: self._products(g, directions[a:b])))
        result = torch.cat(parts)
        if not bool(result.isfinite().all()):
            raise NotDifferentiableTwice(f"the second derivative is not finite here{_named(self.operations())}")
        return result

    def disagreement(self, direction: Tensor) -> float | None:
        """Relative L2 difference between the product with one direction [1, ...] and central differences.

        None where both are 0. Large where an operation's second derivative is missing in silence, or at kinks
        """
        exact = self.products(direction)
        with differentiable():
            finite = self._differences(leaves.ordinary(direction))
        scale = float(torch.maximum(exact.norm(), finite.norm()))
        return float((exact - finite).norm()) / scale if scale > 0 else None

    def _products(self, g: Tensor, directions: Tensor) -> Tensor:
        engines = {
            "double_backward": self._batched,
            "double_backward_loop": self._one_by_one,
            "central_differences": lambda _, directions: self._differences(directions),
        }
        names = list(engines)
        for name in names[names.index(self.engine) :]:
            try:
                with differentiable():
                    result = engines[name](g, directions)
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise
                self.reason = str(error).strip().splitlines()[0]
                continue
            self.engine = name
            return result
        raise NotDifferentiableTwice(f"the model cannot be differentiated twice: {self.reason}")

    def _batched(self, g: Tensor, directions: Tensor) -> Tensor:
        # Not is_grads_batched: its older vmap takes the backward passes of softmax, GELU and layer_norm row by row
        # (LXMERT of width 96, 20 words x 36 regions: 39 ms against 34).
        return torch.func.vmap(lambda v: self._product(g, v))(directions).detach()

    def _one_by_one(self, g: Tensor, directions: Tensor) -> Tensor:
        return torch.stack([self._product(g, v).detach() for v in directions])

    def _product(self, g: Tensor, v: Tensor) -> Tensor:
        (row,) = torch.autograd.grad(g, [self._x[self.to]], v.unsqueeze(0), retain_graph=True, allow_unused=True)
        return self._zeros(1)[0] if row is None else row[0]

    def _differences(self, directions: Tensor) -> Tensor:
        # d<g, v>/dx[to] = d/dh of the gradient towards x[to] at x[source] + h v: second derivatives commute.
        x = self._x[self.source].detach()
        size = torch.where(directions != 0, x, 0).flatten(1).norm(dim=1).clamp_min(1e-2)
        step = torch.finfo(x.dtype).eps ** (1 / 3) * size / directions.flatten(1).norm(dim=1).clamp_min(1e-30)
        h = step.reshape(-1, *([1] * (x.dim() - 1)))
        forth, back = self._gradient_at(x + h * directions), self._gradient_at(x - h * directions)
        return (forth - back) / (2 * h.reshape(-1, *([1] * (forth.dim() - 1))))

    def _gradient_at(self, moved: Tensor) -> Tensor:
        n = len(moved)
        x = {m: t.detach().expand(n, *t.shape[1:]) for m, t in self._x.items()}
        x[self.source] = moved
        x[self.to] = x[self.to].clone().requires_grad_(True)
        value = select(self.target, self._forward(x)).sum()
        (rows,) = torch.autograd.grad(value, [x[self.to]], allow_unused=True)
        return self._zeros(n) if rows is None else rows

    def _zeros(self, n: int) -> Tensor:
        x = self._x[self.to]
        return x.new_zeros(n, *x.shape[1:])


def _nodes(value: Tensor) -> Iterator[Any]:
    """All nodes of a tensor's graph."""
    seen: set[object] = set()
    waiting = [value.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        waiting.extend(parent for parent, _ in node.next_functions)


def _name(node: Any) -> str:
    """The operation of a graph's node: "Relu" of ReluBackward0."""
    name: str = node.name().removeprefix("torch::autograd::")
    return name.split("Backward")[0]


def _users(value: Tensor, leaf: Tensor) -> set[Any]:
    """The nodes of a tensor's graph whose results depend on a leaf."""
    users: dict[Any, list[Any]] = {}
    waiting = []
    for node in _nodes(value):
        if getattr(node, "variable", None) is leaf:
            waiting.append(node)
        for parent, _ in node.next_functions:
            users.setdefault(parent, []).append(node)
    found: set[Any] = set()
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(users.get(node, ()))
    return found


def _once_differentiable(value: Tensor) -> str | None:
    """The name of a custom function in the graph whose backward is marked once_differentiable."""
    for node in _nodes(value):
        function = getattr(node, "_forward_cls", None)
        code = getattr(getattr(function, "backward", None), "__code__", None)
        if function is not None and code is not None and code.co_qualname.startswith("once_differentiable"):
            return str(function.__name__)
    return None


def _named(operations: tuple[str, ...]) -> str:
    return f" (operations: {', '.join(operations)})" if operations else ""

"""A model with its kinks smoothed, so that it has second derivatives: what stage C offers for ReLU networks.

Calls are swapped while the model runs, not modules: nothing of the model is replaced, so nothing has to be put back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from analysis_core.arguments import finite
from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.types import Encoded, Output


class Smooth:
    """A model whose ReLUs are softplus(beta); everything else, and the model itself, is as it was.

    model: the model as it is; beta: softplus(x) = log(1 + exp(beta x)) / beta
    """

    def __init__(self, model: MultimodalModel, beta: float) -> None:
        self.model, self.beta = model, beta
        self.modalities = model.modalities

    def __getattr__(self, name: str) -> Any:
        # For what is not set here (labels, layers); `model` itself is missing while a copy is being made.
        if name == "model":
            raise AttributeError(name)
        return getattr(self.model, name)

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        """The model's own, with its own ReLUs: the same inputs are explained."""
        return self.model.encode(sample)

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        """The model's forward pass with the kinks smoothed."""
        with _Softplus(self.beta):
            return self.model.forward(x, aux)

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        """The model's own."""
        return self.model.baseline(encoded)


def smooth(model: MultimodalModel, *, beta: float = 10.0) -> Smooth:
    """The model with ReLUs replaced by softplus(beta) while it runs, to be given to `second_order`.

    beta:    > 0, per unit of the ReLU's input: a kink becomes about 4 / beta wide, the value there log(2) / beta too
             high. Too small is another model (`quality` has the value with and without), too large has kinks again
    swapped: ReLU, ReLU6, Hardtanh, LeakyReLU, clamp at 0 (other bounds are kept), max_pool1d and max_pool2d (by
             log-sum-exp), as modules, functions and methods, in place or not. Not: compiled or scripted code, maximum
             over a dimension, abs; second_order says "not applicable" where only those interact
    returns: a model with the same modalities, inputs and baseline
    raises:  BadInput (beta)
    source:  Dombrowski et al. 2019, who smooth ReLU networks by softplus to explain them
    """
    beta = finite("beta", beta)
    if beta <= 0:
        raise BadInput(f"beta must be a positive number, not {beta}")
    return Smooth(model, beta)


class _Softplus(TorchFunctionMode):
    """Answers calls of piecewise linear functions by their smooth counterparts."""

    def __init__(self, beta: float) -> None:
        super().__init__()
        self.beta = beta

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        found = _SWAPS[func](self.beta, *args, **kwargs) if func in _SWAPS else None
        return func(*args, **kwargs) if found is None else found


def _relu(beta: float, x: Tensor, inplace: bool = False) -> Tensor:
    return _given(x, functional.softplus(x.clone() if inplace else x, beta), inplace)


def _leaky_relu(beta: float, x: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    before = x.clone() if inplace else x
    return _given(x, negative_slope * before + (1 - negative_slope) * functional.softplus(before, beta), inplace)


def _hardtanh(beta: float, x: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    before = x.clone() if inplace else x
    rising = functional.softplus(before - min_val, beta) - functional.softplus(before - max_val, beta)
    return _given(x, min_val + rising, inplace)


def _relu6(beta: float, x: Tensor, inplace: bool = False) -> Tensor:
    return _hardtanh(beta, x, 0.0, 6.0, inplace)


def _clamp(beta: float, x: Tensor, min: Any = None, max: Any = None) -> Tensor | None:
    # Other bounds guard divisions and logarithms (clamp_min(1e-12) of a norm): those are no activations.
    return _relu(beta, x) if _is_relu(x, min, max) else None


def _clamp_in_place(beta: float, x: Tensor, min: Any = None, max: Any = None) -> Tensor | None:
    return _relu(beta, x, inplace=True) if _is_relu(x, min, max) else None


class _Pooling(NamedTuple):
    """What max_pool1d and max_pool2d are called with after their input."""

    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    dilation: Any = 1
    ceil_mode: bool = False
    return_indices: bool = False


def _max_pool2d(beta: float, x: Tensor, *args: Any, **kwargs: Any) -> Tensor | None:
    return _pooled(beta, x, _Pooling(*args, **kwargs)) if x.dim() == 4 else None


def _max_pool1d(beta: float, x: Tensor, *args: Any, **kwargs: Any) -> Tensor | None:
    if x.dim() != 3:
        return None
    given = _Pooling(*args, **kwargs)
    k, s, p, d = (_single(v) for v in (given.kernel_size, given.stride or given.kernel_size, *given[2:4]))
    flat = given._replace(kernel_size=(1, k), stride=(1, s), padding=(0, p), dilation=(1, d))
    pooled = _pooled(beta, x.unsqueeze(2), flat)
    return None if pooled is None else pooled.squeeze(2)


def _pooled(beta: float, x: Tensor, given: _Pooling) -> Tensor | None:
    """log-sum-exp over the windows of x [B, C, H, W]; None for options that are not swapped."""
    if given.ceil_mode or given.return_indices:
        return None
    (kh, kw), (ph, pw), (dh, dw) = _pair(given.kernel_size), _pair(given.padding), _pair(given.dilation)
    sh, sw = _pair(given.stride or given.kernel_size)
    # What is padded is never the maximum; -inf would give NaN in second derivatives.
    low = float(x.detach().amin()) - 50 / beta
    padded = functional.pad(x, (pw, pw, ph, ph), value=low)
    windows = functional.unfold(padded, (kh, kw), dilation=(dh, dw), stride=(sh, sw))
    pooled = torch.logsumexp(beta * windows.unflatten(1, (x.shape[1], kh * kw)), dim=2) / beta
    return pooled.unflatten(2, ((padded.shape[2] - dh * (kh - 1) - 1) // sh + 1, -1))


def _given(x: Tensor, value: Tensor, inplace: bool) -> Tensor:
    return x.copy_(value) if inplace else value


def _is_relu(x: Tensor, min: Any, max: Any) -> bool:
    return max is None and isinstance(min, int | float) and min == 0 and x.is_floating_point()


def _single(value: Any) -> int:
    return int(value[0]) if isinstance(value, Sequence) else int(value)


def _pair(value: Any) -> tuple[int, int]:
    return (int(value[0]), int(value[-1])) if isinstance(value, Sequence) else (int(value), int(value))


def _relu_in_place(beta: float, x: Tensor) -> Tensor:
    return _relu(beta, x, inplace=True)


_SWAPS: dict[Any, Callable[..., Tensor | None]] = {
    **dict.fromkeys((functional.relu, torch.relu, Tensor.relu), _relu),
    **dict.fromkeys((torch.relu_, Tensor.relu_), _relu_in_place),
    functional.relu6: _relu6,
    functional.hardtanh: _hardtanh,
    functional.leaky_relu: _leaky_relu,
    **dict.fromkeys((torch.clamp, Tensor.clamp, torch.clip, Tensor.clip), _clamp),
    **dict.fromkeys((torch.clamp_min, Tensor.clamp_min), _clamp),
    **dict.fromkeys((torch.clamp_, Tensor.clamp_, torch.clamp_min_, Tensor.clamp_min_), _clamp_in_place),
    **dict.fromkeys((functional.max_pool2d, torch.max_pool2d), _max_pool2d),
    **dict.fromkeys((functional.max_pool1d, torch.max_pool1d), _max_pool1d),
}

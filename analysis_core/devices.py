"""Where a model computes: a device's name, checked against what this machine and this torch have before loading."""

from __future__ import annotations

from typing import Any

import torch

from analysis_core.errors import BadInput, MissingDevice


def require_device(device: Any) -> torch.device:
    """The device as torch names it. raises: BadInput (no device's name), MissingDevice (not to be had here)"""
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise BadInput(f"{device!r} is no device: give 'cpu', 'cuda' or 'cuda:0'") from error
    if found.type == "meta":
        raise BadInput("tensors on device 'meta' have no values: give 'cpu', 'cuda' or 'cuda:0'")
    if found.type == "cuda":
        _require_cuda(found)
    elif found.type != "cpu":
        try:
            torch.empty(0, device=found)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            raise MissingDevice(f"device {str(found)!r} cannot be used here: take device='cpu'") from error
    return found


def _require_cuda(device: torch.device) -> None:
    if not torch.cuda.is_available():
        built = "finds no usable GPU (is the driver loaded?)" if torch.version.cuda else "was built without CUDA"
        raise MissingDevice(f"device {str(device)!r} is not available, this torch {built}: take device='cpu'")
    there = torch.cuda.device_count()
    if device.index is not None and device.index >= there:
        raise MissingDevice(f"device {str(device)!r} does not exist: this machine has cuda:0 to cuda:{there - 1}")

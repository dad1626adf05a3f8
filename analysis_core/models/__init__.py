"""Trained models by registered name. Importing this loads no torch; `load` does."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from analysis_core.models.base import Checkpoint, MultimodalModel
from analysis_core.registry import Registry

_REGISTRY = Registry(
    "model",
    {
        "cnn_lstm_sa": "analysis_core.models.cnn_lstm_sa:CnnLstmSa",
        "lxmert": "analysis_core.models.lxmert:Lxmert",
        "nlvr_regions": "analysis_core.models.nlvr_regions:NlvrRegions",
    },
)

__all__ = ["Checkpoint", "MultimodalModel", "describe", "load", "names"]


def names() -> tuple[str, ...]:
    """Registered models, without importing them."""
    return _REGISTRY.names()


def describe(name: str, *, checkpoint: str | Path) -> Checkpoint:
    """Read and check a checkpoint's description without loading torch.

    raises: UnknownName, BadCheckpoint (missing or damaged files, or another model's checkpoint)
    """
    if name not in _REGISTRY.names():
        _REGISTRY.get(name)
    return Checkpoint.read(Path(checkpoint), expected=name)


def load(name: str, *, checkpoint: str | Path, device: str = "cpu") -> MultimodalModel:
    """Load a trained model in evaluation mode.

    raises: UnknownName, BadCheckpoint, MissingDevice (such as "cuda" without a GPU), BadInput (no device's name)
    """
    from analysis_core.devices import require_device

    described = describe(name, checkpoint=checkpoint)
    require_device(device)
    return cast(MultimodalModel, _REGISTRY.get(name).from_checkpoint(described, device=device))

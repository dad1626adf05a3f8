"""The end of a training run on generated scenes: its record and the checkpoint folder."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from analysis_core.datasets.scenes.vocabulary import ANSWERS
from analysis_core.models.base import Checkpoint
from analysis_core.training.cnn_lstm_sa_evaluation import accuracy_table


def write_checkpoint(
    out: Path,
    network: nn.Module,
    *,
    model: str,
    architecture: Mapping[str, Any],
    plan: Mapping[str, Any],
    splits: Sequence[str],
    features: int,
    losses: Mapping[str, float],
    seconds: Mapping[str, float],
    packages: Sequence[str],
    held_out: tuple[NDArray[np.bool_], NDArray[np.int64]],
) -> dict[str, Any]:
    """Write the network with its training record to `out`. returns: the record

    splits:   streams of scenes that the run drew from
    features: width of the last layer's input
    seconds:  per phase
    packages: whose versions determine the result
    held_out: which questions were answered rightly [n], and their types' ids [n]
    """
    record = {
        "plan": dict(plan),
        "data": f"analysis_core.datasets.scenes; splits {', '.join(splits)}",
        "parameters": sum(p.numel() for p in network.parameters()),
        "features": features,
        **{name: round(value, 4) for name, value in losses.items()},
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), **{p: version(p) for p in packages}},
        "held_out": accuracy_table(*held_out),
    }
    Checkpoint.write(
        out, model=model, labels=ANSWERS, architecture=architecture, state=network.state_dict(), record=record
    )
    return record

"""A first phase of training, kept in a file: an interrupted run leaves it there for the next one of the same plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn


@dataclass(frozen=True)
class KeptPhase:
    """How the phase ended and what it took, by the run that trained it: its loss and its seconds."""

    loss: float
    seconds: float


def kept_phase(
    network: nn.Module, parts: Sequence[str], train: Callable[[], float], *, plan: Sequence[int], work: Path
) -> KeptPhase:
    """Train `parts` of the network in place, or fill them with what an earlier run left in `work`.

    parts: first names in the network's state dict; the first one names the file
    train: trains the parts and returns the loss; not called where they are taken up, so modes are the caller's
    plan:  what determines the phase, beside names and shapes of the weights (together they choose the file)
    """
    wanted = json.dumps([list(plan), {name: list(tensor.shape) for name, tensor in _state(network, parts).items()}])
    stored = work / f"{parts[0]}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}.safetensors"
    if stored.is_file():
        with safe_open(stored, framework="pt") as kept:
            for name, tensor in _state(network, parts).items():
                tensor.copy_(kept.get_tensor(name))
            return KeptPhase(**json.loads(kept.metadata()["phase"]))
    began = perf_counter()
    loss = train()
    phase = KeptPhase(loss, perf_counter() - began)
    work.mkdir(parents=True, exist_ok=True)
    partial = stored.with_suffix(".partial")
    # Asked for again: training may have put the weights elsewhere (another memory format does).
    state = {name: tensor.contiguous() for name, tensor in _state(network, parts).items()}
    save_file(state, partial, metadata={"phase": json.dumps(asdict(phase))})
    partial.replace(stored)
    return phase


def _state(network: nn.Module, parts: Sequence[str]) -> dict[str, Tensor]:
    """Weights and buffers of the parts by name, sharing memory with the network."""
    return {name: t for name, t in network.state_dict().items() if name.split(".")[0] in parts}

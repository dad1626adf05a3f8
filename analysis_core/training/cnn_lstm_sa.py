"""Trains the shipped cnn_lstm_sa checkpoint: `python -m analysis_core.training.cnn_lstm_sa --out FOLDER --seed 0`.

Perception (dense cells) -> maps cached -> reasoning on cached maps -> held-out accuracy -> checkpoint with its record.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from analysis_core.datasets.scenes.vocabulary import ANSWERS, WORDS
from analysis_core.models.base import Checkpoint
from analysis_core.models.cnn_lstm_sa import MASK, PAD, UNKNOWN
from analysis_core.models.stacked_attention import Architecture, Network
from analysis_core.training.cnn_lstm_sa_evaluation import accuracy_table, held_out
from analysis_core.training.cnn_lstm_sa_perception import train_backbone
from analysis_core.training.cnn_lstm_sa_reasoning import gather, train_reasoner


@dataclass(frozen=True)
class Plan:
    """Everything that determines the result, beside the code and the package versions."""

    seed: int = 0
    pictures: int = 60_000
    scenes: int = 24_000
    questions_per_scene: int = 24
    steps: int = 8_000
    held_out_scenes: int = 600
    held_out_questions_per_scene: int = 12


def train(plan: Plan, out: Path, work: Path) -> dict[str, Any]:
    """Train, write the checkpoint to `out`, return its record. `work` keeps the backbone between interrupted runs."""
    torch.manual_seed(plan.seed)
    index = {word: i for i, word in enumerate((PAD, UNKNOWN, MASK, *WORDS))}
    network = Network(Architecture(words=tuple(index), classes=len(ANSWERS)))
    seconds: dict[str, float] = {}
    began = time.perf_counter()
    loss = _perceive(network, plan, work)
    seconds["perception"], began = time.perf_counter() - began, time.perf_counter()
    per_scene = plan.questions_per_scene
    material = gather(network, index, seed=plan.seed, split="model-reasoning", n=plan.scenes, per_scene=per_scene)
    seconds["maps"], began = time.perf_counter() - began, time.perf_counter()
    torch.manual_seed(plan.seed + 1)

    def check() -> float:
        return float(held_out(network, index, seed=plan.seed, split="model-check", n=60, per_scene=12)[0].mean())

    train_reasoner(
        network, material, seed=plan.seed, steps=plan.steps, dropped=(index[MASK], index[UNKNOWN]), check=check
    )
    seconds["reasoning"], began = time.perf_counter() - began, time.perf_counter()
    right, kinds = held_out(
        network,
        index,
        seed=plan.seed,
        split="model-held-out",
        n=plan.held_out_scenes,
        per_scene=plan.held_out_questions_per_scene,
    )
    seconds["evaluation"] = time.perf_counter() - began
    record = {
        "plan": asdict(plan),
        "data": "analysis_core.datasets.scenes; splits model-perception, model-reasoning, model-held-out",
        "parameters": sum(p.numel() for p in network.parameters()),
        "features": network.architecture.features,
        "perception_loss": round(loss, 4),
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), **{p: version(p) for p in ("torch", "numpy", "pillow")}},
        "held_out": accuracy_table(right, kinds),
    }
    Checkpoint.write(
        out,
        model="cnn_lstm_sa",
        labels=ANSWERS,
        architecture=network.architecture.as_dict(),
        state=network.state_dict(),
        record=record,
    )
    return record


def _perceive(network: Network, plan: Plan, work: Path) -> float:
    """Train the backbone, or take up the one that an interrupted run with the same plan left."""
    wanted = json.dumps([plan.seed, plan.pictures, network.architecture.channels])
    stored = work / f"backbone-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}.safetensors"
    if stored.is_file():
        state = load_file(stored)
        loss = float(state.pop("loss"))
        network.backbone.load_state_dict(state)
        network.backbone.eval()
        return loss
    loss = train_backbone(network.backbone, seed=plan.seed, pictures=plan.pictures)
    work.mkdir(parents=True, exist_ok=True)
    state = {name: value.contiguous() for name, value in network.backbone.state_dict().items()}
    partial = stored.with_suffix(".partial")
    save_file({**state, "loss": torch.tensor(loss)}, partial)
    partial.replace(stored)
    return loss


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m analysis_core.training.cnn_lstm_sa", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--pictures", type=int, default=Plan.pictures, help="scenes that train the backbone")
    parser.add_argument("--scenes", type=int, default=Plan.scenes, help="scenes that train the reasoner")
    parser.add_argument("--steps", type=int, default=Plan.steps, help="steps of the reasoner")
    parser.add_argument("--work", type=Path, default=Path("var/training/cnn_lstm_sa"), help="kept between runs")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    plan = Plan(seed=given.seed, pictures=given.pictures, scenes=given.scenes, steps=given.steps)
    record = train(plan, given.out, given.work)
    parser.exit(0, json.dumps(record["held_out"]["overall"]) + "\n")


if __name__ == "__main__":
    main()

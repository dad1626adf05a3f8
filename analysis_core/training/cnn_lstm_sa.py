"""Trains the shipped cnn_lstm_sa checkpoint: `python -m analysis_core.training.cnn_lstm_sa --out FOLDER --seed 0`.

Perception (dense cells) -> maps cached -> reasoning on cached maps -> held-out accuracy -> checkpoint with its record.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from analysis_core.datasets.scenes.vocabulary import ANSWERS, WORDS
from analysis_core.models.cnn_lstm_sa import MASK, PAD, UNKNOWN
from analysis_core.models.stacked_attention import Architecture, Network
from analysis_core.training import command_line
from analysis_core.training.cnn_lstm_sa_evaluation import held_out
from analysis_core.training.cnn_lstm_sa_perception import train_backbone
from analysis_core.training.cnn_lstm_sa_reasoning import gather, train_reasoner
from analysis_core.training.kept_phase import kept_phase
from analysis_core.training.scenes_checkpoint import write_checkpoint


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

    def perceive() -> float:
        return train_backbone(network.backbone, seed=plan.seed, pictures=plan.pictures)

    first = kept_phase(network, ("backbone",), perceive, plan=(plan.seed, plan.pictures), work=work)
    network.backbone.eval()
    seconds, began = {"perception": first.seconds}, time.perf_counter()
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
    answered = held_out(
        network,
        index,
        seed=plan.seed,
        split="model-held-out",
        n=plan.held_out_scenes,
        per_scene=plan.held_out_questions_per_scene,
    )
    seconds["evaluation"] = time.perf_counter() - began
    return write_checkpoint(
        out,
        network,
        model="cnn_lstm_sa",
        architecture=network.architecture.as_dict(),
        plan=asdict(plan),
        splits=("model-perception", "model-reasoning", "model-held-out"),
        features=network.architecture.features,
        losses={"perception_loss": first.loss},
        seconds=seconds,
        packages=("torch", "numpy", "pillow"),
        held_out=answered,
    )


def main() -> None:
    """Command line."""
    command_line.run("cnn_lstm_sa", train, Plan(), description=__doc__, sees="backbone", reasons="reasoner")


if __name__ == "__main__":
    main()

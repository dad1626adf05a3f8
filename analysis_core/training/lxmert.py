"""Trains the shipped lxmert checkpoint: `python -m analysis_core.training.lxmert --out FOLDER --seed 0`.

Crop CNN on gold boxes -> frozen, region features cached -> transformers' LXMERT on questions -> held-out accuracy.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from analysis_core.datasets.scenes.regions import CROP
from analysis_core.datasets.scenes.vocabulary import ANSWERS, MAX_OBJECTS
from analysis_core.models.lxmert.network import Architecture, Crops, Network
from analysis_core.models.lxmert.words import Reader
from analysis_core.training import command_line
from analysis_core.training.kept_phase import kept_phase
from analysis_core.training.lxmert_data import MAX_TOKENS, TOKENS, gather
from analysis_core.training.lxmert_perception import train_crops
from analysis_core.training.lxmert_reasoning import answers, train_reasoner
from analysis_core.training.scenes_checkpoint import write_checkpoint


@dataclass(frozen=True)
class Plan:
    """Everything that determines the result, beside the code and the package versions."""

    seed: int = 0
    pictures: int = 8_000
    crop_epochs: int = 5
    scenes: int = 20_000
    questions_per_scene: int = 16
    steps: int = 5_000
    rate: float = 1.5e-3
    attention_weight: float = 0.3
    held_out_scenes: int = 600
    held_out_questions_per_scene: int = 12


#: transformers' LXMERT at hidden 96 with one language, one vision and one cross-modal layer; the initial weights are
#: wider than the published 0.02, which is meant for 768 units. Chosen among variants for what second order finds in it,
#: on questions kept for that: a second vision layer mixes regions before words see them, a second cross-modal one words
#: that have looked (docs/methods/alignment.md has the figures). To compare two objects it needs more than 2,500 steps.
NETWORK: dict[str, Any] = {
    "vocab_size": len(TOKENS),
    "hidden_size": 96,
    "num_attention_heads": 4,
    "intermediate_size": 192,
    "l_layers": 1,
    "r_layers": 1,
    "x_layers": 1,
    "num_qa_labels": len(ANSWERS),
    "visual_feat_dim": 64,
    "max_position_embeddings": MAX_TOKENS,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "initializer_range": 0.08,
}


def train(plan: Plan, out: Path, work: Path) -> dict[str, Any]:
    """Train, write the checkpoint to `out`, return its record. `work` keeps the crop CNN between interrupted runs."""
    torch.manual_seed(plan.seed)
    architecture = Architecture(TOKENS, MAX_TOKENS, MAX_OBJECTS, NETWORK, Crops(CROP, (24, 48, 64)))
    network, reader = Network(architecture), Reader.of_tokens(TOKENS)
    crops = network.crops
    assert crops is not None

    def perceive() -> float:
        mean, loss = train_crops(crops, seed=plan.seed, pictures=plan.pictures, epochs=plan.crop_epochs)
        network.mean_region.copy_(mean)
        return loss

    determined = (plan.seed, plan.pictures, plan.crop_epochs)
    first = kept_phase(network, ("crops", "mean_region"), perceive, plan=determined, work=work)
    crops.eval().requires_grad_(False)
    seconds, began = {"crops": first.seconds}, time.perf_counter()
    sizes = {"n": plan.scenes, "per_scene": plan.questions_per_scene}
    material = gather(crops, reader, seed=plan.seed, split="lxmert-reasoning", **sizes)
    checked = gather(crops, reader, seed=plan.seed, split="lxmert-check", n=60, per_scene=12)
    seconds["regions"], began = time.perf_counter() - began, time.perf_counter()
    torch.manual_seed(plan.seed + 1)
    train_reasoner(
        network,
        material,
        seed=plan.seed,
        steps=plan.steps,
        rate=plan.rate,
        attention_weight=plan.attention_weight,
        mask=reader.mask,
        check=lambda: float(answers(network, checked)[0].mean()),
    )
    seconds["reasoning"], began = time.perf_counter() - began, time.perf_counter()
    sizes = {"n": plan.held_out_scenes, "per_scene": plan.held_out_questions_per_scene}
    held_out = answers(network, gather(crops, reader, seed=plan.seed, split="lxmert-held-out", **sizes))
    seconds["evaluation"] = time.perf_counter() - began
    return write_checkpoint(
        out,
        network,
        model="lxmert",
        architecture=architecture.as_dict(),
        plan=asdict(plan),
        splits=("lxmert-crops", "lxmert-reasoning", "lxmert-held-out"),
        features=2 * network.lxmert.config.hidden_size,
        losses={"crop_loss": first.loss},
        seconds=seconds,
        packages=("torch", "transformers", "numpy", "pillow"),
        held_out=held_out,
    )


def main() -> None:
    """Command line."""
    command_line.run("lxmert", train, Plan(), description=__doc__, sees="crop CNN", reasons="transformer")


if __name__ == "__main__":
    main()

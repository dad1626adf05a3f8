"""Trains the shipped lxmert checkpoint: `python -m analysis_core.training.lxmert --out FOLDER --seed 0`.

Crop CNN on gold boxes -> frozen, region features cached -> transformers' LXMERT on questions -> held-out accuracy.
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

from analysis_core.datasets.scenes.regions import CROP
from analysis_core.datasets.scenes.vocabulary import ANSWERS, MAX_OBJECTS
from analysis_core.models.base import Checkpoint
from analysis_core.models.lxmert.network import Architecture, Crops, Network
from analysis_core.models.lxmert.words import Reader
from analysis_core.training.cnn_lstm_sa_evaluation import accuracy_table
from analysis_core.training.lxmert_data import MAX_TOKENS, TOKENS, gather
from analysis_core.training.lxmert_perception import train_crops
from analysis_core.training.lxmert_reasoning import answers, train_reasoner


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
    seconds: dict[str, float] = {}
    began = time.perf_counter()
    loss = _perceive(network, plan, work)
    seconds["crops"], began = time.perf_counter() - began, time.perf_counter()
    assert network.crops is not None
    sizes = {"n": plan.scenes, "per_scene": plan.questions_per_scene}
    material = gather(network.crops, reader, seed=plan.seed, split="lxmert-reasoning", **sizes)
    checked = gather(network.crops, reader, seed=plan.seed, split="lxmert-check", n=60, per_scene=12)
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
    right, kinds = answers(network, gather(network.crops, reader, seed=plan.seed, split="lxmert-held-out", **sizes))
    seconds["evaluation"] = time.perf_counter() - began
    record = {
        "plan": asdict(plan),
        "data": "analysis_core.datasets.scenes; splits lxmert-crops, lxmert-reasoning, lxmert-held-out",
        "parameters": sum(p.numel() for p in network.parameters()),
        "features": 2 * network.lxmert.config.hidden_size,
        "crop_loss": round(loss, 4),
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "threads": torch.get_num_threads(),
        "versions": {
            "python": platform.python_version(),
            **{p: version(p) for p in ("torch", "transformers", "numpy", "pillow")},
        },
        "held_out": accuracy_table(right, kinds),
    }
    Checkpoint.write(
        out,
        model="lxmert",
        labels=ANSWERS,
        architecture=architecture.as_dict(),
        state=network.state_dict(),
        record=record,
    )
    return record


def _perceive(network: Network, plan: Plan, work: Path) -> float:
    """Train the crop CNN, or take up the one that an interrupted run with the same plan left."""
    assert network.crops is not None
    wanted = json.dumps([plan.seed, plan.pictures, plan.crop_epochs])
    stored = work / f"crops-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}.safetensors"
    if stored.is_file():
        state = load_file(stored)
        loss = float(state.pop("loss"))
        network.mean_region.copy_(state.pop("mean_region"))
        network.crops.load_state_dict(state)
        network.crops.eval().requires_grad_(False)
        return loss
    mean, loss = train_crops(network.crops, seed=plan.seed, pictures=plan.pictures, epochs=plan.crop_epochs)
    network.mean_region.copy_(mean)
    work.mkdir(parents=True, exist_ok=True)
    partial = stored.with_suffix(".partial")
    state = {name: value.contiguous() for name, value in network.crops.state_dict().items()}
    save_file({**state, "mean_region": mean, "loss": torch.tensor(loss)}, partial)
    partial.replace(stored)
    return loss


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m analysis_core.training.lxmert", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--pictures", type=int, default=Plan.pictures, help="scenes that train the crop CNN")
    parser.add_argument("--scenes", type=int, default=Plan.scenes, help="scenes that train the transformer")
    parser.add_argument("--steps", type=int, default=Plan.steps, help="steps of the transformer")
    parser.add_argument("--work", type=Path, default=Path("var/training/lxmert"), help="kept between runs")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    plan = Plan(seed=given.seed, pictures=given.pictures, scenes=given.scenes, steps=given.steps)
    record = train(plan, given.out, given.work)
    parser.exit(0, json.dumps(record["held_out"]["overall"]) + "\n")


if __name__ == "__main__":
    main()

"""Train nlvr_regions: `python -m analysis_core.training.nlvr_regions --root DATA/nlvr --out FOLDER --seed 0`.

Generated sentences first, then half of them real ones (test+hidden). dev is opened once, after the last step.
"""

from __future__ import annotations

import argparse
import math
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from tqdm import trange

from analysis_core.datasets.nlvr import Nlvr
from analysis_core.models import Checkpoint
from analysis_core.models.nlvr_regions import NlvrRegions
from analysis_core.models.nlvr_regions.regions import PRESENT
from analysis_core.models.nlvr_regions.words import Vocabulary
from analysis_core.training.nlvr_regions_batches import (
    SUPERVISED,
    Batch,
    Real,
    Synthetic,
    build_vocabulary,
    join,
    plain_batch,
    real_batch,
    real_examples,
    tokens_of,
)

NETWORK = {
    "embedding": 48,
    "hidden": 64,
    "slots": 4,
    "object_width": 64,
    "heads": 4,
    "units": 12,
    "features": 64,
}
MAX_WORDS = 40
BATCH = 256
#: Share of words replaced by [MASK], so that an absent word means something to the model: a few in each sentence, and
#: up to half of the words in some sentences, as perturbation methods do.
WORD_DROPOUT = 0.03
MASKED_SENTENCES, MASKED_WORDS = 0.1, 0.5
#: Share of the real sentences held out for choices; dev plays no part in any.
HELD_OUT = 0.12


def main() -> None:
    """Parse the command line, train, write the checkpoint folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder with dev/, test/, hidden/")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint folder to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--synthetic-steps", type=int, default=2600)
    parser.add_argument("--mixed-steps", type=int, default=900)
    args = parser.parse_args()
    train(args.root, args.out, seed=args.seed, steps=(args.synthetic_steps, args.mixed_steps))


def train(root: Path, out: Path, *, seed: int, steps: tuple[int, int]) -> None:
    """Train in two phases and write `out`. steps: optimiser steps of the synthetic and the mixed phase."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    rows = _rows(Nlvr(root, "test+hidden"))
    real = real_examples(rows)
    kept, held = _split_by_sentence(real, rng)
    vocabulary = build_vocabulary(kept)
    model = NlvrRegions(labels=Nlvr.labels, architecture=_architecture(vocabulary))
    present = plain_batch(kept, vocabulary).image.flatten(0, 1)
    model.network.mean_row.copy_(present[present[:, PRESENT] > 0].mean(0))
    source = Synthetic(kept, vocabulary, rng)
    validation = [Synthetic(held, vocabulary, np.random.default_rng(seed + 1)).batch(2000)]
    record: dict[str, Any] = {"seed": seed, "steps": list(steps), "batch": BATCH, "versions": _versions()}
    record["data"] = (
        f"NLVR test+hidden: {len(kept.labels)} examples, {len(held.labels)} held out by sentence; dev unused"
    )
    record["parameters"] = sum(p.numel() for p in model.parameters())
    record["seconds"] = {"synthetic": _phase(model, steps[0], lambda: source.batch(BATCH), 3e-3, "synthetic")}
    record["held_out_after_synthetic"] = _share(_right(model, _chunks(held, vocabulary)))

    def mixed() -> Batch:
        chosen = kept.take(rng.integers(len(kept.labels), size=BATCH // 2))
        return join(source.batch(BATCH // 2), real_batch(chosen, vocabulary, rng))

    record["seconds"]["mixed"] = _phase(model, steps[1], mixed, 1.2e-3, "mixed")
    record["synthetic_validation"] = _share(_right(model, validation))
    record["held_out"] = _share(_right(model, _chunks(held, vocabulary)))
    record |= _dev(root, model, vocabulary, seen=[row["text"] for row in rows])
    Checkpoint.write(
        out,
        model="nlvr_regions",
        labels=Nlvr.labels,
        architecture=_architecture(vocabulary),
        state=model.network.state_dict(),
        record=record,
    )


def _phase(model: NlvrRegions, steps: int, draw: Any, rate: float, name: str) -> float:
    """AdamW with one warm-up and cosine cycle. returns: seconds"""
    started = time.monotonic()
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=max(steps, 2), pct_start=0.06)
    bar = trange(steps, desc=name, mininterval=5)
    for step in bar:
        batch = draw()
        total, accuracy = _loss(model, batch)
        optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 50 == 0:
            bar.set_postfix(loss=f"{total.item():.3f}", accuracy=f"{accuracy:.3f}")
    return round(time.monotonic() - started, 1)


def _loss(model: NlvrRegions, batch: Batch) -> tuple[Tensor, float]:
    """Answer + 2 x gates (which objects a phrase means) + boxes (which satisfy the statement), and the accuracy."""
    found = _run(model, batch, _masked(batch.tokens))
    gates = binary_cross_entropy_with_logits(found["gates"][:, :SUPERVISED], batch.gates, reduction="none")
    weight = batch.gate_known[..., None, None] * batch.image[..., PRESENT].reshape(-1, 1, *batch.gates.shape[2:])
    boxes = binary_cross_entropy_with_logits(found["box"], batch.box, reduction="none").mean(1)
    answer = cross_entropy(found["logits"], batch.label)
    total = answer + 2 * _mean(gates, weight) + _mean(boxes, batch.box_known)
    return total, float((found["logits"].argmax(1) == batch.label).float().mean())


def _masked(tokens: Tensor) -> Tensor:
    """Tokens [B, T] with some of them replaced by [MASK]."""
    heavily = torch.rand(len(tokens), 1) < MASKED_SENTENCES
    share = torch.where(heavily, MASKED_WORDS * torch.rand(len(tokens), 1), WORD_DROPOUT)
    drop = (torch.rand(tokens.shape) < share) & (tokens > 0)
    return tokens.masked_fill(drop, 1)


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp(min=1)


def _run(model: NlvrRegions, batch: Batch, tokens: Tensor) -> dict[str, Tensor]:
    present = batch.image[..., PRESENT] > 0
    return model.network(model.network.embedding(tokens), tokens > 0, batch.image, present)


@torch.no_grad()
def _right(model: NlvrRegions, batches: list[Batch]) -> NDArray[np.bool_]:
    right = [_run(model, b, b.tokens)["logits"].argmax(1) == b.label for b in batches]
    return torch.cat(right).numpy()


def _chunks(real: Real, vocabulary: Vocabulary) -> list[Batch]:
    rows = np.arange(len(real.labels))
    return [plain_batch(real.take(rows[i : i + 500]), vocabulary) for i in range(0, len(rows), 500)]


def _dev(root: Path, model: NlvrRegions, vocabulary: Vocabulary, *, seen: list[str]) -> dict[str, Any]:
    rows = _rows(Nlvr(root, "dev"))
    right = _right(model, _chunks(real_examples(rows), vocabulary))
    same, alike = set(seen), {tokens_of(text) for text in seen}
    new = np.array([row["text"] not in same for row in rows])
    newly_worded = np.array([tokens_of(row["text"]) not in alike for row in rows])
    labels = np.array([row["label"] for row in rows])
    return {
        "dev": _share(right),
        "dev_without_sentences_seen_in_training": _share(right[new]),
        "dev_without_sentences_seen_but_for_spelling": _share(right[newly_worded]),
        "dev_majority_class": round(float(max(labels.mean(), 1 - labels.mean())), 4),
    }


def _share(right: NDArray[np.bool_]) -> dict[str, Any]:
    """Accuracy with its Wilson 95 % interval (over items) and n."""
    n, p, z = len(right), float(right.mean()), 1.959964
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return {"accuracy": round(p, 4), "interval": [round(centre - half, 4), round(centre + half, 4)], "n": n}


def _rows(data: Nlvr) -> list[Any]:
    return [data.row(i) for i in range(len(data))]


def _split_by_sentence(real: Real, rng: np.random.Generator) -> tuple[Real, Real]:
    """Kept and held-out examples; a sentence is in one of the two only."""
    sentences = sorted(set(real.tokens))
    chosen = {sentences[i] for i in rng.permutation(len(sentences))[: round(HELD_OUT * len(sentences))]}
    held = np.array([tokens in chosen for tokens in real.tokens])
    return real.take(np.flatnonzero(~held)), real.take(np.flatnonzero(held))


def _architecture(vocabulary: Vocabulary) -> dict[str, Any]:
    return {"words": list(vocabulary.tokens), "max_words": MAX_WORDS, "network": NETWORK}


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}


if __name__ == "__main__":
    main()

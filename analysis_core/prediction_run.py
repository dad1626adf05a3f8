"""The prediction run: one pass of a model over a split, streamed into a feature store. Killed, it goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.batching import Batches
from analysis_core.datasets.base import Dataset
from analysis_core.errors import BadInput, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.store import FeatureStore
from analysis_core.types import Encoded, Output

#: What is kept of a sample beside the model's prediction; the rest is read again from the dataset when needed.
FACTS = ("id", "label", "answer_type", "question_type")


def run(
    model: MultimodalModel,
    dataset: Dataset,
    folder: str | Path,
    *,
    key: Mapping[str, Any],
    layers: Sequence[str] = (),
    batch: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> FeatureStore:
    """Compute features and logits of every sample, in order, and return the complete store.

    key:      what determines the content (data, split, checkpoint hash, code version); another key is refused
    layers:   named layers stored beside the penultimate features, each flattened to [n, d_l]
    batch:    samples per forward pass and per durable chunk; halved where memory runs out
    progress: called with (done, total) after each chunk, and once at the start
    raises:   BadData (a sample or the store cannot be read), BadFeatures (NaN), BadInput (shapes differ),
              UnknownName (the model has no such layer)
    """
    total = len(dataset)
    with FeatureStore.write(folder, key=key, rows=total, layers=layers) as writer:
        batches = Batches(batch)
        if progress:
            progress(writer.done, total)
        while writer.done < total:
            samples = [dataset[i] for i in range(writer.done, min(writer.done + batch, total))]
            output = predict(model, samples, batches, layers=layers)
            points = [_facts(s, int(k)) for s, k in zip(samples, output.logits.argmax(dim=1), strict=True)]
            more = {name: values.flatten(1).numpy() for name, values in output.layers.items()}
            writer.append(output.features.numpy(), output.logits.numpy(), points, more)
            if progress:
                progress(writer.done, total)
    return FeatureStore.open(folder, key=key)


def predict(
    model: MultimodalModel,
    samples: Sequence[Mapping[str, Any]],
    batches: Batches | None = None,
    *,
    layers: Sequence[str] = (),
) -> Output:
    """Logits [n, K], features [n, d] and named layers [n, ...] of samples on the CPU, without gradients."""
    encoded = [leaves.encode(model, s) for s in samples]

    def compute(start: int, stop: int) -> Output:
        x, aux = collate(encoded[start:stop])
        with torch.no_grad():
            output = model.forward(x, aux)
        if missing := [name for name in layers if name not in output.layers]:
            raise UnknownName("layer", missing[0], output.layers)
        named = {name: output.layers[name].detach().cpu() for name in layers}
        return Output(output.logits.detach().cpu(), output.features.detach().cpu(), named)

    parts = list((batches or Batches(len(samples))).run(len(samples), compute))
    return Output(
        torch.cat([p.logits for p in parts]),
        torch.cat([p.features for p in parts]),
        {name: torch.cat([p.layers[name] for p in parts]) for name in layers},
    )


def collate(encoded: Sequence[Encoded]) -> tuple[dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    """Join samples [1, ...] to a batch. raises: BadInput (encode did not pad to one length)"""
    first = encoded[0]
    x = {m: _join(m, [e.x[m] for e in encoded]) for m in first.x}
    aux = {m: {n: _join(f"{m}/{n}", [e.aux[m][n] for e in encoded]) for n in first.aux[m]} for m in first.aux}
    return x, aux


def _join(name: str, parts: Sequence[Tensor]) -> Tensor:
    if len({p.shape for p in parts}) > 1:
        shapes = sorted({tuple(p.shape) for p in parts})
        raise BadInput(f"{name}: encode() must pad to a fixed length, but samples have shapes {shapes}")
    return torch.cat(list(parts)) if parts[0].dim() else parts[0]


def _facts(sample: Mapping[str, Any], predicted: int) -> dict[str, Any]:
    facts = {k: sample[k] for k in FACTS if sample.get(k) is not None}
    return {**facts, "predicted": predicted}

"""The prediction run: one pass of a model over a split, streamed into a feature store. Killed, it goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis_core import leaves
from analysis_core.arguments import count
from analysis_core.batching import Batches
from analysis_core.datasets.base import Dataset
from analysis_core.errors import BadFeatures, BadInput, UnknownName
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
    layers:   named layers stored beside the penultimate features, each flattened to [n, d_l] and stored as float32
    batch:    samples per forward pass and per durable chunk; halved where memory runs out
    progress: called with (done, total) after each chunk, and once at the start
    raises:   BadData (a sample or the store cannot be read), BadFeatures (NaN), BadInput (batch; shapes differ; the
              model does not return what the protocol says), UnknownName (the model has no such layer)
    """
    total, batch = len(dataset), count("batch", batch)
    with FeatureStore.write(folder, key=key, rows=total, layers=layers) as writer:
        batches = Batches(batch)
        if progress:
            progress(writer.done, total)
        while writer.done < total:
            samples = [dataset[i] for i in range(writer.done, min(writer.done + batch, total))]
            output = predict(model, samples, batches, layers=layers)
            points = [_facts(s, int(k)) for s, k in zip(samples, output.logits.argmax(dim=1), strict=True)]
            more = {name: _stored(values) for name, values in output.layers.items()}
            writer.append(_stored(output.features), _stored(output.logits), points, more)
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
    """Logits [n, K], features [n, d] and named layers [n, ...] of samples on the CPU, without gradients.

    batches: how many samples go through the model at once; None = all
    raises:  BadInput (no samples; samples of different shapes; the model does not return what the protocol says, or
             other numbers of rows than it was given), BadFeatures (NaN or infinite; names the sample),
             UnknownName (the model has no such layer)
    """
    if not len(samples):
        raise BadInput("there are no samples to predict: give at least one")
    if isinstance(layers, str):
        raise BadInput(f"layers must be a list of names, such as [{layers!r}], not a text")
    encoded = [leaves.encode(model, s) for s in samples]

    def compute(start: int, stop: int) -> Output:
        x, aux = collate(encoded[start:stop])
        with torch.no_grad():
            output = leaves.forward(model, x, aux)
        if missing := [name for name in layers if name not in output.layers]:
            raise UnknownName("layer", missing[0], output.layers)
        named = {name: output.layers[name] for name in layers}
        _require_finite(samples[start:stop], {"logits": output.logits, "features": output.features, **named})
        named = {name: values.detach().cpu() for name, values in named.items()}
        return Output(output.logits.detach().cpu(), output.features.detach().cpu(), named)

    parts = list((batches or Batches(len(samples))).run(len(samples), compute))
    return Output(
        torch.cat([p.logits for p in parts]),
        torch.cat([p.features for p in parts]),
        {name: torch.cat([p.layers[name] for p in parts]) for name in layers},
    )


def collate(encoded: Sequence[Encoded]) -> tuple[dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    """Join samples [1, ...] to a batch.

    raises: BadInput (no samples; encode() did not pad to one length, or gives other tensors for some)
    """
    if not encoded:
        raise BadInput("there are no samples to join: give at least one")
    first = encoded[0]
    for name in ("x", "aux"):
        if len(kinds := {_fields(getattr(e, name)) for e in encoded}) > 1:
            raise BadInput(f"encode() must return the same {name} for every sample, but returns {sorted(kinds)}")
    x = {m: _join(m, [e.x[m] for e in encoded]) for m in first.x}
    aux = {m: {n: _join(f"{m}/{n}", [e.aux[m][n] for e in encoded]) for n in first.aux[m]} for m in first.aux}
    return x, aux


def _join(name: str, parts: Sequence[Tensor]) -> Tensor:
    if len({p.shape for p in parts}) > 1:
        shapes = sorted({tuple(p.shape) for p in parts})
        raise BadInput(f"{name}: encode() must pad to a fixed length, but samples have shapes {shapes}")
    return torch.cat(list(parts)) if parts[0].dim() else parts[0]


def _fields(named: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of what travels with a sample: modalities, and those of their further tensors."""
    inner = [f"{m}/{n}" for m, values in named.items() if isinstance(values, Mapping) for n in values]
    return (*sorted(named), *sorted(inner))


def _require_finite(samples: Sequence[Mapping[str, Any]], returned: Mapping[str, Tensor]) -> None:
    for name, values in returned.items():
        bad = ~values.isfinite().reshape(len(values), -1).all(dim=1)
        if bad.any():
            i = int(bad.nonzero()[0])
            known = samples[i].get("id", i) if isinstance(samples[i], Mapping) else i
            raise BadFeatures(f"{name} of sample {known!r} are NaN or infinite: look at that sample and at the weights")


def _stored(values: Tensor) -> NDArray[np.float32]:
    """[n, ...] as float32 [n, m]: numpy has no bfloat16, in which a model on an accelerator may answer."""
    array: NDArray[np.float32] = values.float().reshape(len(values), -1).numpy()
    return array


def _facts(sample: Mapping[str, Any], predicted: int) -> dict[str, Any]:
    if not isinstance(sample, Mapping):
        raise BadInput(f"a dataset's samples must be mappings, such as dicts with an id, not {type(sample).__name__}")
    facts = {k: sample[k] for k in FACTS if sample.get(k) is not None}
    return {**facts, "predicted": predicted}

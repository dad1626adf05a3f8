"""Claim: perturbed rows need no forward pass each: they are batched, and what they leave untouched is encoded once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.masking import Masking
from benchmarks import dual_encoder, shipped
from benchmarks.claims import Row, Scale
from benchmarks.measure import alone, interleaved
from benchmarks.second_order import longest

ROWS = {"small": 8, "paper": 200}
#: Ours is run on these parts of the rows, too.
PARTS = (4, 16)


def rows(scale: Scale) -> Iterator[Row]:
    """Milliseconds of LIME's rows for one sample: words only, picture only, both; no surrogate is fitted."""
    yield from _of("dual encoder", dual_encoder.DualEncoder(), dual_encoder.inputs(1)[0], scale)
    yield from _of("cnn_lstm_sa", shipped.scenes_model(), longest(shipped.scenes(40)), scale)
    if not shipped.NLVR.is_dir():
        yield Row("nlvr_regions", "ms", None, None, "left out: ../shared/data/nlvr is not there")
        return
    yield from _of("nlvr_regions", shipped.sentences_model(), longest(shipped.sentences(40)), scale)


def one_forward_per_row(model: MultimodalModel, sample: Mapping[str, Any], Z: Tensor, modalities: list[str]) -> Tensor:
    """Logits [S, K] of Z's rows over the atoms of some modalities, one forward pass each."""
    encoded = leaves.encode(model, sample)
    absent, found = leaves.encode_baseline(model, encoded), []
    for z in Z:
        x, start = dict(encoded.x), 0
        for m in modalities:
            atoms, stop = encoded.atoms[m], start + len(encoded.atoms[m])
            # Leaves of no atom (CLS, PAD) index the extra entry, which always keeps.
            keep = torch.cat([z[start:stop], torch.ones(1, dtype=torch.bool)]).to(x[m].device)
            per_leaf = keep[leaves.leaf_groups(atoms, x[m])][None]
            x[m] = torch.where(leaves.over_input(atoms.kind, per_leaf, x[m]), x[m], absent[m])
            start = stop
        with torch.no_grad():
            found.append(leaves.forward(model, x, encoded.aux).logits.to("cpu", torch.float64))
    return torch.cat(found)


def _of(name: str, model: MultimodalModel, sample: Mapping[str, Any], scale: Scale) -> Iterator[Row]:
    repeats = {"small": 1, "paper": 7}[scale]
    for modalities in (["text"], ["image"], ["image", "text"]):
        game = Masking(model, sample, modalities=modalities)
        Z = torch.rand(ROWS[scale], game.n_atoms, generator=torch.Generator().manual_seed(0)) < 0.5
        different = len(torch.unique(Z, dim=0))

        def ours(modalities: list[str] = modalities, Z: Tensor = Z) -> Masking:
            game = Masking(model, sample, modalities=modalities)
            game.predict_masks(Z)
            return game

        def usual(modalities: list[str] = modalities, Z: Tensor = Z) -> Tensor:
            return one_forward_per_row(model, sample, Z, modalities)

        encodings = ", ".join(f"{m} {n}" for m, n in ours().encodings.items())
        slow, fast = interleaved(usual, ours, repeats=repeats, name=name)
        note = f"{len(Z)} rows, {different} different; encodings: {encodings}"
        yield Row(f"{name}, {' and '.join(modalities)}", "ms", 1e3 * slow, 1e3 * fast, note)
    for part in (len(Z) // p for p in PARTS if len(Z) >= 2 * p):
        taken = alone(partial(ours, modalities, Z[:part]), repeats=repeats, name=name)
        what = f"{name}, {' and '.join(modalities)}, {part} rows"
        yield Row(what, "ms", None, 1e3 * taken, "of the rows above; what every call does once is in all of them")

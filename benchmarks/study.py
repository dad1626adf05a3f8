"""Claim: what one item of the demo study costs, stage by stage, beside the same work the usual way.

The usual way's forwards are counted (benchmarks/usual.py); its seconds are measured on a few items. Studies here do not
show DIME, the paper's do: it is measured on those items with a background of 100 datapoints, and the whole is told with
it and without.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from torch import Tensor
from tqdm import tqdm

from analysis_core import datasets, models, prediction_run
from analysis_core.models import superpixels
from analysis_core.models.base import MultimodalModel
from analysis_core.stages import crossmodal, unimodal
from analysis_core.targets import Feature, Logit, Target
from benchmarks import usual
from benchmarks.claims import Row, Scale
from benchmarks.measure import interleaved
from benchmarks.shipped import ROOT, device
from benchmarks.whole_study import Done, precompute, read_study, with_fewer_items
from studies.engine.perturbed import DESIGN

#: Stage -> the stages whose rows share its forward passes.
TOGETHER = {"U and Rl": ("U", "Rl"), "C": ("C",), "Rg": ("Rg",), "input and P graph": ("input", "P")}

EXPLAINING = tuple(stage for stages in TOGETHER.values() for stage in stages)

#: Items on which both ways are measured, and repeats.
SAMPLED = {"small": (1, 2), "paper": (3, 5)}
#: The study is run with these parts of its items, too.
PARTS = {"small": (2,), "paper": (4, 16)}


def rows(scale: Scale) -> Iterator[Row]:
    """Forwards and seconds per item and stage of the whole study, then both ways side by side on a sample of it."""
    config = read_study(scale, settings.STATE_DIR / "scenes")
    model = models.load(config.model.name, checkpoint=ROOT / config.model.checkpoint, device=device())
    # Scenes are generated when they are first asked for: that is no part of what is measured.
    splits = {name: datasets.load("clevr", root=ROOT / config.dataset.root, split=name) for name in ("train", "val")}
    done = precompute(config, type(model))
    counted = usual.forwards(modalities=len(model.modalities), labels=len(done.items[0].explained))
    yield from _forwards(done, counted)
    yield from _seconds(done)
    clock = _Clock()
    yield from _measured(scale, config, model, splits, done, clock)
    per_forward = clock.spent / clock.forwards
    n, own = len(done.items), done.cpu / len(done.items)
    yield Row(
        "all explanations, per item, CPU",
        "s",
        per_forward * counted.total,
        own,
        f"usual: counted x {1e3 * per_forward:.2f} ms of CPU; ours: pictures, files and database included",
    )
    dime = _dime(scale, config, model, splits, done)
    yield Row("DIME, per item, CPU", "s", per_forward * counted.DIME, dime.seconds, f"ours: {dime.note}")
    rows = sum(row.forwards for row in done.of(*EXPLAINING)) / n
    pictures = _pictures(done)
    name, whole = "all explanations and DIME, per item", counted.total_with_dime
    yield Row(
        name, "forwards", whole, rows + dime.encodings, "ours: rows of any kind; of DIME, rows with a new picture"
    )
    name += ", pictures"
    yield Row(name, "forwards", whole, pictures + dime.encodings, "ours: rows through the picture's tower alone")
    name = "all explanations and DIME, per item, CPU"
    yield Row(
        name, "s", per_forward * whole, own + dime.seconds, "as above, with DIME on top: it shares no row of U and Rl"
    )
    yield from _growing(scale, config, type(model), n)


def _growing(scale: Scale, config: Any, kind: type, items: int) -> Iterator[Row]:
    """CPU seconds per item of studies with fewer items: what the items share, Rg's features, is shared by fewer."""
    for part in (items // p for p in PARTS[scale]):
        # Pictures of the runs before would be known for nothing.
        superpixels._cut.cache_clear()
        done = precompute(with_fewer_items(config, part), kind)
        features = len({row.subject for row in done.of("Rg")})
        note = f"beside {items} items above; {features} features of Rg, {done.forwards / part:,.0f} forwards per item"
        yield Row(f"all explanations, per item, {part} item{'s' * (part > 1)}, CPU", "s", None, done.cpu / part, note)


@dataclass
class _Clock:
    """CPU seconds of the usual way's forward passes, and how many they were."""

    spent: float = 0.0
    forwards: int = 0

    def one_by_one(self, model: MultimodalModel, sample: Mapping[str, Any], targets: Sequence[Target]) -> list[Tensor]:
        """The usual way's surrogates: a set of rows per modality and target, a forward pass per row."""
        begun = time.process_time()
        found = [usual.lime(model, sample, target, modality) for target in targets for modality in model.modalities]
        self.spent += time.process_time() - begun
        self.forwards += len(found) * usual.ROWS
        return found


def _pictures(done: Done) -> float:
    """Rows per item that went through the picture's tower, in a tower call or in a whole forward pass (C)."""
    whole = sum(int(row.forwards) for row in done.of("C"))
    return (done.encodings["image"] + whole) / len(done.items)


def _forwards(done: Done, counted: usual.Forwards) -> Iterator[Row]:
    n, shown = len(done.items), done.of("Rg")
    ours = {name: sum(row.forwards for row in done.of(*stages)) / n for name, stages in TOGETHER.items()}
    predictions = sum(row.forwards for row in done.of("predictions"))
    yield Row("predictions, both splits", "forwards", predictions, predictions, "once per study, not per item")
    yield Row("U and Rl, per item", "forwards", counted.U + counted.Rl, ours["U and Rl"], "usual: Rl once per label")
    larger = counted.U + counted.Rl_per_feature
    name = "U and Rl, per item, Rl per feature"
    yield Row(name, "forwards", larger, ours["U and Rl"], "usual: Rl once per feature; not in the sum")
    yield Row("C, per item", "forwards", counted.C, ours["C"], "the gain is in the backward pass: second-order")
    features = len({row.subject for row in shown})
    yield Row("Rg, per item", "forwards", counted.Rg, ours["Rg"], f"ours: {features} features for {n} items")
    total, pictures = (done.forwards - predictions) / n, _pictures(done)
    note = "ours: counted at the model, rows of any kind; no DIME"
    yield Row("all explanations, per item", "forwards", counted.total, total, note)
    note = "ours: rows through the picture's tower; the others pass the words' tower and the fusion"
    yield Row("all explanations, per item, pictures", "forwards", counted.total, pictures, note)


def _seconds(done: Done) -> Iterator[Row]:
    n = len(done.items)
    for name, stages in {"predictions, both splits": ("predictions",), "P path": ("path",)}.items():
        yield Row(name, "s", None, sum(row.seconds for row in done.of(*stages)), "once per study")
    for name, several in TOGETHER.items():
        yield Row(f"{name}, per item", "s", None, sum(row.seconds for row in done.of(*several)) / n)


def _measured(
    scale: Scale, config: Any, model: MultimodalModel, splits: Mapping[str, Any], done: Done, clock: _Clock
) -> Iterator[Row]:
    """Both ways in turn: predictions of some datapoints, U and Rl of some items, Rg of one example."""
    count, repeats = SAMPLED[scale]
    rows_of_lime, batch = config.stages.U.samples, {"small": 16, "paper": 64}[scale]
    samples = [splits["val"][i] for i in range(batch)]
    slow, fast = interleaved(
        lambda: [prediction_run.predict(model, [sample]) for sample in samples],
        lambda: prediction_run.predict(model, samples),
        repeats=repeats,
        name="predictions",
    )
    yield Row(f"predictions, {batch} datapoints", "s", slow, fast, "measured; superpixels known on both sides")
    items = [(splits[item.split][item.index], _targets(item)) for item in done.items[:count]]

    def ours(sample: Mapping[str, Any], targets: Sequence[Target]) -> object:
        return unimodal.lime(model, sample, targets, samples=rows_of_lime, design=DESIGN)

    slow, fast = interleaved(
        lambda: [clock.one_by_one(model, sample, targets) for sample, targets in items],
        lambda: [ours(sample, targets) for sample, targets in items],
        repeats=repeats,
        name="U and Rl",
    )
    sets = len(model.modalities) * sum(len(targets) for _, targets in items) / len(items)
    note = f"measured, items: {count}; usual: {sets:g} sets of {usual.ROWS} rows, one forward each"
    yield Row("U and Rl, one item, Rl per feature", "s", slow / count, fast / count, note)
    sample, feature = splits["train"][0], items[0][1][-1:]
    slow, fast = interleaved(
        lambda: clock.one_by_one(model, sample, feature), lambda: ours(sample, feature), repeats=repeats, name="Rg"
    )
    yield Row("Rg, one example of one feature", "s", slow, fast, "measured; as many rows on both sides")


@dataclass(frozen=True)
class _Dime:
    """CPU seconds and rows through the picture's tower, per item, the background's share included."""

    seconds: float
    encodings: float
    note: str


def _dime(scale: Scale, config: Any, model: MultimodalModel, splits: Mapping[str, Any], done: Done) -> _Dime:
    partners = {"small": 5, "paper": usual.PARTNERS}[scale]
    items, rows = done.items[: SAMPLED[scale][0]], config.stages.U.samples
    begun = time.process_time()
    background = crossmodal.Background(model, [splits["train"][i] for i in range(partners)])
    once = time.process_time() - begun
    begun, encodings, fusions = time.process_time(), 0, 0
    for item in tqdm(items, desc="DIME"):
        sample, targets = splits[item.split][item.index], _targets(item)[:1]
        (found,) = crossmodal.dime(model, sample, background, targets, samples=rows, design=DESIGN)
        encodings += found.full.quality["encodings"]["image"]
        fusions += found.full.quality["forwards"]
    each = (time.process_time() - begun) / len(items)
    note = f"{rows} rows, {partners} partners, {fusions // len(items):,} fusions of encodings; {len(items)} items"
    return _Dime(each + once / len(done.items), encodings / len(items) + partners / len(done.items), note)


def _targets(item: Any) -> list[Target]:
    (entry,) = item.explained
    return [Logit(entry["class"]), *(Feature(j) for j in entry["features"])]

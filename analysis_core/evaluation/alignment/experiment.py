"""Alignment on pairs drawn from a dataset: the pairs are kept, and what the controls say of each readout is told.

clevr_experiment.py and flickr30k_experiment.py draw the pairs and call `run`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from analysis_core.datasets import Dataset
from analysis_core.errors import BadInput, UnknownName
from analysis_core.evaluation.alignment.clustered import chance, clustered_interval
from analysis_core.evaluation.alignment.evaluate import evaluate
from analysis_core.evaluation.alignment.report import AlignmentReport, Rate, hits_of
from analysis_core.models.base import MultimodalModel
from analysis_core.targets import Target

#: Readouts that claim to show an interaction, and those that cannot.
INTERACTIONS = ("second_order_norm", "hutchinson", "removal", "attention")
CONTROLS = ("first_order", "function_words", "swapped_phrase", "box_area", "random")

Box = tuple[float, ...]
Prepare = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Pair:
    """A phrase and the object that it names, so that anyone can find both again.

    row: index in the dataset; question: that sample's id; span: characters of the text; boxes: the object's, in pixels
    of the picture; candidates: how many objects were ranked
    """

    group: str
    row: int
    question: str
    picture: str
    text: str
    phrase: str
    span: tuple[int, int]
    boxes: tuple[Box, ...]
    candidates: int


@dataclass(frozen=True)
class AlignmentExperiment:
    """groups: name -> report; pairs: all of them, in the order of the reports; notes: what was left out, and why."""

    name: str
    groups: Mapping[str, AlignmentReport]
    pairs: tuple[Pair, ...]
    config: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def rate(self, group: str, readout: str, *, top: int = 1, joint: bool = False) -> Rate | None:
        """`AlignmentReport.rate` of one group, whose interval is binomial. raises: UnknownName"""
        return self._report(group).rate(readout, top=top, joint=joint)

    def over_pictures(self, group: str, readout: str, *, top: int = 1, joint: bool = False) -> Rate | None:
        """The same share, with an interval for new pictures: phrases of one picture count as a cluster."""
        if self.rate(group, readout, top=top, joint=joint) is None:
            return None
        report = self._report(group)
        pictures = {pair.question: pair.picture for pair in self.pairs if pair.group == group}
        clusters: dict[str, list[bool]] = {}
        for question in report.questions:
            clusters.setdefault(pictures[question.id], []).extend(hits_of(question, readout, top, joint))
        found = [hits for hits in clusters.values() if hits]
        return Rate(sum(map(sum, found)), sum(map(len, found)), *clustered_interval(found))

    def chance(self, group: str, *, top: int = 1) -> float:
        """Mean over the pairs of how often drawing candidates at random would find the named one."""
        self._report(group)
        shares = [chance(1, pair.candidates, top) for pair in self.pairs if pair.group == group]
        return sum(shares) / len(shares)

    def findings(self, group: str) -> tuple[str, ...]:
        """One sentence per readout of interactions: from which controls its top-1 cannot be told, or is below."""
        said = []
        rates = {name: self.over_pictures(group, name) for name in self._report(group).readouts}
        controls = {name: rate for name in CONTROLS if (rate := rates.get(name)) is not None}
        for name in INTERACTIONS:
            rate = rates.get(name)
            if rate is not None and controls:
                said.append(_compared(name, rate, controls))
        for name in CONTROLS:
            if name in rates and rates[name] is None:
                said.append(f"{name} could not be had: {_ABSENT.get(name, 'the model does not offer it')}.")
        return tuple(said)

    def table(self, group: str) -> str:
        """A Markdown table: per readout top-1 and top-2, each with both intervals, and joint assignment."""
        head = ("readout", "top-1 (binomial)", "over pictures", "top-2 (binomial)", "over pictures", "joint", "phrases")
        lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        for name in self._report(group).readouts:
            cells, n = [], 0
            for top in (1, 2):
                rate, wide = self.rate(group, name, top=top), self.over_pictures(group, name, top=top)
                cells += [str(rate), f"[{wide.low:.3f}, {wide.high:.3f}]"] if rate and wide else ["-", "-"]
                n = rate.n if rate else n
            cells.append(str(self.rate(group, name, joint=True) or "-"))
            lines.append(f"| {name} | {' | '.join(cells)} | {n} |")
        one, two = (f"{self.chance(group, top=top):.3f}" for top in (1, 2))
        lines.append(f"| chance | {one} | | {two} | | | |")
        return "\n".join(lines)

    def __str__(self) -> str:
        parts = [f"{self.name}: {len(self.pairs)} pairs"]
        for group in self.groups:
            pairs = [pair for pair in self.pairs if pair.group == group]
            pictures = len({pair.picture for pair in pairs})
            parts.append(f"{group}: {len(pairs)} pairs on {pictures} pictures\n\n{self.table(group)}")
            parts.append("\n".join(self.findings(group)))
        return "\n\n".join([*parts, *self.notes])

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, without loss."""
        return {
            "name": self.name,
            "groups": {name: report.as_dict() for name, report in self.groups.items()},
            "pairs": [asdict(pair) for pair in self.pairs],
            "config": dict(self.config),
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AlignmentExperiment:
        """The experiment of which `as_dict` made `values`, also after a way through JSON."""
        pairs = [
            Pair(**{**p, "span": tuple(p["span"]), "boxes": tuple(tuple(box) for box in p["boxes"])})
            for p in values["pairs"]
        ]
        groups = {name: AlignmentReport.from_dict(report) for name, report in values["groups"].items()}
        return cls(values["name"], groups, tuple(pairs), dict(values["config"]), tuple(values["notes"]))

    def _report(self, group: str) -> AlignmentReport:
        if group not in self.groups:
            raise UnknownName("group", group, self.groups)
        return self.groups[group]


#: group -> (row of the dataset, spans of the phrases that count)
Drawn = Mapping[str, Sequence[tuple[int, Sequence[tuple[int, int]]]]]


def run(
    name: str,
    model: MultimodalModel,
    dataset: Dataset,
    drawn: Drawn,
    prepare: Prepare,
    *,
    readouts: Sequence[str],
    target: Target,
    source: str,
    to: str,
    projections: int,
    seed: int,
    config: Mapping[str, Any],
    notes: Sequence[str] = (),
) -> AlignmentExperiment:
    """Evaluate the drawn pairs, one sample in memory at a time.

    prepare: a sample of the dataset -> the same with phrases and candidates
    raises:  BadInput (nothing was drawn), and what `evaluate` raises
    """
    groups: dict[str, AlignmentReport] = {}
    pairs: list[Pair] = []
    for group, rows in drawn.items():
        if rows:
            samples = _samples(dataset, rows, prepare, group, pairs)
            groups[group] = evaluate(
                model,
                samples,
                readouts=readouts,
                target=target,
                source=source,
                to=to,
                projections=projections,
                seed=seed,
            )
    if not groups:
        raise BadInput(f"{name}: no question of this dataset fits the experiment; {' '.join(notes)}")
    shared = {key: value for report in groups.values() for key, value in report.config.items()}
    return AlignmentExperiment(name, groups, tuple(pairs), {**shared, **config}, tuple(notes))


def drawn_again(dataset: Dataset, earlier: AlignmentExperiment) -> Drawn:
    """The pairs of an earlier experiment, to be read by another model. raises: BadInput (another dataset)"""
    found: dict[str, dict[int, list[tuple[int, int]]]] = {}
    for pair in earlier.pairs:
        if pair.row >= len(dataset) or str(dataset[pair.row]["id"]) != pair.question:
            raise BadInput(f"sample {pair.row} is not {pair.question!r}: the pairs were drawn from another dataset")
        found.setdefault(pair.group, {}).setdefault(pair.row, []).append(pair.span)
    return {group: list(rows.items()) for group, rows in found.items()}


def _samples(
    dataset: Dataset,
    rows: Sequence[tuple[int, Sequence[tuple[int, int]]]],
    prepare: Prepare,
    group: str,
    pairs: list[Pair],
) -> Iterator[Mapping[str, Any]]:
    """The drawn samples with the phrases that count; adds the pairs to `pairs`."""
    for row, spans in rows:
        given = dataset[row]
        # None where a model that crops sees too little of this picture: `evaluate` counts it as skipped.
        sample = prepare(given) or {**given, "phrases": ()}
        phrases = [p for p in sample["phrases"] if tuple(p["span"]) in spans]
        pairs += [_pair(group, row, sample, phrase) for phrase in phrases]
        yield {**sample, "phrases": phrases}


def _pair(group: str, row: int, sample: Mapping[str, Any], phrase: Mapping[str, Any]) -> Pair:
    candidates = sample["candidates"]
    (named,) = phrase["boxes"]
    return Pair(
        group=group,
        row=row,
        question=str(sample["id"]),
        picture=str(sample["picture"]),
        text=sample["text"],
        phrase=sample["text"][slice(*phrase["span"])],
        span=tuple(phrase["span"]),
        boxes=tuple(tuple(float(v) for v in sample["boxes"][i]) for i in candidates[named]),
        candidates=len(candidates),
    )


_ABSENT = {
    "swapped_phrase": "no question has two phrases that name different objects",
    "function_words": "no question has function words outside its phrases",
}


def _compared(name: str, rate: Rate, controls: Mapping[str, Rate]) -> str:
    alike = [f"{c} ({r.value:.3f})" for c, r in controls.items() if r.low <= rate.high and rate.low <= r.high]
    above = [f"{c} ({r.value:.3f})" for c, r in controls.items() if r.low > rate.high]
    parts = []
    if alike:
        parts.append(f"is not distinguishable from {', '.join(alike)}: their intervals over pictures overlap")
    if above:
        parts.append(f"lies below {', '.join(above)}")
    if not parts:
        parts.append("lies above every control")
    return f"{name} ({rate.value:.3f}) {'; it '.join(parts)}."

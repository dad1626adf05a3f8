"""AlignmentReport: scores per question kept, rates with their intervals, the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from analysis_core.errors import BadInput, UnknownName

Scores = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Ranked:
    """One question: per readout the scores [n_phrases][n_boxes], or None where it could not be had.

    phrases: their wording; gold: per phrase the indices of the boxes that it names
    """

    id: str
    text: str
    kind: str
    phrases: tuple[str, ...]
    gold: tuple[tuple[int, ...], ...]
    scores: Mapping[str, Scores | None]


@dataclass(frozen=True)
class Rate:
    """hits of n phrases, and Wilson's 95 % interval (Wilson 1927) that takes phrases as independent."""

    hits: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.hits / self.n

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class AlignmentReport:
    """What `evaluate` found. config: everything that determines the numbers; skipped: questions without phrases."""

    questions: tuple[Ranked, ...]
    config: Mapping[str, Any]
    skipped: int = 0

    @property
    def readouts(self) -> tuple[str, ...]:
        return tuple(self.config["readouts"])

    def rate(self, readout: str, *, top: int = 1, joint: bool = False, kind: str | None = None) -> Rate | None:
        """How often the named box is among the `top` boxes with the highest scores; ties count against the readout.

        joint:   instead, every phrase of a question gets a box of its own, so that the sum of the scores (each
                 phrase's divided by their sum) is largest: an extension, which assumes that phrases name different
                 objects. top is then 1
        kind:    question type; None = all
        returns: None where no question has this readout, or where joint and it scores all phrases the same
        raises:  UnknownName, BadInput
        """
        if readout not in self.readouts:
            raise UnknownName("readout", readout, self.readouts)
        if joint and top != 1:
            raise BadInput("joint assignment gives each phrase one box: top must be 1")
        chosen = (q for q in self.questions if kind in (None, q.kind))
        hits = [hit for q in chosen for hit in hits_of(q, readout, top, joint)]
        if not hits:
            return None
        # Here and not above: loading a stored result should not take the half second that scipy.stats takes.
        from scipy.stats import binomtest

        interval = binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
        return Rate(sum(hits), len(hits), float(interval.low), float(interval.high))

    def table(self, *, kind: str | None = None) -> str:
        """A Markdown table: per readout top-1, top-2 and joint assignment with their intervals."""
        lines = ["| readout | top-1 | top-2 | joint | phrases |", "|---|---|---|---|---|"]
        for name in self.readouts:
            rates = [self.rate(name, kind=kind, **how) for how in ({"top": 1}, {"top": 2}, {"joint": True})]
            cells = " | ".join("-" if rate is None else str(rate) for rate in rates)
            lines.append(f"| {name} | {cells} | {rates[0].n if rates[0] else 0} |")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.table()

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, without loss."""
        return {"config": dict(self.config), "skipped": self.skipped, "questions": [asdict(q) for q in self.questions]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AlignmentReport:
        """The report of which `as_dict` made `values`, also after a way through JSON."""
        questions = tuple(
            Ranked(
                **{
                    **q,
                    "phrases": tuple(q["phrases"]),
                    "gold": tuple(tuple(boxes) for boxes in q["gold"]),
                    "scores": {k: None if v is None else as_scores(v) for k, v in q["scores"].items()},
                }
            )
            for q in values["questions"]
        )
        return cls(questions, dict(values["config"]), values["skipped"])


def as_scores(rows: Iterable[Iterable[float]]) -> Scores:
    """Nested sequences as tuples of floats."""
    return tuple(tuple(float(v) for v in row) for row in rows)


def hits_of(question: Ranked, readout: str, top: int, joint: bool) -> list[bool]:
    """Per phrase whether the named box is found; empty where the question has no such readout. See `rate`."""
    scores = question.scores[readout]
    if scores is None:
        return []
    rows = np.array(scores)
    if joint and bool((rows == rows[0]).all()):
        # First order and controls: nothing says which phrase gets which box.
        return []
    if joint:
        return [box in gold for box, gold in zip(_assigned(rows), question.gold, strict=True)]
    return [_among(row, gold, top) for row, gold in zip(rows, question.gold, strict=True)]


def _among(row: Any, gold: tuple[int, ...], top: int) -> bool:
    others = np.delete(row, list(gold))
    return int((others >= row[list(gold)].max()).sum()) < top


def _assigned(rows: Any) -> list[int]:
    """Per phrase its box; -1 where there are more phrases than boxes."""
    from scipy.optimize import linear_sum_assignment

    totals = rows.sum(1, keepdims=True)
    shares = np.divide(rows, totals, out=np.zeros_like(rows), where=totals > 0)
    boxes = np.full(len(rows), -1)
    phrases, chosen = linear_sum_assignment(shares, maximize=True)
    boxes[phrases] = chosen
    return boxes.tolist()

"""A report object of any size, made without a database: every figure is plain, none is computed from answers."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from studies.reports.shape import Report

FIVE = ("U", "U+C", "U+C+Rl", "U+C+Rl+Rg", "U+C+Rl+Rg+P")
HOSTILE = (
    "<script>alert(1)</script>",
    "quotes ' \" & <b>bold</b>",
    "an arm with a name that goes on and on and is longer than any line that a drawing could give it",
    "日本語の条件",
    "currentColor",
    "bell \x07 and\nline",
    *(f"arm {number}" for number in range(6)),
)


def a_report(names: Sequence[str] = FIVE, annotators: int = 20, seed: int = 0, **changes: Any) -> Report:
    """A simulation study's report in which everything was asked for."""
    rng = Random(seed)
    conditions = [a_condition(name, [rng.randint(6, 18) / 20 for _ in range(annotators)]) for name in names]
    body = {
        "study": "shapes",
        "title": "Can people predict the model?",
        "version": "a" * 64,
        "software": "1.0",
        "seed": 7,
        "matches_plan": True,
        "simulated": True,
        "sheets": "simulated",
        "kind": "simulation",
        "state": "closed",
        "plan": {"sha256": "b" * 64, "primary": "trend", "alpha": 0.05, "exclude": []},
        "chance": 0.25,
        "primary": {"comparison": "trend", "statistic": "accuracy", "p": 0.01, "level": 0.05, "sentence": "It rises."},
        "conditions": conditions,
        "comparisons": [],
        "trend": None,
        "trends": [],
        "exclusions": None,
        "drop_off": {"started": 60, "unassigned": 2, "screened_out": 3, "no_place": 0, "left": 1, "assigned": 54},
        "warnings": ["With so few annotators nothing is certain."],
        "methods": "We asked people.",
    }
    return Report.model_validate({**body, **changes})


def a_condition(name: str, scores: Sequence[float], **changes: Any) -> dict[str, Any]:
    """One arm with these accuracies per annotator."""
    mean = sum(scores) / len(scores)
    confidences = [round(2 + 2 * score, 2) for score in scores]
    undefined = {"value": None, "undefined": "no_variation"}
    body = {
        "name": name,
        "stages": ["U"],
        "annotators": len(scores),
        "excluded": 1,
        "items": 20,
        "accuracy": an_accuracy(mean, scores),
        "alpha": an_alpha(mean - 0.2),
        "alpha_identity": an_alpha(mean - 0.1),
        "agreement": {"fleiss": {"value": 0.4, "undefined": None}, "percent": {"value": 0.6, "undefined": None}}
        | {"ac1": undefined},
        "confidence": {"mean": 3.1, "std": 0.9, "per_annotator": confidences},
        "calibration": {"levels": [a_level(level) for level in range(1, 6)], "separation": 0.7, "undefined": None}
        | {"sentence": "Sure people are right."},
        "helpful": {"overview": 12, "features": 48},
        "categories": None,
        "split": {"model_right": a_part(mean, scores), "model_wrong": a_part(mean - 0.2, scores)},
        "drop_off": {"assigned": 24, "finished": 21, "unfinished": 2, "withdrawn": 1, "late": 0, "reached": [24, 21]},
    }
    return {**body, **changes}


def an_accuracy(mean: float, scores: Sequence[float]) -> dict[str, Any]:
    """Accuracy with an interval of ±0.1."""
    low, high = max(0.0, mean - 0.1), min(1.0, mean + 0.1)
    return {"mean": mean, "std": 0.1, "interval": [low, high], "over": "both", "per_annotator": list(scores)}


def an_alpha(value: float | None, undefined: str | None = None) -> dict[str, Any]:
    """Alpha with an interval of ±0.15, or none and the reason."""
    bounds = None if value is None else [value - 0.15, value + 0.15]
    return {"value": value, "interval": bounds, "over": "both", "level": "nominal", "undefined": undefined}


def a_part(mean: float, scores: Sequence[float]) -> dict[str, Any]:
    """Half of the items."""
    return {"items": 10, "accuracy": an_accuracy(mean, scores), "alpha": an_alpha(0.4)}


def a_level(level: int) -> dict[str, Any]:
    """More confidence, more right answers."""
    accuracy = 0.3 + 0.1 * level
    bounds = [accuracy - 0.1, accuracy + 0.1]
    return {"level": level, "answers": 20 * level, "annotators": 20, "accuracy": accuracy, "interval": bounds}

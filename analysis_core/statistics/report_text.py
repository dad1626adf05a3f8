"""Described groups as a table for people: what `python -m analysis_core.statistics` prints without --json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

HEADER = ("group", "raters", "units", "alpha ({level})", "95 % interval", "percent", "Fleiss", "AC1")
ACCURACY_HEADER = ("accuracy", "95 % interval")
CONFIDENCE_HEADER = ("group", "confidence", "answers", "raters", "accuracy", "95 % interval")
#: over -> whom alpha's interval speaks of
GENERALISE = {
    "both": "Intervals (95 %) speak of new annotators and new items like these.",
    "annotators": "Alpha's interval (95 %) speaks of new annotators like these, and of these items alone.",
    "items": "Alpha's interval (95 %) speaks of new items like these, and of these annotators alone.",
}
OTHERS = "Those of accuracy speak of new annotators and new items."
SCORES = "Accuracy: mean ± standard deviation over raters."
SAME = "Percent, Fleiss and AC1 ask whether answers are the same, whatever the level."


def as_text(report: Mapping[str, Any]) -> str:
    """One line per group, columns aligned, decimals rounded to three places; then what the numbers mean, and notes."""
    groups, scored = report["groups"], any(group["accuracy"] for group in report["groups"])
    header = [name.format(level=report["level"]) for name in (*HEADER, *(ACCURACY_HEADER if scored else ()))]
    lines = _aligned([header, *(_agreement_row(group) + (_score_row(group) if scored else []) for group in groups)])
    graded = [row for group in groups for row in _confidence_rows(group)]
    if graded:
        lines += ["", *_aligned([list(CONFIDENCE_HEADER), *graded])]
    said = [GENERALISE[report["over"]]]
    said += [OTHERS] if scored and report["over"] != "both" else []
    said += [SCORES] if scored else []
    said += [] if report["level"] == "nominal" else [SAME]
    lines += ["", " ".join(said)]
    lines += [f"{_name(group)}: {group['confidence']['sentence']}" for group in groups if group["confidence"]]
    lines += [f"{_name(group)}: {note}." for group in groups for note in group["notes"]]
    return "\n".join([*lines, *report["notes"]]) + "\n"


def printable(text: str) -> str:
    """The same text on one line: what a terminal obeys (line ends, escapes, bells) is spelled \\n, \\x1b, \\x07."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _agreement_row(group: Mapping[str, Any]) -> list[str]:
    alpha = group["alpha"]
    value = "undefined" if alpha["value"] is None else _decimal(alpha["value"])
    beside = [_decimal(group[name]["value"]) for name in ("percent", "fleiss", "ac1")]
    return [_name(group), str(group["raters"]), str(group["units"]), value, _interval(alpha["interval"]), *beside]


def _score_row(group: Mapping[str, Any]) -> list[str]:
    accuracy = group["accuracy"]
    spread = f" ± {accuracy['std']:.3f}" if accuracy["std"] is not None else ""
    return [_decimal(accuracy["mean"]) + spread, _interval(accuracy["interval"])]


def _confidence_rows(group: Mapping[str, Any]) -> list[list[str]]:
    return [
        [
            _name(group),
            f"{level['level']:g}",
            str(level["answers"]),
            str(level["annotators"]),
            _decimal(level["accuracy"]),
            _interval(level["interval"]),
        ]
        for level in (group["confidence"]["levels"] if group["confidence"] else ())
    ]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _name(group: Mapping[str, Any]) -> str:
    return "all" if group["group"] is None else printable(group["group"]) or "(empty)"


def _decimal(value: float | None) -> str:
    # z: what rounds to zero has no sign
    return "-" if value is None else f"{value:z.3f}"


def _interval(interval: tuple[float, float] | None) -> str:
    return f"[{interval[0]:z.3f}, {interval[1]:z.3f}]" if interval else "-"

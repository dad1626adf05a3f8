"""Why a number of a described group is missing, in words: `notes` in the JSON, lines below the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from analysis_core.statistics.answer_groups import DENSE_CELLS
from analysis_core.statistics.intervals import MOST_RANKED

UNDEFINED = {
    "no_overlap": "no overlap: no unit was answered by two raters",
    "no_variation": "no variation: all answers that can be compared are the same",
}
ROUND_OFF = 1e-12


def notes_on(group: Mapping[str, Any], *, has_too_many_values: bool = False) -> list[str]:
    """One sentence for each number that is missing though it was asked for.

    has_too_many_values: why alpha has no interval
    """
    return [*_on_alpha(group, has_too_many_values), *_on_accuracy(group)]


def _on_alpha(group: Mapping[str, Any], has_too_many_values: bool) -> Iterator[str]:
    alpha = group["alpha"]
    if alpha["undefined"]:
        alone = ", as there is one rater" if group["raters"] == 1 else ""
        yield f"alpha is undefined ({UNDEFINED[alpha['undefined']]}{alone})"
    elif has_too_many_values:
        yield (
            f"no interval for alpha: more than {MOST_RANKED:,} different values at ordinal level would take too long; "
            "round them, or ask for these raters (--over items)"
        )
    elif alpha["interval"] is None:
        yield f"no interval for alpha: {_without_interval(group)}"


def _without_interval(group: Mapping[str, Any]) -> str:
    if group["alpha"]["value"] > 1 - ROUND_OFF:
        return "all agree, so nothing tells how far other raters and units would differ"
    if group["units"] == 1:
        return "there is one unit, so nothing tells how far others would differ"
    if group["raters"] == 2 and group["alpha"]["over"] != "items":
        return "there are two raters, and nothing tells how far another pair would differ"
    if group["alpha"]["undefined_replicates"]:
        return "it hangs on a single rater or unit: without that one alpha is undefined"
    if group["alpha"]["over"] == "items":
        return "drawing the units anew changes nothing, so nothing tells how far others would differ"
    return "leaving out any one rater or unit changes nothing, so nothing tells how far others would differ"


def _on_accuracy(group: Mapping[str, Any]) -> Iterator[str]:
    accuracy = group["accuracy"]
    if not accuracy:
        return
    if accuracy["mean"] is None:
        yield "no accuracy: no answered unit has a truth"
    elif accuracy["interval"] is None:
        yield f"no interval for accuracy: {_without_accuracy_interval(group)}"


def _without_accuracy_interval(group: Mapping[str, Any]) -> str:
    if group["raters"] == 1:
        return "there is one rater"
    if group["units"] == 1:
        return "there is one unit"
    if group["raters"] * group["units"] > DENSE_CELLS:
        return f"{group['raters']:,} raters x {group['units']:,} units are too many for its table"
    return "raters or units do not differ, so nothing tells how far others would"

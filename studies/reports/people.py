"""Conditions whose annotators differ more than their items, where alpha's interval is too narrow. Loads numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis_core.errors import BadInput
from analysis_core.statistics import from_pilot

#: annotators x items from which this is said; smaller tables have a sentence on what the interval covers anyway.
LEAST = (5, 40)
#: The least and the most that alpha's default interval covers from there on where people differ more than items: SDs of
#: 1 and .5, 1.5 and .5, 1.5 and 1 (docs/statistics.md; a test compares).
MEASURED = (0.879, 0.947)
#: People differ clearly more than items from so many times the standard deviation on, if at least by HARDLY logits.
APART, HARDLY = 1.25, 0.5

Right = Sequence[Sequence[bool | None]]


def people_apart(right: Mapping[str, Right]) -> tuple[str, ...]:
    """One sentence on the conditions whose annotators clearly differ more than items do; () where none is such.

    Standard deviations are estimated as from a pilot. Of 300 simulated tables with SDs of 1 (annotators) and .5 (items)
    65 to 72 % have the sentence at 5 x 40, 84 % at 10 x 40, 93 % at 20 x 40; with SDs of .5 and 1 at most 3 % (two
    choices at 5 x 40: 6 %), with 1 and 1 19 to 30 %.
    right: of each condition whether an answer was right, [annotators, items]
    """
    found = {name: sds for name, table in right.items() if (sds := _apart(table))}
    if not found:
        return ()
    said = ", ".join(f"{name} {people:.1f} against {items:.1f}" for name, (people, items) in found.items())
    least, most = MEASURED
    return (
        f"Annotators seem to differ more than items (standard deviations in logits: {said}): then alpha's interval for"
        f" new annotators and items covers {least:.1%} to {most:.1%} in simulated studies where 95% is meant.",
    )


def _apart(right: Right) -> tuple[float, float] | None:
    """Standard deviations of annotators and items where the first is clearly larger."""
    if len(right) < LEAST[0] or len(right[0]) < LEAST[1]:
        return None
    try:
        population = from_pilot(right)
    except BadInput:
        # All answers are equally right: nothing tells how people and items differ.
        return None
    people, items = population.annotator_sd, population.item_sd
    return (people, items) if people >= max(HARDLY, APART * items) else None

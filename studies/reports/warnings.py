"""What a reader must know before believing a report, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studies.reports.ratings import Ratings
from studies.reports.shape import Comparison, ConditionReport

REASONS = {"no_overlap": "no item has two answers", "no_variation": "all answers are the same"}
SHEETS = {
    "simulated": "These answers come from simulated annotators: they say nothing about people.",
    "pilot": "These are pilot answers: they are shown because they were asked for, and never count.",
}


def warnings(
    ratings: Ratings, conditions: Sequence[ConditionReport], comparisons: Sequence[Comparison], level: float
) -> tuple[str, ...]:
    """All warnings, the gravest first. level: the plan's significance level"""
    found = [SHEETS[ratings.sheets]] if ratings.sheets in SHEETS else []
    found.extend(_about_the_plan(ratings))
    found.extend(_about_annotators(ratings))
    found.extend(
        f"Alpha of condition {condition.name} is undefined: {REASONS[condition.alpha.undefined]}."
        for condition in conditions
        if condition.alpha.undefined and condition.annotators > 1
    )
    found.extend(_about_tests(conditions, comparisons, level))
    return tuple(found)


def matches_plan(ratings: Ratings) -> bool:
    """Whether the version is frozen, and what is stored today still has the hash of the freeze."""
    return bool(ratings.plan) and ratings.plan == ratings.plan_now


def _about_the_plan(ratings: Ratings) -> Iterator[str]:
    if ratings.plan and not matches_plan(ratings):
        yield "Definition, items or artefacts are no longer those of the freeze: the hash of the plan does not match."
    if not ratings.plan and ratings.sheets == "live":
        yield "The study was not frozen before these answers were given."
    if ratings.peeks:
        times = "once" if ratings.peeks == 1 else f"{ratings.peeks} times"
        yield f"Outcomes were looked at before unblinding {times} (see the audit log)."


def _about_annotators(ratings: Ratings) -> Iterator[str]:
    if not ratings.items:
        yield "No items have been drawn yet."
    for table in ratings.tables:
        finished = len(table.annotators)
        if not finished:
            yield f"Condition {table.condition} has no finished sheet yet."
        elif finished < table.quota and ratings.sheets == "live":
            yield f"Condition {table.condition} has {finished} of {table.quota} annotators."
        if finished == 1:
            yield f"Condition {table.condition} has one annotator: no standard deviation, no agreement, no interval."
    yield from _not_counted("under way", [table.drop_off.unfinished for table in ratings.tables])
    yield from _not_counted("withdrawn", [table.drop_off.withdrawn for table in ratings.tables])


def _not_counted(what: str, numbers: Sequence[int]) -> Iterator[str]:
    if sum(numbers):
        yield f"Not counted: {sum(numbers)} {'sheet' if sum(numbers) == 1 else 'sheets'} {what}."


def _about_tests(
    conditions: Sequence[ConditionReport], comparisons: Sequence[Comparison], level: float
) -> Iterator[str]:
    """The limits of the design: what no answers whatever could have shown."""
    sizes = {condition.name: condition.annotators for condition in conditions}
    limits = {tuple(sorted((sizes[c.a], sizes[c.b]))): c.smallest_possible_p for c in comparisons}
    for (fewer, more), smallest in sorted(limits.items()):
        if smallest > level:
            who = f"{fewer} annotators per condition" if fewer == more else f"{fewer} and {more} annotators"
            yield f"{who}: the annotator-level test of two conditions cannot go below p = {smallest:.2f}."
    adjusted = min(1.0, len(comparisons) * min(limits.values())) if limits else 0.0
    if len(comparisons) > 1 and adjusted > level:
        yield f"{len(comparisons)} pairs: after Holm's correction no p can go below {adjusted:.2f}."

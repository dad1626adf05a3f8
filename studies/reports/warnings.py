"""What a reader must know before believing a report, in words: the gravest first. Loads numpy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from analysis_core.statistics import interval_notes
from studies.reports.exclusions import kept
from studies.reports.figures import NEW, REASONS, THESE, counted
from studies.reports.limits import limits
from studies.reports.people import people_apart
from studies.reports.ratings import Ratings, RatingTable
from studies.reports.shape import Bounds, Comparison, ConditionReport, Exclusions, Trend

SHEETS = {
    "simulated": "These answers come from simulated annotators: they say nothing about people.",
    "pilot": "These are pilot answers: they are shown because they were asked for, and never count.",
}
#: Intervals of alpha that are wider reach from poor to perfect agreement
WIDE = 1.0
#: Shares of lost sheets that lie at least this far apart are named
LOST_APART = 0.2


def warnings(
    ratings: Ratings,
    conditions: Sequence[ConditionReport],
    comparisons: Sequence[Comparison],
    trends: Sequence[Trend],
    exclusions: Exclusions | None,
    level: float,
) -> tuple[str, ...]:
    """All warnings. level: the plan's significance level"""
    found = [SHEETS[ratings.sheets]] if ratings.sheets in SHEETS and not ratings.is_empty else []
    found.extend(_about_the_plan(ratings))
    found.extend(_about_numbers(ratings, conditions))
    found.extend(_about_choices(ratings))
    found.extend(_about_agreement(conditions, _choices(ratings)))
    found.extend(_about_people(ratings, conditions, exclusions))
    found.extend(limits(conditions, comparisons, trends, level))
    found.extend(_about_exclusions(ratings, exclusions))
    found.extend(_about_drop_off(ratings))
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


def _about_numbers(ratings: Ratings, conditions: Sequence[ConditionReport]) -> Iterator[str]:
    if not ratings.items:
        yield "No items have been drawn yet."
    for table, condition in zip(ratings.tables, conditions, strict=True):
        finished = len(table.annotators)
        if not finished:
            yield f"Condition {condition.name} has no finished sheet yet."
        elif not condition.annotators:
            yield f"Condition {condition.name} has no annotator left: the plan excludes all of its finished sheets."
        elif finished < table.quota and ratings.sheets == "live":
            yield f"Condition {condition.name} has {finished} of {table.quota} annotators."
        if condition.annotators == 1:
            yield f"Condition {condition.name} has one annotator: no standard deviation, no agreement, no interval."
    sizes = {condition.name: condition.annotators for condition in conditions if condition.annotators}
    if len(set(sizes.values())) > 1:
        yield f"Conditions differ in their numbers of annotators: {_listed(sizes)}."


def _about_choices(ratings: Ratings) -> Iterator[str]:
    """Items drawn by a release that did not note the answer types are not spoken of."""
    apart = Counter(item.types for item in ratings.items if item.types and item.types[0] != item.types[1])
    if apart:
        kinds = ", ".join(f"{true} instead of {predicted}: {n}" for (predicted, true), n in sorted(apart.items()))
        yield (
            f"At {sum(apart.values())} of {counted(len(ratings.items), 'item')} the true answer is of another type than"
            f" the prediction ({kinds}): it can be ruled out by type, and guessing is easier than the chance level"
            " says."
        )


def _choices(ratings: Ratings) -> int | None:
    """How many choices each item has, where all have the same number."""
    numbers = {item.choices for item in ratings.items}
    return numbers.pop() if len(numbers) == 1 else None


def _about_people(
    ratings: Ratings, conditions: Sequence[ConditionReport], exclusions: Exclusions | None
) -> Iterator[str]:
    rules = [rule.rule for rule in exclusions.rules] if exclusions else []
    both = zip(ratings.tables, conditions, strict=True)
    yield from people_apart({c.name: kept(table, rules).correct for table, c in both if c.alpha.interval})


def _about_agreement(conditions: Sequence[ConditionReport], choices: int | None) -> Iterator[str]:
    for condition in conditions:
        if condition.annotators < 2:
            continue
        if condition.alpha.undefined:
            yield f"Alpha of condition {condition.name} is undefined: {REASONS[condition.alpha.undefined]}."
        elif condition.alpha.interval is None:
            beside = f"; the one for {THESE} stands beside it" if condition.alpha.interval_items else ""
            yield f"Alpha of condition {condition.name} has no interval: {_without_interval(condition)}{beside}."
    for annotators, items in sorted({(condition.annotators, condition.items) for condition in conditions}):
        yield from interval_notes(annotators, items, choices)
    yield from about_widths(conditions)


def about_widths(conditions: Sequence[ConditionReport]) -> Iterator[str]:
    """Where intervals of alpha hardly bound agreement, and where narrower ones for these annotators stand."""
    widths = {c.name: _width(c.alpha.interval) for c in conditions if c.alpha.interval}
    wide = {name: width for name, width in widths.items() if width > WIDE}
    if not wide:
        return
    yield (
        f"Intervals of alpha for {NEW} so wide that they hardly bound agreement ({_widths(wide, len(conditions))}):"
        f" more annotators or items would.{_beside(c for c in conditions if c.name in wide)}"
    )


def _widths(wide: dict[str, float], conditions: int) -> str:
    """Each condition with its width; where all are that wide, once from the narrowest to the widest."""
    if len(wide) < conditions or conditions == 1:
        return ", ".join(f"{name} {width:.1f}" for name, width in wide.items())
    least, most = f"{min(wide.values()):.1f}", f"{max(wide.values()):.1f}"
    return f"{least} in every condition" if least == most else f"{least} to {most}, every condition"


def _beside(conditions: Iterable[ConditionReport]) -> str:
    widths = [_width(c.alpha.interval_items) for c in conditions if c.alpha.interval_items]
    if not widths:
        return ""
    return (
        f" Those for {THESE} stand beside them (at most {max(widths):.1f} wide); they say nothing about other"
        " annotators."
    )


def _width(bounds: Bounds) -> float:
    return bounds[1] - bounds[0]


def _without_interval(condition: ConditionReport) -> str:
    value = condition.alpha.value
    if value is not None and value > 1 - 1e-12:
        return "all agree, and nothing tells how far others would differ"
    if condition.annotators == 2:
        return "there are two annotators, and nothing tells how far another pair would differ"
    return "it hangs on a single annotator or item, without which alpha is undefined"


def _about_exclusions(ratings: Ratings, exclusions: Exclusions | None) -> Iterator[str]:
    declared = {rule.rule: rule for rule in exclusions.rules} if exclusions else {}
    for rule in declared.values():
        if sum(rule.excluded.values()):
            left_out = counted(sum(rule.excluded.values()), "sheet")
            yield f"Left out as the plan declares ({rule.rule}): {left_out}; the figures with them stand apart."
    failed = {table.condition: sum("failed_checks" in broken for broken in table.broken) for table in ratings.tables}
    if sum(failed.values()) and "failed_checks" not in declared:
        number = counted(sum(failed.values()), "sheet")
        yield (
            f"Counted although an attention check was failed: {number} ({_listed(failed)}); the plan does not exclude"
            " them."
        )


def _about_drop_off(ratings: Ratings) -> Iterator[str]:
    is_over = ratings.state in ("closed", "unblinded")
    lost = {table.condition: _lost(table, is_over) for table in ratings.tables}
    shares = [gone / of for gone, of in lost.values() if of]
    if shares and max(shares) - min(shares) >= LOST_APART:
        said = ", ".join(f"{name} {gone} of {of}" for name, (gone, of) in lost.items())
        yield f"Drop-off differs between conditions ({said}): those who stayed may differ from those who left."
    if late := sum(table.drop_off.late for table in ratings.tables):
        yield f"Came back after the time-out and kept their places: {counted(late, 'sheet')}."
    under_way = "not finished" if is_over else "under way"
    yield from _not_counted(under_way, [table.drop_off.unfinished for table in ratings.tables])
    yield from _not_counted("withdrawn", [table.drop_off.withdrawn for table in ratings.tables])


def _lost(table: RatingTable, is_over: bool) -> tuple[int, int]:
    """(sheets lost, of how many). While the study runs, sheets under way are neither."""
    part = table.drop_off
    if is_over:
        return part.unfinished + part.withdrawn, part.assigned
    return part.withdrawn, part.finished + part.withdrawn


def _not_counted(what: str, numbers: Sequence[int]) -> Iterator[str]:
    if sum(numbers):
        yield f"Not counted: {counted(sum(numbers), 'sheet')} {what}."


def _listed(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers.items())

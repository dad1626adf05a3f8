"""What a plan says in sentences, the answer first. No numpy."""

from __future__ import annotations

from studies.reports.figures import counted
from studies.reports.plan_shape import Plan, PlanOption

PER_CONDITION = "per condition"


def plan_answer(plan: Plan) -> tuple[str, ...]:
    """Sentences: what the design finds, what would suffice, how wide alpha's interval is, what it costs."""
    found = [_finds(plan), _suffices(plan), _alpha(plan), _costs(plan)]
    return tuple(sentence for sentence in found if sentence)


def decimals(value: float) -> str:
    """.55, .80, .575: a share without its zero."""
    text = f"{value:.3f}".removeprefix("0")
    return text[:-1] if text.endswith("0") else text


def width(value: float) -> str:
    """.41: the width of an interval"""
    return f"{value:.2f}".removeprefix("0")


def percent(share: float) -> str:
    """82 %"""
    return f"{100 * share:.0f} %"


def money(value: float) -> str:
    """1,234; small sums with cents"""
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


def people(plan: Plan) -> str:
    """8 annotators per condition; unequal ones spelled out."""
    sizes = plan.request.sizes
    if len(set(sizes)) == 1:
        return f"{counted(sizes[0], 'annotator')} {PER_CONDITION}"
    return f"{', '.join(map(str, sizes))} annotators"


def _finds(plan: Plan) -> str:
    request, who = plan.request, people(plan)
    if plan.power is None or plan.smallest_p is None:
        return "With one condition there is nothing to compare; what it tells is how precisely it is measured."
    if plan.smallest_p > request.level:
        return f"{who.capitalize()} can never find a difference: the test cannot go below p = {plan.smallest_p:.2g}."
    return (
        f"{who.capitalize()} find {_difference(plan)} in {100 * plan.power:.0f} of 100 studies ({request.items} items)."
    )


def _difference(plan: Plan) -> str:
    request = plan.request
    low, high = decimals(request.accuracies[0]), decimals(request.accuracies[-1])
    if request.test == "trend" and len(request.accuracies) > 2:
        return f"the trend from {low} to {high} over {len(request.accuracies)} conditions"
    if len(request.accuracies) == 2:
        return f"{low} → {high}"
    a, b = _widest(request.accuracies)
    names = f"{request.names[a]} against {request.names[b]}"
    return f"{decimals(request.accuracies[a])} → {decimals(request.accuracies[b])} ({names}, the largest difference)"


def _widest(accuracies: tuple[float, ...]) -> tuple[int, int]:
    places = [(a, b) for a in range(len(accuracies)) for b in range(a + 1, len(accuracies))]
    return max(places, key=lambda pair: round(abs(accuracies[pair[0]] - accuracies[pair[1]]), 12))


def _suffices(plan: Plan) -> str:
    request = plan.request
    by_people, by_items = plan.option("power", "annotators"), plan.option("power", "items")
    goal = f"{100 * request.power:.0f} of 100"
    ways = []
    if by_people and by_people.number:
        ways.append(
            f"{counted(by_people.number, 'annotator')} {PER_CONDITION} with {request.items} items{_price(by_people)}"
        )
    if by_items and by_items.number and by_items.number != request.items:
        ways.append(f"{counted(by_items.number, 'item')} with {people(plan)}{_price(by_items)}")
    if ways:
        designs = "designs" if len(ways) > 1 else "design"
        return f"The smallest {designs} for {goal}: {'; or '.join(ways)}."
    reasons = [one.reason for one in (by_people, by_items) if one and one.reason]
    return " ".join(dict.fromkeys(reasons))


def _price(option: PlanOption) -> str:
    return "" if not option.money else f" ({money(option.money)})"


def _alpha(plan: Plan) -> str:
    known = [arm for arm in plan.arms if arm.alpha_width is not None]
    by_people, by_items = plan.option("alpha_width", "annotators"), plan.option("alpha_width", "items")
    wanted = width(plan.request.width)
    ways = []
    if by_people and by_people.number:
        ways.append(f"{counted(by_people.number, 'annotator')} {PER_CONDITION}")
    if by_items and by_items.number:
        ways.append(counted(by_items.number, "item"))
    takes = f"for {wanted} it takes {' or '.join(ways)}." if ways else ""
    if not known:
        said = "Alpha has no interval with so few annotators."
        return f"{said} {takes.capitalize()}".strip()
    widest = max(known, key=lambda arm: arm.alpha_width or 0)
    where = f" in {widest.name}" if len(plan.arms) > 1 else ""
    said = f"The 95 % interval of alpha will be about {width(widest.alpha_width or 0)} wide{where}"
    if (widest.alpha_width or 0) <= plan.request.width:
        return f"{said}; {wanted} was asked for."
    if takes:
        return f"{said}; {takes}"
    reasons = [one.reason for one in (by_people, by_items) if one and one.reason]
    return f"{said}. {' '.join(reasons)}".strip()


def _costs(plan: Plan) -> str:
    said = (
        f"One annotator needs {plan.minutes:.0f} minutes, all {sum(plan.request.sizes)} together {plan.hours:.1f} hours"
    )
    if not plan.money:
        return f"{said}."
    fee = f" and {plan.request.fee:g} % fee" if plan.request.fee else ""
    return f"{said}: {money(plan.money)} at {money(plan.request.pay)} per hour{fee}."

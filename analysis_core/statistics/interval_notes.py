"""What must be said beside the intervals of a table, from what was measured: warnings of a report."""

from __future__ import annotations

#: From this size on the default interval of alpha is checked to cover 93-97 %.
CHECKED = (5, 40)
#: What covers more is marked as wide in docs/statistics.md: 97 % and two standard errors of its simulation.
WIDE = 0.978
#: From this size on the default interval of accuracy is checked.
CHECKED_ACCURACY = (3, 20)
#: annotators x items -> coverage and mean width of alpha's default interval, as in docs/statistics.md (accuracy .7, SDs
#: .5 and 1, 4 choices); a test compares the two.
MEASURED: dict[tuple[int, int], tuple[float, float]] = {
    (3, 5): (0.991, 1.83),
    (3, 20): (0.981, 1.22),
    (3, 40): (0.979, 0.99),
    (3, 100): (0.961, 0.78),
    (4, 40): (0.973, 0.57),
    (5, 10): (0.97, 0.83),
    (5, 12): (0.968, 0.74),
    (5, 20): (0.965, 0.57),
    (5, 23): (0.966, 0.52),
    (5, 40): (0.959, 0.42),
    (10, 10): (0.933, 0.52),
    (10, 20): (0.941, 0.35),
    (20, 10): (0.915, 0.43),
    (20, 20): (0.935, 0.29),
}


#: The same coverage of the interval over items alone, from 92.2 % at CHECKED on.
MEASURED_ITEMS: dict[tuple[int, int], float] = {
    (3, 5): 0.811,
    (5, 10): 0.861,
    (20, 10): 0.829,
    (5, 12): 0.876,
    (3, 20): 0.923,
    (5, 20): 0.904,
    (10, 20): 0.9,
}


#: The same coverage of alpha's default interval with two choices, from CHECKED on, where it is wider than need be.
MEASURED_TWO: dict[tuple[int, int], float] = {(5, 40): 0.979, (7, 40): 0.972, (10, 40): 0.952, (5, 100): 0.97}


def interval_notes(annotators: int, items: int, choices: int | None = None) -> tuple[str, ...]:
    """Sentences on how far the intervals of alpha and accuracy of such a table can be trusted; () where they can.

    Below three annotators there is no interval of alpha for new annotators, and so nothing to say about it.
    choices: how many each item has, where this is known
    """
    on_alpha = (*_on_alpha(annotators, items), *(_on_two_choices(annotators, items) if choices == 2 else ()))
    return (*on_alpha, *_on_items(annotators, items), *_on_accuracy(annotators, items))


def _on_alpha(annotators: int, items: int) -> tuple[str, ...]:
    if annotators < 3 or (annotators >= CHECKED[0] and items >= CHECKED[1]):
        return ()
    size = f"{annotators} annotators x {items} items"
    nearest = max((size for size in MEASURED if size[0] <= annotators and size[1] <= items), default=None)
    if nearest is None:
        return (f"{size}: smaller than any simulated table; what alpha's interval covers is not known.",)
    (coverage, width), usual = MEASURED[nearest], MEASURED[CHECKED][1]
    few = "annotators" if annotators < CHECKED[0] else "items"
    return (
        f"{size}: alpha's interval for new annotators and items is {width:.1f} wide on average in simulated tables of"
        f" {nearest[0]} x {nearest[1]} ({usual:.1f} at {CHECKED[0]} x {CHECKED[1]}) and covers {coverage:.1%} where"
        f" 95% is meant: too few {few} to say it more exactly.",
    )


def _on_two_choices(annotators: int, items: int) -> tuple[str, ...]:
    smaller = [size for size in MEASURED_TWO if size[0] <= annotators and size[1] <= items]
    if not smaller or MEASURED_TWO[nearest := max(smaller)] <= WIDE:
        return ()
    return (
        f"{annotators} annotators x {items} items: with two choices alpha's interval for new annotators and items"
        f" covers {MEASURED_TWO[nearest]:.1%} in simulated tables of {nearest[0]} x {nearest[1]} where 95% is meant: it"
        " is wider than need be.",
    )


def _on_items(annotators: int, items: int) -> tuple[str, ...]:
    """On alpha's interval for these annotators and new items; two annotators are told what three are."""
    if annotators < 2 or items >= CHECKED[1]:
        return ()
    smaller = [size for size in MEASURED_ITEMS if size[0] <= max(annotators, 3) and size[1] <= items]
    if not smaller:
        return ()
    nearest = max(smaller, key=lambda size: (size[1], size[0]))
    return (
        f"{annotators} annotators x {items} items: alpha's interval for these annotators and new items covers"
        f" {MEASURED_ITEMS[nearest]:.1%} in simulated tables of {nearest[0]} x {nearest[1]} where 95% is meant: it is"
        " too narrow with few items.",
    )


def _on_accuracy(annotators: int, items: int) -> tuple[str, ...]:
    if annotators < 2 or (annotators >= CHECKED_ACCURACY[0] and items >= CHECKED_ACCURACY[1]):
        return ()
    checked = f"{CHECKED_ACCURACY[0]} x {CHECKED_ACCURACY[1]}"
    return (f"{annotators} annotators x {items} items: accuracy's interval was checked from {checked} on.",)

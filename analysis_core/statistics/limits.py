"""What no answers could show with so few annotators, and how many can: limits of annotator-level tests."""

from __future__ import annotations

from collections.abc import Sequence

from analysis_core.errors import BadInput
from analysis_core.statistics.permutation import smallest_p

#: Levels below what this many annotators per condition reach are out of reach of any number (a sample's least p).
MOST = 100


def annotators_needed(level: float, pairs: int = 1) -> int | None:
    """The fewest annotators per condition with which a test of two conditions can reach the level: 4 for .05.

    pairs: how many pairs share the level by Holm's procedure, whose first step needs level / pairs
    returns: None where no number of annotators can
    raises: BadInput (a level that is not between 0 and 1, no pair)
    """
    if not 0 < level < 1 or pairs < 1:
        raise BadInput("a level lies between 0 and 1, and at least one pair is tested")
    return next((n for n in range(1, MOST) if pairs * smallest_p((n, n)) <= level), None)


def limit_sentence(sizes: Sequence[int], level: float = 0.05) -> str | None:
    """What the test of conditions with so many annotators each cannot reach; None where it can reach the level."""
    least = smallest_p(sizes)
    if least <= level:
        return None
    # Two digits of .067 would claim more than is so.
    digits = ".2f" if least >= 0.1 else ".3f"
    who = f"{sizes[0]} annotators per condition" if len(set(sizes)) == 1 else f"{_listed(sizes)} annotators"
    needed = annotators_needed(level)
    enough = (
        "no number of annotators can reach the level"
        if needed is None
        else ", ".join(f"{n} per condition can reach {smallest_p((n, n)):.3f}" for n in (needed, needed + 1))
    )
    return f"{who}: the annotator-level test cannot go below p = {least:{digits}}; with two conditions {enough}."


def _listed(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes[:-1])) + f" and {sizes[-1]}"

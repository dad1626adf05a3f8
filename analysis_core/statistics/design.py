"""The design of a study that is planned: who answers what, how different the conditions may be, and which test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis_core.errors import BadInput, UnknownName
from analysis_core.statistics.simulation import Population

TESTS = ("pairs", "trend")
#: Bounds that keep a simulation within memory and patience
MOST_ARMS, MOST_PEOPLE, MOST_ITEMS = 20, 2_000, 1_000


@dataclass(frozen=True)
class Design:
    """A study with several conditions: all of them have the same items, each annotator sees one condition.

    accuracies:   per condition, the chance of a right answer of the average annotator on the average item
                  (Population.accuracy); the share of right answers over all people and items lies nearer to a half
    annotators:   per condition: one number for all, or one each
    items, choices: counted items, and answers to choose from
    annotator_sd, item_sd: standard deviations of people and items, in logits; items differ in the same way everywhere
    level:        the chance of a false alarm that the test may have
    test:         "pairs": annotator-level permutation tests of all pairs of conditions, corrected by Holm;
                  "trend": one permutation test over the ordered conditions
    raises:       BadInput, UnknownName (test): a sentence that names the field
    """

    accuracies: tuple[float, ...] = (0.55, 0.80)
    annotators: int | tuple[int, ...] = 8
    items: int = 20
    choices: int = 4
    annotator_sd: float = 0.5
    item_sd: float = 1.0
    level: float = 0.05
    test: str = "pairs"

    def __post_init__(self) -> None:
        object.__setattr__(self, "accuracies", tuple(self.accuracies))
        if not isinstance(self.annotators, int):
            object.__setattr__(self, "annotators", tuple(self.annotators))
        if not 1 <= len(self.accuracies) <= MOST_ARMS:
            raise BadInput(f"accuracies: 1 to {MOST_ARMS} conditions can be planned, not {len(self.accuracies)}")
        if len(self.sizes) != len(self.accuracies):
            raise BadInput(
                f"annotators: {len(self.sizes)} numbers for {len(self.accuracies)} conditions; give one for each, or"
                " one for all"
            )
        _whole("annotators", self.sizes, 1, MOST_PEOPLE)
        if sum(self.sizes) > MOST_PEOPLE:
            raise BadInput(f"annotators: at most {MOST_PEOPLE:,} in all conditions together, not {sum(self.sizes):,}")
        _whole("items", (self.items,), 1, MOST_ITEMS)
        if not 0 < self.level < 1:
            raise BadInput(f"level: a chance between 0 and 1, as .05, not {self.level:g}")
        if self.test not in TESTS:
            raise UnknownName("test of a design", str(self.test), TESTS)
        if not all(map(math.isfinite, (*self.accuracies, self.annotator_sd, self.item_sd))):
            raise BadInput("accuracies and standard deviations are finite numbers")
        _ = self.populations  # checks what remains

    @property
    def sizes(self) -> tuple[int, ...]:
        """Annotators per condition, spelled out."""
        return (self.annotators,) * len(self.accuracies) if isinstance(self.annotators, int) else self.annotators

    @property
    def populations(self) -> tuple[Population, ...]:
        """What each condition's answers are drawn from."""
        return tuple(Population(share, self.annotator_sd, self.item_sd, self.choices) for share in self.accuracies)

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """All pairs of conditions, by their place."""
        n = len(self.accuracies)
        return tuple((a, b) for a in range(n) for b in range(a + 1, n))

    @property
    def widest_pair(self) -> tuple[int, int] | None:
        """The pair whose accuracies differ most (the first such); None with one condition."""
        return max(self.pairs, key=lambda pair: round(abs(self._difference(pair)), 12), default=None)

    @property
    def differs(self) -> bool:
        """Whether there is a difference to find."""
        return len(set(self.accuracies)) > 1

    def resized(self, *, annotators: int | None = None, items: int | None = None) -> Design:
        """The same with other numbers of annotators per condition or items."""
        return replace(self, annotators=annotators or self.annotators, items=items or self.items)

    def _difference(self, pair: tuple[int, int]) -> float:
        return self.accuracies[pair[0]] - self.accuracies[pair[1]]


def _whole(name: str, values: Sequence[int], least: int, most: int) -> None:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise BadInput(f"{name}: a whole number from {least} to {most:,}, not {value!r}")

"""What each method covers in each design, and which designs are simulated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis_core.statistics.simulation import Population
from benchmarks.coverage.designs import Design, tables
from benchmarks.coverage.methods import (
    ACCURACY,
    ACCURACY_CANDIDATES,
    ANNOTATORS,
    CANDIDATES,
    DEFAULT,
    ITEMS,
    Method,
)

#: What an offered interval of 95 % should cover; a cell is outside when its two standard errors do not reach this.
WANTED = (0.93, 0.97)

Sizes = Sequence[tuple[int, int]]
USUAL = Population()
LARGER = ((5, 40), (5, 100), (10, 40), (10, 100), (15, 100), (20, 40))
SOME = ((5, 40), (10, 40), (10, 100), (20, 40))
#: Sizes that studies of these kinds often have: votes, error categories, concepts, simulation
SMALL = (
    *((3, 5), (5, 10), (5, 12), (3, 20), (5, 20), (5, 23), (3, 40), (4, 40), (3, 100)),
    *((10, 10), (10, 20), (20, 10), (20, 20)),
)
#: Where the interval over items alone is shown although it covers less than it should
FEW_ITEMS = ((3, 5), (5, 10), (20, 10), (5, 12), (5, 20), (10, 20))
OTHERS = (
    Population(accuracy=0.5),
    Population(accuracy=0.85),
    Population(accuracy=0.95),
    Population(annotator_sd=0.25, item_sd=0.5),
    Population(annotator_sd=1.0),
    Population(accuracy=0.85, annotator_sd=1.0),
    Population(accuracy=0.5, annotator_sd=1.0, item_sd=0.5),
    Population(choices=2),
    Population(choices=10),
)
#: People who differ more than items do, where the interval is too narrow
PEOPLE_APART = (
    Population(accuracy=0.5, annotator_sd=1.0, item_sd=0.5),
    Population(annotator_sd=1.0, item_sd=0.5),
    Population(accuracy=0.5, annotator_sd=1.5, item_sd=0.5),
    Population(accuracy=0.5, annotator_sd=1.5),
)
FOR_ACCURACY = ((3, 20), (3, 40), (5, 20), (5, 40), (10, 40), (20, 40))
ACCURACIES = (
    USUAL,
    Population(accuracy=0.5),
    Population(accuracy=0.85),
    Population(accuracy=0.9),
    Population(annotator_sd=0.25, item_sd=0.5),
    Population(annotator_sd=1.0),
    Population(accuracy=0.9, annotator_sd=1.0),
    Population(annotator_sd=0.0),
    Population(item_sd=0.0),
    Population(annotator_sd=0.0, item_sd=0.0),
)


@dataclass(frozen=True)
class Row:
    """coverage and width: means over the tables that have an interval; undefined: the share that has none."""

    design: Design
    method: Method
    coverage: float
    width: float
    undefined: float
    tables: int

    @property
    def error(self) -> float:
        """Standard error of the coverage, were it 95 %."""
        return float((0.95 * 0.05 / max(1, self.tables * (1 - self.undefined))) ** 0.5)

    @property
    def verdict(self) -> str:
        """Empty within 93-97 % and the simulation's two standard errors."""
        if self.coverage < WANTED[0] - 2 * self.error:
            return "too narrow"
        return "wide" if self.coverage > WANTED[1] + 2 * self.error else ""


@dataclass(frozen=True)
class Section:
    """Designs that are measured with the same methods, under one heading."""

    title: str
    designs: tuple[Design, ...]
    methods: tuple[Method, ...]


def sections() -> tuple[Section, ...]:
    """Everything that is simulated, in the order of the document."""
    return (
        Section(
            "Alpha, new annotators and new items: candidates",
            _designs([USUAL], ((3, 20), (5, 40), (10, 40), (20, 40)))
            + _designs([OTHERS[5]], ((3, 20), (5, 40), (10, 40))),
            CANDIDATES,
        ),
        Section("Alpha, the default in larger studies", _designs([USUAL], LARGER) + _elsewhere(), (DEFAULT,)),
        Section(
            "Alpha, the default where people differ more than items",
            _designs(PEOPLE_APART, ((5, 40), (5, 100), (7, 40), (10, 40), (10, 100))),
            (DEFAULT,),
        ),
        Section(
            "Alpha, the default with two choices and near chance",
            _designs([Population(choices=2)], ((5, 40), (5, 100), (7, 40), (10, 40)))
            + _designs([Population(accuracy=0.25)], SOME),
            (DEFAULT,),
        ),
        Section("Alpha, the default in small studies", _designs([USUAL, OTHERS[4]], SMALL), (DEFAULT,)),
        Section("Alpha, narrower populations", _designs([USUAL, OTHERS[1]], ((3, 20), *SOME)), (ANNOTATORS, ITEMS)),
        Section("Alpha, these annotators in small studies", _designs([USUAL], FEW_ITEMS), (ITEMS,)),
        Section("Accuracy: candidates", _designs([USUAL], ((3, 20), (5, 40), (10, 40))), ACCURACY_CANDIDATES),
        Section("Accuracy, the interval that is offered", _accuracy_designs(), (ACCURACY,)),
    )


def measured(section: Section, number: int, seed: int) -> Iterator[Row]:
    """All methods of a section on the same `number` tables of each design."""
    for design in section.designs:
        found: list[list[tuple[float, float]]] = [[] for _ in section.methods]
        for index, table in enumerate(tables(design, number, seed)):
            for method, ends in zip(section.methods, found, strict=True):
                interval = method.interval(table, index)
                if interval is not None:
                    low, high = interval
                    ends.append((float(low <= table.truth[method.truth] <= high), high - low))
        for method, ends in zip(section.methods, found, strict=True):
            there = len(ends)
            coverage, width = (sum(each) / there for each in zip(*ends, strict=True)) if there else (0.0, 0.0)
            yield Row(design, method, coverage, width, 1 - there / number, number)


def _designs(populations: Sequence[Population], sizes: Sizes) -> tuple[Design, ...]:
    return tuple(Design(population, *size) for population in populations for size in sizes)


def _elsewhere() -> tuple[Design, ...]:
    missing = tuple(Design(p, *size, missing=0.2) for p in (USUAL, OTHERS[0]) for size in ((5, 40), (10, 40)))
    return _designs(OTHERS, SOME) + missing


def _accuracy_designs() -> tuple[Design, ...]:
    missing = tuple(Design(USUAL, *size, missing=0.2) for size in ((3, 20), (5, 40)))
    return _designs(ACCURACIES, FOR_ACCURACY) + missing

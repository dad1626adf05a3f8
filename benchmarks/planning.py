"""`python -m benchmarks.planning`: the planner beside reference figures, and what pilots of known people tell.

With --write the tables take their place in docs/statistics.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from analysis_core.errors import AnalysisError
from analysis_core.statistics import (
    Design,
    Population,
    from_pilot,
    interval_widths,
    marginal_accuracy,
    pilot_estimates,
    power,
    simulate_answers,
)

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "statistics.md"
BEGIN, END = "<!-- planning: begin -->", "<!-- planning: end -->"
SEED = 2023
#: (annotators, items) -> width of the 95 % interval of alpha, percentile bootstrap over items
WIDTHS = {(3, 20): 0.42, (3, 40): 0.31, (5, 40): 0.24, (10, 40): 0.19}
#: (accuracies, annotators per condition) -> power at 20 items
POWERS = {((0.55, 0.80), 8): 0.84, ((0.55, 0.70), 20): 0.78}
PILOTS = ((5, 20), (10, 20), (10, 40), (30, 40))
TRUTH = Population(accuracy=0.7, annotator_sd=0.5, item_sd=1.0)


@dataclass(frozen=True)
class Effort:
    """Simulated tables behind a width, studies behind a power, pilots behind an error."""

    tables: int = 400
    studies: int = 10_000
    pilots: int = 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 the document has no place for the tables (2, wrong usage, comes from argparse)."""
    options = parser().parse_args(arguments)
    effort = Effort(options.tables, options.studies, options.pilots)
    text = "\n\n".join("\n".join(part) for part in (width_table(effort), power_table(effort), pilot_table(effort)))
    if options.write and not write(text, DOCUMENT):
        sys.stderr.write(f"{DOCUMENT.name} lacks {BEGIN} or {END}; nothing was written\n")
        return 1
    sys.stdout.write(text + "\n")
    return 0


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.planning", description=__doc__)
    made.add_argument("--tables", type=int, default=Effort.tables, help="rating tables behind a width (400)")
    made.add_argument("--studies", type=int, default=Effort.studies, help="studies behind a power (10000)")
    made.add_argument("--pilots", type=int, default=Effort.pilots, help="pilots behind an error (300)")
    made.add_argument("--write", action="store_true", help="put the tables into docs/statistics.md")
    return made


def width_table(effort: Effort) -> list[str]:
    """Expected widths of alpha's interval: reference, ours with its standard error, and the default interval's."""
    lines = [
        "| annotators x items | reference, over items | ours, over items | ours, over both (the default) |",
        "|---|---|---|---|",
    ]
    for (annotators, items), reference in WIDTHS.items():
        design = Design(accuracies=(TRUTH.accuracy,), annotators=annotators, items=items)
        found = [interval_widths(design, tables=effort.tables, seed=SEED, over=over)[0] for over in ("items", "both")]
        cells = [f"{one.alpha:.3f} ± {one.alpha_error:.3f}" for one in found]
        lines.append(f"| {annotators} x {items} | {reference:.2f} | {cells[0]} | {cells[1]} |")
    return lines


def power_table(effort: Effort) -> list[str]:
    """Power: reference, ours for the accuracy of the average annotator on the average item, and for the mean of all."""
    lines = [
        "| accuracies, annotators per condition | reference | ours | ours, were these the means of all |",
        "|---|---|---|---|",
    ]
    for (accuracies, annotators), reference in POWERS.items():
        meant = Design(accuracies=accuracies, annotators=annotators)
        other = replace(meant, accuracies=tuple(of_average(share, TRUTH) for share in accuracies))
        found = [power(design, simulations=effort.studies, seed=SEED, tables=0) for design in (meant, other)]
        cells = [f"{one.power:.3f} ± {one.error:.3f}" for one in found]
        names = " → ".join(f"{share:.2f}" for share in accuracies)
        lines.append(f"| {names}, {annotators} | {reference:.2f} | {cells[0]} | {cells[1]} |")
    return lines


def pilot_table(effort: Effort) -> list[str]:
    """What pilots of known people tell: mean and standard deviation of the estimates, coverage of the intervals."""
    lines = [
        "| pilot | accuracy (.70) | annotator SD (.50) | item SD (1.00) | intervals that hold the truth |",
        "|---|---|---|---|---|",
    ]
    truth = np.array([TRUTH.accuracy, TRUTH.annotator_sd, TRUTH.item_sd])
    for annotators, items in PILOTS:
        rng = np.random.default_rng(SEED)
        drawn = simulate_answers(TRUTH, annotators=annotators, items=items, tables=effort.pilots, rng=rng) == 0
        found = [from_pilot(table) for table in drawn]
        estimates = np.array([(one.accuracy, one.annotator_sd, one.item_sd) for one in found])
        cells = [f"{m:.2f} ± {s:.2f}" for m, s in zip(estimates.mean(axis=0), estimates.std(axis=0), strict=True)]
        held = np.mean([_held(table, truth) for table in drawn[: max(1, effort.pilots // 3)]], axis=0)
        lines.append(f"| {annotators} x {items} | {' | '.join(cells)} | {', '.join(f'{one:.2f}' for one in held)} |")
    return lines


def of_average(share: float, population: Population) -> float:
    """The accuracy of the average annotator on the average item, where the mean of all is `share`; by bisection."""
    low, high = 0.001, 0.999
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if marginal_accuracy(replace(population, accuracy=middle)) < share else (low, middle)
    return (low + high) / 2


def write(text: str, document: Path) -> bool:
    """Put the tables between the document's marks; False where it has none."""
    before, begin, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return False
    document.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    return True


def _held(table: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], truth: np.ndarray) -> list[bool]:
    try:
        found = pilot_estimates([table], simulations=200)
    except AnalysisError:
        return [False] * 3
    ranges = [found.accuracy[0] or (0.0, 1.0), found.annotator_sd, found.item_sd]
    return [low <= value <= high for (low, high), value in zip(ranges, truth, strict=True)]


if __name__ == "__main__":
    sys.exit(main())

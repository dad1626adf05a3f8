"""`python -m benchmarks.coverage`: what intervals cover and how often tests reject true nulls, in simulated studies."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

EXPLANATION = """\
Simulates studies with crossed random effects of annotators and items, whose true alpha and accuracy are known by
integration, and counts how often each interval contains them and how often tests reject true nulls. Minutes of CPU
time (about 19 for 3,000 tables per design, the default).
"""
SEED = 20_230_501
#: Simulated tables per design.
TABLES = 3_000
#: One study of a test for so many tables of an interval: tests recompute alpha for each relabelling.
STUDIES_SHARE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 130 interrupted (2, wrong usage, comes from argparse)."""
    options = parser().parse_args(arguments)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        # Read by numpy when it is loaded, which is later than this.
        os.environ.setdefault(name, "1")
    try:
        text = run(options.tables)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing was written\n")
        return 130
    if options.write:
        from benchmarks.coverage.document import write

        write(text)
    sys.stdout.write(text + "\n")
    return 0


def run(number: int) -> str:
    """Simulate everything with so many tables per design; progress goes to stderr."""
    from benchmarks.coverage.alpha_rejections import differences, equal_alphas
    from benchmarks.coverage.document import markdown
    from benchmarks.coverage.measured import measured, sections
    from benchmarks.coverage.rejections import nulls, rejections

    found, tests = [], []
    titles = {
        "Tests of true nulls": nulls(),
        "Tests of alpha where only the alphas are equal": equal_alphas(),
        "Tests of alpha where the alphas differ": differences(),
    }
    for section in sections():
        rows = []
        for row in measured(section, number, SEED):
            rows.append(row)
            _say(f"{row.design.size} {row.design.where}: {row.method.name}: {row.coverage:.3f} {row.verdict}")
        found.append((section, rows))
    for title, group in titles.items():
        measures = []
        for null in group:
            measures.append(rejections(null, max(1, number // STUDIES_SHARE), SEED))
            _say(f"{null.name} {null.size}: {measures[-1].rejected:.3f}")
        tests.append((title, measures))
    command = "python -m benchmarks.coverage" + (f" --tables {number}" if number != TABLES else "")
    return markdown(found, tests, command, SEED)


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=EXPLANATION)
    made.add_argument("--tables", type=_number, default=TABLES, metavar="N", help=f"per design (default {TABLES})")
    made.add_argument("--write", action="store_true", help="put the tables into docs/statistics.md")
    return made


def _number(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of tables")
    return int(text)


def _say(line: str) -> None:
    sys.stderr.write(f"{time.process_time():7.0f} s CPU  {line}\n")


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.faults --runs 20`: run all faults so often and print their table; --write: into the docs."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys

from tests.faults.catalogue import FAULTS
from tests.faults.rounds import run
from tests.faults.table import Row, markdown, write


def main() -> int:
    """Exit status 1 where anything was lost, doubled, wrong or left behind, 130 where it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=1, help="how often each fault is tried; default 1")
    parser.add_argument(
        "--only", nargs="+", default=list(FAULTS), choices=FAULTS, metavar="FAULT", help="these faults; default all"
    )
    parser.add_argument("--at-a-time", type=int, default=1, help="faults beside each other; default 1")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md after each round")
    parser.add_argument("--list", action="store_true", help="the faults' names")
    arguments = parser.parse_args()
    if arguments.list:
        sys.stdout.writelines(f"{name:32} {fault.title} ({fault.ground})\n" for name, fault in FAULTS.items())
        return 0
    command = shlex.join(["python", "-m", "tests.faults", *sys.argv[1:]])
    kept: list[Row] = []

    def each_round(rows: list[Row]) -> None:
        kept[:] = rows
        if arguments.write:
            write(markdown(rows, command))

    # Ctrl-C and SIGTERM alike: the faults in hand are brought to their end, and their services are stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(
            arguments.only,
            runs=arguments.runs,
            at_a_time=arguments.at_a_time,
            report=_report,
            each_round=each_round,
        )
        status = 0
    except KeyboardInterrupt:
        status = 130
    sys.stdout.write(markdown(kept, command) + "\n")
    return status or (0 if all(row.is_clean for row in kept) else 1)


def _report(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())

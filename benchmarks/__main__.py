"""`python -m benchmarks`: what is claimed to be fast, measured beside the usual way in one process."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.claims import CLAIMS, SCALES, Row, rows

EXPLANATION = """\
Every claim is a ratio: the usual way and ours do the same work in turn, in one process, and the medians over the
repeats are set side by side (docs/benchmarks.md says what each row means). Nothing passes or fails by its time.
Figures of a machine that does other work at the same time are no figures: look at the load, which is printed.

claims:
"""
EXAMPLES = """
examples:
  python -m benchmarks --scale small                  everything, in about a minute
  python -m benchmarks --only second-order            one claim
  python -m benchmarks --only targets --only sparse --json > ratios.json
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 130 interrupted (2, wrong usage, comes from argparse)."""
    options = parser().parse_args(arguments)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TORCH_THREADS"):
        # Read by numpy, torch and the study's engine when they are loaded, which is later than this.
        os.environ[name] = str(options.threads)
    try:
        report = measure(options.only or list(CLAIMS), options.scale, options.threads)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing was written\n")
        return 130
    from benchmarks import table

    tables = report["claims"]
    as_json = {**report, "claims": {claim: [_plain(row) for row in found] for claim, found in tables.items()}}
    as_text = table.text(report["machine"], options.scale, tables)
    sys.stdout.write(json.dumps(as_json, indent=1) + "\n" if options.json else as_text)
    return 0


def measure(claims: Sequence[str], scale: Any, threads: int) -> dict[str, Any]:
    """Measure claims in turn: {"scale", "machine", "claims": name -> rows}."""
    with ExitStack() as stack:
        if "study" in claims:
            from benchmarks.whole_study import own_state

            stack.enter_context(own_state())
        import torch

        from benchmarks import machine
        from benchmarks.shipped import device

        torch.set_num_threads(threads)
        described = {**machine.describe(), "device": device()}
        found = {claim: list(rows(claim, scale)) for claim in claims}
        return {"scale": scale, "machine": {**described, "load_after": machine.load()}, "claims": found}


def parser() -> argparse.ArgumentParser:
    """The command's options; its help lists the claims."""
    claims = "".join(f"  {name:14}{sentence}\n" for name, sentence in CLAIMS.items())
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=EXPLANATION + claims,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--only", metavar="NAME", action="append", choices=tuple(CLAIMS), help="this claim (repeatable)")
    made.add_argument(
        "--scale",
        choices=SCALES,
        default="paper",
        help="counts only: small = 2 items and few repeats; paper = all items of the demo study (default)",
    )
    made.add_argument("--threads", metavar="N", type=_at_least_one, default=1, help="threads of torch and BLAS (1)")
    made.add_argument("--json", action="store_true", help="JSON at full precision in place of the table")
    return made


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one thread is needed")
    return number


def _plain(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "unit": row.unit,
        "usual": row.usual,
        "ours": row.ours,
        "ratio": row.ratio,
        "note": row.note,
    }


if __name__ == "__main__":
    sys.exit(main())

"""`python -m analysis_core.statistics FILE.csv`: alpha with its interval, and accuracy, for each group of answers."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis_core.errors import AnalysisError
from analysis_core.statistics import LEVELS, alpha, alpha_interval, crossed_accuracy
from analysis_core.statistics.answer_files import BadRows, Columns, Group, read_answers

#: As many problems of a file are listed; the rest is counted.
SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 refused with reasons on stderr, one per line (2, wrong usage, comes from argparse)."""
    options = _parser().parse_args(arguments)
    columns = Columns(
        options.unit, options.rater, options.value, options.group, options.truth, dict(options.where or ())
    )
    try:
        groups = read_answers(Path(options.file), columns, options.level)
        report = {"level": options.level, "groups": [describe(group, options.level, options.truth) for group in groups]}
    except BadRows as error:
        lines = [str(problem) for problem in error.problems[:SHOWN]]
        more = len(error.problems) - len(lines)
        return _refuse(lines + ([f"... and {more} more"] if more else []))
    except AnalysisError as error:
        return _refuse([str(error)])
    sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n" if options.json else as_text(report))
    return 0


def describe(group: Group, level: str, truth: str | None) -> dict[str, Any]:
    """One group as a JSON-ready mapping (spec: interfaces, section 2)."""
    ratings = group.ratings()
    found, interval = alpha(ratings, level), alpha_interval(ratings, level)
    return {
        "group": group.name,
        "raters": found.raters,
        "units": found.units,
        "alpha": {
            "value": found.value,
            "interval": interval.interval,
            "over": interval.over,
            "undefined": found.reason,
        },
        "accuracy": _accuracy(group) if truth else None,
    }


def as_text(report: dict[str, Any]) -> str:
    """One line per group, columns aligned, decimals rounded to three places."""
    header = ["group", "raters", "units", f"alpha ({report['level']})", "95 % interval", "accuracy", "95 % interval"]
    rows = [header] + [_text_row(group) for group in report["groups"]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.append("Intervals: new annotators and new items; accuracy: mean ± standard deviation over raters.")
    return "\n".join(lines) + "\n"


def _accuracy(group: Group) -> dict[str, Any]:
    found = crossed_accuracy(group.correct())
    return {
        "mean": found.mean,
        "std": found.std,
        "interval": found.interval,
        "over": found.over,
        "per_annotator": list(found.per_annotator),
    }


def _text_row(group: dict[str, Any]) -> list[str]:
    agreement, right = group["alpha"], group["accuracy"]
    value = f"{agreement['value']:.3f}" if agreement["undefined"] is None else f"undefined: {agreement['undefined']}"
    shares = ["-", "-"]
    if right and right["mean"] is not None:
        spread = f" ± {right['std']:.3f}" if right["std"] is not None else ""
        shares = [f"{right['mean']:.3f}{spread}", _interval(right["interval"])]
    name = "all" if group["group"] is None else group["group"]
    return [name, str(group["raters"]), str(group["units"]), value, _interval(agreement["interval"]), *shares]


def _interval(interval: tuple[float, float] | None) -> str:
    return f"[{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "-"


def _refuse(reasons: Sequence[str]) -> int:
    sys.stderr.write("\n".join(reasons) + "\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis_core.statistics", description=__doc__)
    parser.add_argument("file", metavar="FILE.csv", help="answers in long form, one row per rater and unit")
    parser.add_argument("--unit", required=True, metavar="COLUMN", help="what was answered (the item)")
    parser.add_argument("--rater", required=True, metavar="COLUMN", help="who answered")
    parser.add_argument("--value", required=True, metavar="COLUMN", help="the answer; an empty cell is missing")
    parser.add_argument("--group", metavar="COLUMN", help="a report per value of this column (the condition)")
    parser.add_argument("--level", choices=LEVELS, default="nominal", help="level of measurement (default: nominal)")
    parser.add_argument("--truth", metavar="COLUMN", help="the right answer of each unit: adds accuracy")
    parser.add_argument(
        "--where", metavar="COLUMN=TEXT", action="append", type=_where, help="read only these rows (repeatable)"
    )
    parser.add_argument("--json", action="store_true", help="JSON at full precision in place of the table")
    return parser


def _where(text: str) -> tuple[str, str]:
    column, separator, wanted = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not COLUMN=TEXT")
    return column.strip(), wanted.strip()


if __name__ == "__main__":
    sys.exit(main())

"""`python -m analysis_core.statistics FILE.csv`: agreement and accuracy, with intervals, for each group of answers."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis_core.errors import AnalysisError
from analysis_core.statistics import LEVELS
from analysis_core.statistics.answer_files import BadRows, Columns, read_answers
from analysis_core.statistics.answer_rows import SEPARATORS
from analysis_core.statistics.describe import describe
from analysis_core.statistics.intervals import OVER
from analysis_core.statistics.report_text import as_text, printable

#: As many problems of a file are listed; the rest is counted.
SHOWN = 20
INTERRUPTED = 130

GUIDE = """\
which number answers which question
  alpha       do raters agree beyond chance, at this level of measurement? 1 always, 0 as by chance (Krippendorff)
  percent     how often do two raters of a unit give the same answer? not corrected for chance
  Fleiss      the kappa that many papers report: chance draws from the pooled answers
  AC1         as Fleiss, but steady where nearly all answers are the same (Gwet)
  accuracy    how often are raters right? needs --truth; mean over raters

two examples
  Who chose which option, in several conditions, with the right option known:
    condition,item,rater,answer,truth
    U,1,ann,A,A
    U,1,bea,C,A
  %(prog)s answers.csv --unit item --rater rater --value answer --group condition --truth truth --values A,B,C,D

  Worded ratings, lowest first, in a spreadsheet's file with semicolons:
    text;judge;clarity
    t1;ann;fair
    t1;bea;good
  %(prog)s ratings.csv --unit text --rater judge --value clarity --level ordinal --values poor,fair,good
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 refused with reasons on stderr, one per line (2, wrong usage, comes from argparse)."""
    options = _options(arguments)
    try:
        report = _report(options)
        _print(report, options.json)
    except BadRows as error:
        lines = [str(problem) for problem in error.problems[:SHOWN]]
        more = len(error.problems) + error.more - len(lines)
        return _refuse(lines + ([f"... and {more} more"] if more else []))
    except AnalysisError as error:
        return _refuse([str(error)])
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return _unwritten(error)
    return 0


def _report(options: argparse.Namespace) -> dict[str, Any]:
    columns = Columns(
        options.unit,
        options.rater,
        options.value,
        options.group,
        options.truth,
        dict(options.where or ()),
        options.confidence_column,
    )
    answers = read_answers(
        Path(options.file), columns, options.level, values=options.values or (), separator=options.separator
    )
    groups = [
        describe(
            group,
            options.level,
            categories=len(options.values) if options.values else None,
            truth=bool(options.truth),
            confidence=bool(options.confidence_column),
            over=options.over,
        )
        for group in answers.groups
    ]
    return {"level": options.level, "over": options.over, "groups": groups, "notes": list(answers.notes)}


def _print(report: dict[str, Any], as_json: bool) -> None:
    if sys.stdout is None:
        raise OSError("standard output is closed")
    unicode = "utf" in (sys.stdout.encoding or "").lower()
    if as_json:
        text = json.dumps(report, indent=2, ensure_ascii=not unicode, allow_nan=False) + "\n"
    else:
        text = as_text(report)
        text = text if unicode else text.replace("±", "+-").encode("ascii", "backslashreplace").decode()
    sys.stdout.write(text)
    sys.stdout.flush()


def _unwritten(error: OSError) -> int:
    if sys.stdout is not None:
        # What could not be written cannot be at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    # The reader of a pipe (head, less) had enough: no error.
    if isinstance(error, BrokenPipeError):
        return 0
    return _refuse([f"the result cannot be written: {error.strerror or error}"])


def _refuse(reasons: Sequence[str]) -> int:
    sys.stderr.write("\n".join(map(printable, reasons)) + "\n")
    return 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.confidence_column and not options.truth:
        parser.error("--confidence-column tells accuracy per confidence, so it needs --truth")
    for column, count in Counter(column for column, _ in options.where or ()).items():
        if count > 1:
            parser.error(f"--where asks column {column!r} for {count} texts, and a row has one: run once for each")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m analysis_core.statistics",
        description="Agreement and accuracy, with intervals, for each group of answers in a CSV file.",
        epilog=GUIDE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE.csv", help="answers, one row per rater and unit; - is standard input")
    parser.add_argument("--unit", required=True, metavar="COLUMN", type=_column, help="what was answered (the item)")
    parser.add_argument("--rater", required=True, metavar="COLUMN", type=_column, help="who answered")
    parser.add_argument(
        "--value", required=True, metavar="COLUMN", type=_column, help="the answer; an empty cell is missing"
    )
    parser.add_argument(
        "--group", metavar="COLUMN", type=_column, help="a line per value of this column (the condition)"
    )
    parser.add_argument("--level", choices=LEVELS, default="nominal", help="level of measurement (default: nominal)")
    parser.add_argument(
        "--values",
        metavar="A,B,C",
        type=_values,
        help="all answers that could have been given; any other is refused; ordinal labels: lowest first",
    )
    parser.add_argument("--truth", metavar="COLUMN", type=_column, help="the right answer of each unit: adds accuracy")
    parser.add_argument(
        "--confidence-column", metavar="COLUMN", type=_column, help="a number: adds accuracy per confidence"
    )
    parser.add_argument(
        "--where", metavar="COLUMN=TEXT", action="append", type=_where, help="read only these rows (repeatable)"
    )
    parser.add_argument(
        "--separator", metavar="CHARACTER", type=_separator, help="comma, semicolon, tab, or one character"
    )
    parser.add_argument(
        "--over",
        choices=OVER,
        default="both",
        help="whom alpha's interval speaks of: new annotators and new items (both, the default), new annotators and"
        " these items (annotators), or these annotators and new items (items)",
    )
    parser.add_argument("--json", action="store_true", help="JSON at full precision in place of the table")
    return parser


def _column(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("a column has a name")
    return text.strip()


def _where(text: str) -> tuple[str, str]:
    column, separator, wanted = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not COLUMN=TEXT")
    return column.strip(), wanted.strip()


def _values(text: str) -> tuple[str, ...]:
    try:
        values = tuple(cell.strip() for cell in next(csv.reader([text], skipinitialspace=True), []))
    except csv.Error:
        values = ()
    if len(values) < 2 or len(set(values)) < len(values) or "" in values:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of two or more different values, such as A,B,C")
    return values


def _separator(text: str) -> str:
    separator = SEPARATORS.get(text.lower(), "\t" if text == r"\t" else text)
    if len(separator) != 1 or separator in '"\r\n ' or separator.isalnum():
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(SEPARATORS)} and no single character")
    return separator


if __name__ == "__main__":
    sys.exit(main())

"""plan."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from studies.cli.output import Output, Refused
from studies.cli.subjects import study_named
from studies.models import Study
from studies.reports.plan_request import PlanRequest, plan_of_study, plan_read

#: Options with the help that the command line shows
HELP = {
    "accuracies": "accuracy of the average annotator on the average item, one per condition (.55,.80)",
    "annotators": "annotators per condition: one number, or one for each (8)",
    "items": "items that count (20)",
    "choices": "answers to choose from (4)",
    "annotator_sd": "how much annotators differ, in logits (.5)",
    "item_sd": "how much items differ, in logits (1)",
    "test": "pairs (Holm) or trend",
    "level": "level of the test (.05)",
    "power": "the chance of finding the difference that is wanted (.8)",
    "width": "the width of alpha's 95 %% interval that is wanted (.3)",
    "minutes_per_item": "minutes for one item (1.5)",
    "minutes_fixed": "minutes for the pages around the items (10)",
    "pay": "pay per hour (12)",
    "fee": "what a recruitment platform adds to the pay, in percent (0)",
    "further_items": "practice items and attention checks (0)",
}


def add_plan(parser: ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("slug", metavar="SLUG", nargs="?", help="take what is not given from this study")
    for name, text in HELP.items():
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar="N", default="", help=text)
    parser.add_argument(
        "--pilot",
        choices=("any", "pilot", "simulated", "live"),
        nargs="?",
        const="any",
        help="take standard deviations and accuracies from the study's pilot (or simulated) sheets; live ones only"
        " after unblinding",
    )
    parser.add_argument("--file", metavar="FILE.csv", help="take them from a pilot in a file, one row per answer")
    columns = {"unit": "item", "rater": "rater", "value": "answer", "truth": "truth"}
    for name, column in columns.items():
        parser.add_argument(f"--{name}", default=column, metavar="COLUMN", help=f"a column of the file ({column})")
    parser.add_argument("--group", metavar="COLUMN", help="the file's column with the condition, if it has several")
    parser.add_argument("--json", action="store_true", help="for programs")


def plan(arguments: Namespace, output: Output) -> None:
    """Power, precision and cost of a design, and the smallest one that suffices."""
    given = {name: getattr(arguments, name) for name in HELP}
    study = study_named(arguments.slug) if arguments.slug else None
    defaults = plan_of_study(study.version.config) if study else PlanRequest()
    request, problems = plan_read(given, defaults)
    if problems:
        raise Refused([f"--{name.replace('_', '-')}: {problem}" for name, problem in problems.items()])
    request, notes = _piloted(arguments, request, study, frozenset(name for name, text in given.items() if text))
    from analysis_core.errors import AnalysisError
    from studies.reports.plan_text import plan_text
    from studies.reports.planning import build_plan

    with output.bar("simulating") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        try:
            found = build_plan(request, progress=progress, notes=notes)
        except AnalysisError as error:
            raise Refused([error]) from error
    if arguments.json:
        output.json(found.as_json())
    else:
        output.line(plan_text(found))


def _piloted(
    arguments: Namespace, request: PlanRequest, study: Study | None, given: frozenset[str]
) -> tuple[PlanRequest, tuple[str, ...]]:
    """The request with what a pilot tells, and the notes on it."""
    if arguments.pilot is None and arguments.file is None:
        return request, ()
    if arguments.pilot and study is None:
        raise Refused(["--pilot takes the sheets of a study: name one, or use --file"])
    from studies.reports.plan_pilot import PilotRefused, pilot_of_file, pilot_of_study

    try:
        if arguments.pilot and study is not None:
            found = pilot_of_study(study, request, wanted=arguments.pilot, keep=given)
        else:
            columns = {name: getattr(arguments, name) for name in ("unit", "rater", "value", "truth", "group")}
            found = pilot_of_file(Path(arguments.file), columns, request, keep=given)
    except PilotRefused as error:
        raise Refused(str(error).splitlines()) from error
    return found.request, found.notes

"""`python manage.py study <verb>`: everything a researcher does without a browser."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from studies.cli import authoring, life, planning, precompute, reporting
from studies.cli.output import Output, Refused


class Command(BaseCommand):
    """Parses a verb and its arguments, and turns refusals into exit codes."""

    help = (
        "Run a study: validate and create it from a file, precompute its explanations, simulate or invite annotators,"
        " and report. In order: validate, create, precompute --wait, freeze, open, invite, close, unblind, report."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

        def verb(name: str, run: Any, *, slug: bool = True) -> ArgumentParser:
            added = verbs.add_parser(name, help=run.__doc__.strip().splitlines()[0])
            added.set_defaults(run=run)
            if slug:
                added.add_argument("slug", metavar="SLUG", help="the study's name, as in its file")
            return added

        for name, run in (("validate", authoring.validate), ("create", authoring.create)):
            verb(name, run, slug=False).add_argument("file", metavar="FILE", help="a study file (YAML)")
        verbs.choices["create"].add_argument(
            "--owner", metavar="NAME", help="the account that sees it in the browser (default: the only one there is)"
        )
        verb("schema", authoring.schema, slug=False)
        verb("delete", authoring.delete).add_argument("--yes", action="store_true", help="really delete it")
        verb("precompute", precompute.precompute).add_argument(
            "--wait", action="store_true", help="compute here until all is done; needs no worker and no broker"
        )
        verb("status", precompute.status)
        for name, run in (("freeze", life.freeze), ("open", life.open_), ("close", life.close)):
            verb(name, run)
        verb("unblind", life.unblind)
        _add_invite(verb("invite", life.invite))
        verb("revoke", life.revoke).add_argument("link", metavar="LINK", help="the link, or its token")
        verb("audit", life.audit)
        _add_simulate(verb("simulate", reporting.simulate))
        _add_report(verb("report", reporting.report))
        _add_export(verb("export", reporting.export))
        planning.add_plan(verb("plan", planning.plan, slug=False))
        for name in ("validate", "status", "audit", "report"):
            verbs.choices[name].add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        from argparse import Namespace

        output = Output(self.stdout, self.stderr)  # type: ignore[arg-type]
        try:
            if options["verb"] != "plan" or options["slug"]:  # a plan without a study needs no database
                _make_tables(output)
            options["run"](Namespace(**options), output)
        except Refused as refused:
            for reason in refused.reasons:
                output.note(reason)
            sys.exit(1)
        except KeyboardInterrupt:
            output.note("interrupted; nothing is lost: the same command goes on from here")
            sys.exit(130)
        except OperationalError as error:
            output.note(f"the database cannot be used: {str(error).strip().splitlines()[0]}")
            sys.exit(1)


def _make_tables(output: Output) -> None:
    """The embedded database is made on first use; another one only by `migrate`, which its owner runs."""
    if MigrationRecorder(connection).has_table():
        return
    if connection.vendor != "sqlite":
        raise Refused(["the database has no tables yet: run `python manage.py migrate` first"])
    output.note("making the database (first use)")
    call_command("migrate", verbosity=0)


def _add_invite(parser: ArgumentParser) -> None:
    parser.add_argument("--count", type=int, required=True, help="how many links, one per annotator")
    parser.add_argument("--label", default="", help="a note to recognise them by")
    parser.add_argument("--csv", action="store_true", help="number, label and link as CSV")


def _add_simulate(parser: ArgumentParser) -> None:
    parser.add_argument("--policy", default="guesser", help="guesser, or competent:k (knows with probability k)")
    parser.add_argument("--per-condition", type=int, default=3, help="simulated annotators per condition (3)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same answers (0)")


def _add_report(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=("text", "json", "html", "csv", "latex"), default="text", help="how it is written (text)"
    )
    parser.add_argument("-o", dest="output", metavar="FILE", help="write to a file")
    parser.add_argument("--peek", action="store_true", help="look at live data before unblinding; this is logged")


def _add_export(parser: ArgumentParser) -> None:
    parser.add_argument("-o", dest="output", metavar="FILE", required=True, help="the zip to write")
    parser.add_argument("--peek", action="store_true", help="take live data before unblinding; this is logged")

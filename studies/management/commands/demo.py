"""`python manage.py demo`: the whole platform on one machine, with two studies to look at."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import IntegrityError

from studies import demo
from studies.cli import precompute, reporting
from studies.cli.output import Output, Refused
from studies.models import Study, StudyVersion
from studies.processes import PortTaken, Processes, require_free_port, stop_on_terminate
from studies.selectors import artefact_progress, is_precomputed
from studies.services.freezing import StudyRefused
from studies.services.inviting import invite_url
from studies.services.precompute import PrecomputeRefused


class Command(BaseCommand):
    """Serves the demo until Ctrl-C, or with --once fills it and prints the report."""

    help = (
        "Start the platform on this machine with two demo studies and show their links; Ctrl-C stops it. Started again,"
        " it goes on where it was. With --once: no server; fill the study with simulated annotators, print the report."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="no server: simulate, print the report, exit")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        output = Output(self.stdout, self.stderr)  # type: ignore[arg-type]
        try:
            if options["once"]:
                _once(output)
            else:
                _serve(output, started)
        except (Refused, PortTaken, PrecomputeRefused, StudyRefused, demo.Changed, RuntimeError) as error:
            output.note(str(error))
            sys.exit(1)
        except KeyboardInterrupt:
            output.note("\nstopped; `make demo` goes on from here")
            sys.exit(0 if not options["once"] else 130)


def _once(output: Output) -> None:
    call_command("migrate", verbosity=0)
    user, _ = demo.demo_researcher()
    with output.bar("demo data") as bar:
        version = demo.demo_study(demo.CLOSED, user, _follow(bar))
    precompute.precompute(Namespace(slug=version.study.slug, wait=True), output)
    demo.demo_fill(version)
    reporting.report(Namespace(slug=version.study.slug, peek=False, json=False, format="text", output=None), output)


def _serve(output: Output, started: float) -> None:
    stop_on_terminate()
    require_free_port(settings.PORT)
    call_command("migrate", verbosity=0)
    user, password = demo.demo_researcher()
    with Processes(settings.PORT) as processes:
        processes.start_web()
        processes.wait_for_web()
        output.line(f"first page after {time.perf_counter() - started:.1f} s")
        output.line(f"researcher: {settings.PUBLIC_URL}/  login {demo.RESEARCHER}  password {password}")
        processes.start_worker()
        for file, show in ((demo.CLOSED, _show_closed), (demo.OPEN, _show_open)):
            try:
                with output.bar("demo data") as bar:
                    version = demo.demo_study(file, user, _follow(bar))
                demo.demo_precompute(version)
                _wait(version, processes, output)
                show(version, output)
            except demo.Changed as changed:
                output.line(str(changed))
            except (ObjectDoesNotExist, IntegrityError):
                # Whoever looks around may delete a study that is being prepared: the others are served all the same.
                if Study.objects.filter(pk=version.study_id).exists():
                    raise
                output.line(f"{file}: its study was deleted meanwhile; `make demo` makes it again")
        output.line("Ctrl-C stops both processes")
        while True:
            processes.check()
            time.sleep(1)


def _wait(version: StudyVersion, processes: Processes, output: Output) -> None:
    """Follow the worker until the version's artefacts are ready. raises: Refused"""
    with output.bar(f"{version.study.slug}: precomputing") as bar:
        while not is_precomputed(version):
            processes.check()
            counts = artefact_progress(version)
            bar.total, bar.n = sum(counts.values()), counts["ready"]
            bar.refresh()
            problem = version.runs.latest("pk").problem
            failed = [f"{row}: {row.reason}" for row in version.artefacts.filter(state="failed")]
            if problem or (failed and not counts["wanted"] + counts["leased"]):
                raise Refused([problem] if problem else failed)
            time.sleep(0.5)


def _show_closed(version: StudyVersion, output: Output) -> None:
    demo.demo_fill(version)
    output.line(f"\nreport (simulated): {settings.PUBLIC_URL}/studies/{version.study.slug}/report/")


def _show_open(version: StudyVersion, output: Output) -> None:
    live, previews = demo.demo_links(version)
    output.line("annotator links, one per person:")
    for invite in live:
        output.line(f"  {invite_url(invite)}")
    output.line("previews (marked, never counted):")
    for invite in previews:
        output.line(f"  {invite.condition}: {invite_url(invite)}")


def _follow(bar: Any) -> Any:
    def progress(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return progress

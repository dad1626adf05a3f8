"""precompute, status."""

from __future__ import annotations

import time
from argparse import Namespace

from studies.cli.output import Output, Refused
from studies.cli.subjects import study_named
from studies.models import Run, StudyVersion
from studies.selectors import artefact_progress, is_precomputed, status_facts
from studies.services.precompute import PrecomputeRefused, precompute_start
from studies.services.ringing import workers_ring

OPEN = ("wanted", "leased")


def precompute(arguments: Namespace, output: Output) -> None:
    """Make the work and ring the workers, or with --wait do it here."""
    version = study_named(arguments.slug).version
    if is_precomputed(version):
        output.line(_summary(version))
        return
    try:
        run = precompute_start(version=version)
    except PrecomputeRefused as error:
        raise Refused([error]) from error
    if arguments.wait:
        _work_here(version, output)
        output.line(_summary(version))
        return
    if not workers_ring():
        output.note("the broker cannot be reached; a running worker finds the work by itself within 15 seconds")
    if run.problem:
        raise Refused([run.problem])
    output.line(_summary(version))
    output.note(f"the workers go on; look with: python manage.py study status {arguments.slug}")


def status(arguments: Namespace, output: Output) -> None:
    """Where a study stands."""
    study = study_named(arguments.slug)
    facts = {name: fact for name, fact in status_facts(study).items() if name != "jobs"}
    if arguments.json:
        output.json(facts)
        return
    output.line(f"{study.slug}: {study.state}, {_summary(study.version)}")
    if facts["problem"]:
        output.line(f"  problem: {facts['problem']}")
    for row in facts["failed"]:
        output.line(f"  failed: {row['artefact']}: {row['reason']}")
    for row in facts["sheets"]["live"]:
        output.line(f"  {row['name']}: {row['finished']} of {row['quota']} finished, {row['active']} under way")


def _work_here(version: StudyVersion, output: Output) -> None:
    """Lease and compute in this process until nothing of the version is open. raises: Refused"""
    from studies.worker import work_until_idle

    with output.bar("precomputing") as bar:

        def show() -> None:
            counts = artefact_progress(version)
            bar.total = sum(counts.values())
            bar.n = counts["ready"] + counts["failed"]
            bar.refresh()

        show()
        while True:
            work_until_idle(version=version, after_group=show)
            show()
            run = Run.objects.filter(version=version).latest("pk")
            if run.problem:
                raise Refused([run.problem])
            failed = [f"{row}: {row.reason}" for row in version.artefacts.filter(state="failed")]
            if is_precomputed(version):
                return
            if not version.artefacts.filter(state__in=OPEN).exists():
                raise Refused(failed or ["the precomputation stopped without a reason"])
            time.sleep(0.5)  # the rest is leased by another process


def _summary(version: StudyVersion) -> str:
    counts = artefact_progress(version)
    text = f"{counts['ready']} of {sum(counts.values())} artefacts ready"
    if counts["failed"]:
        text += f", {counts['failed']} failed"
    return text + (", all done" if is_precomputed(version) else "")

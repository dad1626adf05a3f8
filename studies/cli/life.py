"""freeze, open, close, unblind, invite, revoke, audit."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable

from studies.cli.output import Output, Refused
from studies.cli.subjects import actor, study_named
from studies.models import Study
from studies.services import freezing
from studies.services.audit import broken_links
from studies.services.inviting import InvitesRefused, invite_revoke, invite_url, invites_create
from studies.spreadsheet import rows_write


def freeze(arguments: Namespace, output: Output) -> None:
    """Fix the plan before data collection."""
    study = _take(freezing.study_freeze, arguments.slug)
    output.line(f"{study.slug}: frozen, plan {study.version.plan_sha256}")


def open_(arguments: Namespace, output: Output) -> None:
    """Let annotators in."""
    output.line(f"{_take(freezing.study_open, arguments.slug).slug}: open")
    output.note(f"next: python manage.py study invite {arguments.slug} --count 10")


def close(arguments: Namespace, output: Output) -> None:
    """Let nobody new in."""
    output.line(f"{_take(freezing.study_close, arguments.slug).slug}: closed")


def unblind(arguments: Namespace, output: Output) -> None:
    """Show outcomes by condition from now on."""
    output.line(f"{_take(freezing.study_unblind, arguments.slug).slug}: unblinded")


def invite(arguments: Namespace, output: Output) -> None:
    """Make links for annotators."""
    study = study_named(arguments.slug)
    if not 1 <= arguments.count <= 10_000:
        raise Refused([f"--count is {arguments.count}; it must lie between 1 and 10000"])
    try:
        invites = invites_create(study=study, count=arguments.count, label=arguments.label)
    except InvitesRefused as error:
        raise Refused([error]) from error
    if not arguments.csv:
        for link in invites:
            output.line(invite_url(link))
        return
    rows_write(output.stdout, ["number", "label", "link"], ([i.number, i.label, invite_url(i)] for i in invites))


def revoke(arguments: Namespace, output: Output) -> None:
    """Make an unclaimed link useless."""
    token = arguments.link.rstrip("/").rsplit("/", 1)[-1]
    if not invite_revoke(study=study_named(arguments.slug), token=token):
        raise Refused([f"{arguments.link}: no unclaimed link of this study"])
    output.line(f"{arguments.slug}: revoked")


def audit(arguments: Namespace, output: Output) -> None:
    """Show the audit log, and check its chain."""
    study = study_named(arguments.slug)
    broken = broken_links(study)
    entries = [
        {"number": e.number, "at": e.at.isoformat(), "act": e.act, "actor": e.actor, "sha256": e.sha256}
        for e in study.audit.all()
    ]
    if arguments.json:
        output.json({"study": study.slug, "intact": not broken, "broken": broken, "entries": entries})
    else:
        for entry in entries:
            output.line(f"{entry['number']:>4}  {entry['at']}  {entry['act']:<10} {entry['actor']}")
    if broken:
        raise Refused([f"entry {number} does not fit its chain" for number in broken])


def _take(step: Callable[..., Study], slug: str) -> Study:
    try:
        return step(study=study_named(slug), actor=actor())
    except freezing.StudyRefused as error:
        raise Refused(error.reasons) from error

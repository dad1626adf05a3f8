"""What the demo consists of: two studies on generated scenes, a researcher's login, invites and previews."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User

from studies import linter
from studies.config import read
from studies.models import Invite, Study, StudyVersion
from studies.models.sheet import Kind
from studies.reports.build import report_store
from studies.selectors import is_precomputed
from studies.services import freezing
from studies.services.authoring import study_create
from studies.services.inviting import invites_create, preview_invites
from studies.services.precompute import precompute_start
from studies.services.ringing import workers_ring
from studies.services.simulation import parse_policy, sheets_simulate

CLOSED, OPEN = "fixtures/clevr_simulation.yaml", "fixtures/clevr_open.yaml"
RESEARCHER = "researcher"
LINKS = 5
ACTOR = "demo"
#: Later conditions know more, so that the demo's report shows the trend that the paper's study looks for.
KNOWS = (0.35, 0.45, 0.55, 0.65, 0.75)


class Changed(Exception):
    """A researcher has given one of the demo's studies another definition: it is theirs, and left as it is."""


def demo_study(file: str, owner: User, progress: Callable[[int, int], None] | None = None) -> StudyVersion:
    """The study of one of the demo's files; made on the first call.

    raises: RuntimeError with the linter's problems, Changed
    """
    config = read(Path(settings.BASE_DIR, file).read_text(encoding="utf-8"))
    existing = Study.objects.filter(slug=config.study).first()
    if existing and existing.version.config == config:
        return existing.version
    if existing:
        raise Changed(
            f"{config.study} has another definition than {file} by now and is left as it is; deleted, it is made anew"
        )
    problems = linter.check(config, base=settings.BASE_DIR, progress=progress)
    if problems:
        raise RuntimeError("\n".join(f"{file}: {problem}" for problem in problems))
    return study_create(config=config, owner=owner)


def demo_researcher() -> tuple[User, str]:
    """The demo's account and its password, which is drawn once and kept readable by its owner only."""
    path = Path(settings.STATE_DIR) / "demo_password"
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(12))
    password = path.read_text(encoding="ascii")
    user, _ = User.objects.get_or_create(username=RESEARCHER)
    if not user.check_password(password):
        user.set_password(password)
        user.save()
    return user, password


def demo_precompute(version: StudyVersion) -> None:
    """Want the version's artefacts, and ring the worker."""
    if not is_precomputed(version):
        precompute_start(version=version)
        workers_ring()


def demo_fill(version: StudyVersion) -> Study:
    """Fill the closed study with simulated annotators and take it to its end."""
    annotators = version.config.annotators.per_condition
    for condition, knows in zip(version.conditions.all(), KNOWS, strict=True):
        sheets_simulate(
            version=version,
            policy=parse_policy(f"competent:{knows}"),
            per_condition=annotators,
            seed=0,
            conditions=[condition],
        )
    study = advance_to(version.study, Study.State.UNBLINDED)
    report_store(version_pk=version.pk)
    return study


def demo_links(version: StudyVersion) -> tuple[list[Invite], list[Invite]]:
    """Open the open study: ordinary links (the unclaimed ones) and one preview link per condition."""
    study = advance_to(version.study, Study.State.OPEN)
    unclaimed = study.invites.filter(kind=Kind.LIVE, revoked=False, sheets=None)
    missing = LINKS - unclaimed.count()
    if missing > 0:
        invites_create(study=study, count=missing, label="demo")
    return list(unclaimed.all()), preview_invites(study=study)


def advance_to(study: Study, goal: Study.State) -> Study:
    """Take a study step by step to a state, from wherever it stands. raises: StudyRefused"""
    steps = {
        Study.State.DRAFT: freezing.study_freeze,
        Study.State.FROZEN: freezing.study_open,
        Study.State.OPEN: freezing.study_close,
        Study.State.CLOSED: freezing.study_unblind,
    }
    order = [*steps, Study.State.UNBLINDED]
    study.refresh_from_db()
    while order.index(Study.State(study.state)) < order.index(goal):
        study = steps[Study.State(study.state)](study=study, actor=ACTOR)
    return study

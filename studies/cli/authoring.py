"""validate, create, schema, delete."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User

from studies import linter
from studies.cli.output import Output, Refused
from studies.cli.subjects import study_named
from studies.config import StudyConfig, json_schema, read
from studies.services.authoring import DeletionInterrupted, StudyExists, study_create, study_delete
from studies.yaml_strict import StudyFileError


def validate(arguments: Namespace, output: Output) -> None:
    """Check a study file, its data and its checkpoint; store nothing."""
    try:
        config = load(arguments.file, output)
    except Refused as refused:
        if arguments.json:
            output.json({"valid": False, "problems": refused.reasons})
        raise
    if arguments.json:
        output.json({"valid": True, "study": config.study, "sha256": config.sha256, "problems": []})
    else:
        output.line(f"{arguments.file}: valid, {len(config.arms)} conditions, version {config.sha256[:12]}")


def create(arguments: Namespace, output: Output) -> None:
    """Make a study from a file."""
    config = load(arguments.file, output)
    try:
        version = study_create(config=config, owner=_owner(arguments.owner))
    except StudyExists as error:
        raise Refused([error]) from error
    output.line(f"{version.study.slug}: version {version.number} ({version.sha256[:12]})")
    output.note(f"next: python manage.py study precompute {version.study.slug} --wait")


def schema(arguments: Namespace, output: Output) -> None:
    """Print the JSON Schema of study files."""
    output.json(json_schema())


def delete(arguments: Namespace, output: Output) -> None:
    """Delete a study with all its answers."""
    study = study_named(arguments.slug)
    if not arguments.yes:
        sheets = sum(version.sheets.count() for version in study.versions.all())
        raise Refused([f"{study.slug} has {sheets} sheets; add --yes to delete it with all of them"])
    try:
        study_delete(study=study)
    except DeletionInterrupted as interrupted:
        raise Refused([interrupted]) from interrupted
    output.line(f"{arguments.slug}: deleted")


def _owner(name: str | None) -> User | None:
    """Who sees the study in the browser: the one named, else the only account that there is."""
    if name is None:
        accounts = list(User.objects.all()[:2])
        return accounts[0] if len(accounts) == 1 else None
    user = User.objects.filter(username=name).first()
    if user is None:
        raise Refused([f"--owner {name}: there is no such account; make it with `python manage.py researcher {name}`"])
    return user


def load(file: str, output: Output) -> StudyConfig:
    """Read and check a study file. raises: Refused with every problem, `file: ` in front"""
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refused([f"{file}: {error.strerror or error}"]) from error
    except UnicodeDecodeError as error:
        raise Refused([f"{file}: not UTF-8 text (byte {error.start})"]) from error
    try:
        config = read(text)
    except StudyFileError as error:
        raise Refused([f"{file}: {problem}" for problem in error.problems]) from error
    with output.bar("reading the dataset") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        problems = linter.check(config, base=settings.BASE_DIR, progress=progress)
    if problems:
        raise Refused([f"{file}: {problem}" for problem in problems])
    return config

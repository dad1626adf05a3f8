"""Making studies from study files."""

from __future__ import annotations

import json

from django.contrib.auth.models import User
from django.db import transaction

from studies.config import StudyConfig
from studies.models import Condition, Study, StudyVersion


class StudyExists(Exception):
    """A study of this name that can no longer take another definition."""


@transaction.atomic
def study_create(*, config: StudyConfig, owner: User | None) -> StudyVersion:
    """Make the study, or a new version of it while it is a draft; the same definition again changes nothing.

    raises: StudyExists
    """
    study, is_new = Study.objects.select_for_update().get_or_create(slug=config.study, defaults={"owner": owner})
    if not is_new:
        if study.version.sha256 == config.sha256:
            return study.version
        if study.state != Study.State.DRAFT:
            raise StudyExists(
                f"the study {study.slug} is {study.state} with another definition; choose another name for this one"
            )
    number = 1 if is_new else study.version.number + 1
    version = StudyVersion.objects.create(
        study=study, number=number, definition=json.loads(config.canonical()), sha256=config.sha256
    )
    for position, arm in enumerate(config.arms):
        Condition.objects.create(
            version=version, name=arm.name, position=position, stages=list(arm.stages), quota=arm.quota
        )
    return version


@transaction.atomic
def study_delete(*, study: Study) -> None:
    """Delete a study with all its sheets and answers. Artefacts stay: other studies may use them."""
    for version in study.versions.all():
        version.sheets.all().delete()
    study.delete()

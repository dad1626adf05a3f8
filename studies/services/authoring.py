"""Making studies from study files, and deleting them."""

from __future__ import annotations

import json

from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, transaction

from studies.config import StudyConfig
from studies.models import Condition, Study, StudyVersion
from studies.services.clearing import outcomes_clear
from studies.services.locking import sheets_and_study_locked


class StudyExists(Exception):
    """A study of this name that can no longer take another definition."""


class DeletionInterrupted(Exception):
    """A study that is not deleted yet, and can be deleted again; the text is a sentence for the researcher."""


@transaction.atomic
def study_create(
    *, config: StudyConfig, owner: User | None, author: User | None = None, after: int | None = None
) -> StudyVersion:
    """Make the study, or a new version of it while it is a draft; the same definition again changes nothing.

    author: who asks in a browser or by the API, and may change own studies only; None = somebody at the terminal
    after:  the newest version's number as the author saw it, 0 = none yet; None = whichever it is
    raises: StudyExists
    """
    taken = StudyExists(f"the name {config.study} is taken; choose another one")
    study, is_new = Study.objects.select_for_update().get_or_create(slug=config.study, defaults={"owner": owner})
    if not is_new and author is not None and not author.is_staff and study.owner_id != author.pk:
        raise taken
    if not is_new:
        # Read again, not the stored hash: a definition from before a key existed is the same with its default.
        if study.version.config == config:
            return study.version
        if after == 0:
            raise taken
        if study.state != Study.State.DRAFT:
            raise StudyExists(
                f"the study {study.slug} is {study.state} with another definition; choose another name for this one"
            )
        if after is not None and study.version.number != after:
            raise StudyExists(
                f"somebody saved version {study.version.number} while you were changing version {after}; yours is not"
                " saved yet: save again to put it after theirs"
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


def study_delete(*, study: Study) -> None:
    """Delete a study with all its sheets, answers and exports. Artefacts stay: other studies may use them.

    In two steps, the first of which nobody can take back; interrupted between them it is done by deleting again.

    raises: DeletionInterrupted
    """
    try:
        # Seen by all before anything is locked: nobody begins a sheet any more. The database refuses to delete answers
        # and audit entries of a study in any other state.
        Study.objects.filter(pk=study.pk).update(state=Study.State.DELETING)
        _delete(study)
    except (IntegrityError, OperationalError) as error:
        raise DeletionInterrupted(
            f"Somebody was using the study {study.slug} just now. It is closed for everybody: delete it again."
        ) from error


@transaction.atomic
def _delete(study: Study) -> None:
    held = sheets_and_study_locked(study)
    if held is None:
        return
    outcomes_clear(study=held)
    for version in held.versions.all():
        version.sheets.all().delete()
    held.delete()

"""Who somebody is on a recruitment platform: read from its link, kept apart from the answers, erasable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from studies.models import PlatformIdentity, Sheet, SpentIdentity, Study
from studies.secret_ids import keyed

_PARAMETERS = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{1,200}")


class IdsRefused(Exception):
    """A link whose recruitment ids are missing or malformed."""


@dataclass(frozen=True)
class PlatformIds:
    """What the platform's link said: the person, and the platform's own names of study and session."""

    platform: str
    participant: str
    external_study: str = ""
    external_session: str = ""

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The form fields that carry them from the landing page to the start."""
        values = (self.participant, self.external_study, self.external_session)
        return tuple((name, value) for name, value in zip(_PARAMETERS, values, strict=True) if value)


def platform_ids(study: Study, given: Mapping[str, str]) -> PlatformIds | None:
    """The recruitment ids of a query or a form; None where the study keeps none, or none are given.

    raises: IdsRefused (some are given, and the participant's is missing or one is malformed)
    """
    platform = study.version.config.recruitment.ids
    values = [given.get(name, "") for name in _PARAMETERS]
    if platform == "none" or not any(values):
        return None
    if not values[0] or not all(_WELL_FORMED.fullmatch(value) for value in values if value):
        raise IdsRefused
    return PlatformIds(platform, *values)


def sheet_of_identity(study: Study, ids: PlatformIds) -> Sheet | None:
    """The sheet that this person has in the study."""
    return Sheet.objects.filter(annotator__identity__study=study, annotator__identity__key=_key(study, ids)).first()


def is_spent(study: Study, ids: PlatformIds) -> bool:
    """Whether this person has taken part and withdrawn."""
    return SpentIdentity.objects.filter(study=study, key=_key(study, ids)).exists()


def identity_forget(*, sheet: Sheet) -> None:
    """Delete who somebody is, inside the caller's transaction; that the person cannot begin again is what stays."""
    for identity in PlatformIdentity.objects.filter(annotator=sheet.annotator):
        SpentIdentity.objects.get_or_create(key=identity.key, defaults={"study": identity.study})
        identity.delete()


def identity_store(*, sheet: Sheet, ids: PlatformIds) -> PlatformIdentity:
    """Keep who somebody is, inside the caller's transaction. raises: IntegrityError (has a sheet in this study)"""
    study = sheet.version.study
    return PlatformIdentity.objects.create(
        study=study,
        annotator=sheet.annotator,
        key=_key(study, ids),
        platform=ids.platform,
        participant=ids.participant,
        external_study=ids.external_study,
        external_session=ids.external_session,
    )


def _key(study: Study, ids: PlatformIds) -> str:
    return keyed(study.secret, "identity", ids.platform, ids.participant).hex()

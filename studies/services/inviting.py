"""Making and revoking the links that annotators get."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from studies.models import Condition, Invite, Study
from studies.models.sheet import Kind
from studies.secret_ids import public_id


@transaction.atomic
def invites_create(*, study: Study, count: int, label: str = "") -> list[Invite]:
    """`count` new links, each for one annotator."""
    Study.objects.select_for_update().get(pk=study.pk)
    start = study.invites.count()
    return Invite.objects.bulk_create(_invite(study, start + i, Kind.LIVE, label=label) for i in range(count))


@transaction.atomic
def preview_invites(*, study: Study) -> list[Invite]:
    """One preview link per condition of the newest version; asked again, the same ones."""
    Study.objects.select_for_update().get(pk=study.pk)
    invites = []
    for condition in study.version.conditions.all():
        invite = study.invites.filter(kind=Kind.PILOT, condition=condition).first()
        if invite is None:
            invite = _invite(study, study.invites.count(), Kind.PILOT, condition=condition)
            invite.save()
        invites.append(invite)
    return invites


@transaction.atomic
@transaction.atomic
def invite_revoke(*, study: Study, token: str) -> bool:
    """Make an unclaimed link useless; False where there is none such."""
    # A claim takes the same lock: one of the two comes first.
    Study.objects.select_for_update().get(pk=study.pk)
    return bool(study.invites.filter(token=token, sheets=None, revoked=False).update(revoked=True))


def invite_url(invite: Invite) -> str:
    """The link as it is sent to a person."""
    return f"{settings.PUBLIC_URL}/s/{invite.study.slug}/{invite.token}/"


def _invite(study: Study, number: int, kind: Kind, *, condition: Condition | None = None, label: str = "") -> Invite:
    token = public_id(study.secret, "invite", number, length=24)
    return Invite(study=study, number=number, token=token, kind=kind, condition=condition, label=label)

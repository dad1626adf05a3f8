"""Making and revoking the links that annotators get."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When

from studies.models import Condition, Invite, Sheet, Study
from studies.models.sheet import Kind
from studies.secret_ids import public_id

MOST_LABEL = 120


class InvitesRefused(Exception):
    """Links that cannot be made; the text is a sentence for the researcher."""


@transaction.atomic
def invites_create(*, study: Study, count: int, label: str = "") -> list[Invite]:
    """`count` new links, each for one annotator. raises: InvitesRefused (the study is over, or the label too long)"""
    state = Study.objects.select_for_update().get(pk=study.pk).state
    if state in (Study.State.CLOSED, Study.State.UNBLINDED):
        raise InvitesRefused(f"the study is {state}: nobody could use a link any more")
    label = " ".join(label.replace("\x00", "").split())
    if len(label) > MOST_LABEL:
        raise InvitesRefused(f"a label has at most {MOST_LABEL} characters")
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
def invite_revoke(*, study: Study, token: str) -> bool:
    """Make an unclaimed link useless; False where there is none such."""
    # A claim takes the same lock: one of the two comes first.
    Study.objects.select_for_update().get(pk=study.pk)
    return bool(study.invites.filter(token=token, sheets=None, revoked=False).update(revoked=True))


def live_invites(study: Study, label: str | None = None) -> QuerySet[Invite]:
    """The links for annotators in order, each with its `use`: unclaimed, claimed, finished or revoked.

    What became of a claimed one beyond "finished" is not told: a link may bear somebody's name.
    label: only those with exactly this label
    """
    sheets = Sheet.objects.filter(invite=OuterRef("pk"))
    use = Case(
        When(revoked=True, then=Value("revoked")),
        When(Exists(sheets.filter(step=Sheet.Step.DONE)), then=Value("finished")),
        When(Exists(sheets), then=Value("claimed")),
        default=Value("unclaimed"),
    )
    invites = study.invites.filter(kind=Kind.LIVE).select_related("study").annotate(use=use).order_by("number")
    return invites if label is None else invites.filter(label=label)


def invite_url(invite: Invite) -> str:
    """The link as it is sent to a person."""
    return f"{settings.PUBLIC_URL}/s/{invite.study.slug}/{invite.token}/"


def open_url(study: Study) -> str:
    """The one address for everybody, where the study file allows it."""
    return f"{settings.PUBLIC_URL}/s/{study.slug}/"


def _invite(study: Study, number: int, kind: Kind, *, condition: Condition | None = None, label: str = "") -> Invite:
    token = public_id(study.secret, "invite", number, length=24)
    return Invite(study=study, number=number, token=token, kind=kind, condition=condition, label=label)

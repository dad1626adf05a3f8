"""Researchers' accounts, and who works on a study beside its owner."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from studies.models import Membership, Study
from studies.services.audit import audit_record

PASSWORD_BYTES = 15


class PeopleRefused(Exception):
    """A person who cannot be added, removed or given an account; one sentence per reason."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__(" ".join(reasons))


class AccountSet(NamedTuple):
    """An account with its new password. revoked: how many API tokens it had, which are useless now"""

    user: User
    password: str
    is_new: bool
    revoked: int


@transaction.atomic
def account_set(*, name: str, password: str | None = None, reactivate: bool = False) -> AccountSet:
    """Make a researcher's account, or give an account that exists a new password and revoke its API tokens.

    password:   None draws one
    reactivate: let a disabled account log in again; otherwise it stays disabled
    raises:     PeopleRefused (a name or password that is not accepted)
    """
    user = User.objects.select_for_update().filter(username=name).first()
    is_new = user is None
    user = user or User(username=name)
    password = secrets.token_urlsafe(PASSWORD_BYTES) if password is None else password
    try:
        User.username_validator(name)
        user.clean_fields(exclude=["password"])
        validate_password(password, user)
    except ValidationError as error:
        raise PeopleRefused(list(error.messages)) from error
    user.set_password(password)
    user.is_active = user.is_active or reactivate
    user.save()
    # Whoever knew the old password may have made tokens, which outlive it.
    revoked, _ = user.api_tokens.all().delete()
    return AccountSet(user, password, is_new, revoked)


@transaction.atomic
def coder_add(*, study: Study, name: str, actor: str) -> Membership:
    """Let somebody code a study. raises: PeopleRefused"""
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise PeopleRefused([f"There is no account called “{name}”. Names are written exactly, capitals too."])
    if user.pk == study.owner_id:
        raise PeopleRefused([f"{name} owns the study and may do everything already."])
    member, is_new = Membership.objects.get_or_create(study=study, user=user)
    if not is_new:
        raise PeopleRefused([f"{name} is a coder of this study already."])
    audit_record(study=study, act="coder_add", actor=actor, account=name)
    return member


@transaction.atomic
def coder_remove(*, study: Study, name: str, actor: str) -> None:
    """Let a coder see the study no longer; what was coded stays. raises: PeopleRefused"""
    removed, _ = Membership.objects.filter(study=study, user__username=name).delete()
    if not removed:
        raise PeopleRefused([f"{name} is no coder of this study."])
    audit_record(study=study, act="coder_remove", actor=actor, account=name)

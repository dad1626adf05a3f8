"""Every address x every role x every method, by real requests. An address without a row in endpoint_rows.py fails."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from studies.models import Membership, Study
from studies.services.tokens import token_create
from tests import cast
from tests.endpoint_rows import API, ROLES, ROWS

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


class People:
    """The cast of one study, each at a browser of their own."""

    def __init__(self, study: Study, *, csrf: bool = False) -> None:
        self.study, self.csrf = study, csrf
        self.invite = cast.invite(study)
        self.sheet = cast.sheet_at_items(study, "U")
        ann = cast.Annotator(Client())
        ann.sit_at(self.sheet)
        self.media = re.search(r"/m/([^\"]+)\"", ann.get("/t/item/")).group(1)  # type: ignore[union-attr]

    def client(self, role: str) -> Client:
        """Somebody's browser, or for `token` a script."""
        client = Client(enforce_csrf_checks=self.csrf)
        if role == "annotator":
            cast.Annotator(client).sit_at(self.sheet)
        elif role == "token":
            client.defaults["HTTP_AUTHORIZATION"] = f"Token {self._token()}"
        elif role != "stranger":
            client.force_login(self._user(role))
        return client

    def url(self, name: str) -> str:
        """The address of a row."""
        known = {
            "INVITE": self.invite.token,
            "NUMBER": self.invite.number,
            "RESUME": self.sheet.resume_token,
            "MEDIA": self.media,
        }
        return reverse(name, args=[known.get(part, part) for part in ROWS[name].args])

    def _user(self, role: str) -> User:
        if role == "owner":
            assert self.study.owner is not None
            return self.study.owner
        user, is_new = User.objects.get_or_create(username=role, is_staff=role == "staff")
        if is_new and role == "coder":
            Membership.objects.create(study=self.study, user=user)
        return user

    def _token(self) -> str:
        owner = self._user("owner")
        owner.api_tokens.all().delete()
        return token_create(user=owner, name="script", days=1)[1]


@pytest.fixture
def people(scenes: Study) -> People:
    """Everybody around Rosa's study."""
    return People(scenes)


@pytest.fixture
def strict(scenes: Study) -> People:
    """The same, on a server that checks CSRF tokens as in production."""
    return People(scenes, csrf=True)


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    named = list(addresses(get_resolver()))
    assert sorted(set(named)) == sorted(ROWS)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_each_role_gets_what_its_row_says(people: People, name: str) -> None:
    wrong = []
    for role in ROLES:
        client = people.client(role)
        for method in METHODS:
            got, expected = status(client, method, people.url(name), name), ROWS[name].statuses(method)[role]
            if got != expected:
                wrong.append(f"{role} {method} {people.url(name)}: {got}, not {expected}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_nothing_is_changed_without_a_csrf_token(strict: People, name: str) -> None:
    for role in ROLES:
        client = strict.client(role)
        got = {status(client, method, strict.url(name), name) for method in UNSAFE}
        if name not in API:
            assert got == {403}, role
        elif role == "token":
            assert got == {405, ROWS[name].statuses("POST")[role]}, "a script needs no CSRF token"
        else:
            assert got == {401 if role in ("stranger", "annotator") else 403}, role


def status(client: Client, method: str, url: str, name: str) -> int:
    """The status of an empty request, whose effects are taken back."""
    kept = copy.deepcopy(client.cookies)
    with transaction.atomic():
        content_type = "application/json" if name in API else "application/x-www-form-urlencoded"
        response = client.generic(method, url, content_type=content_type)
        transaction.set_rollback(True)
    client.cookies = kept
    return response.status_code


def addresses(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    """The names of all addresses; one without a name is called None."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, namespace + (f"{pattern.namespace}:" if pattern.namespace else ""))
        else:
            yield f"{namespace}{pattern.name}"

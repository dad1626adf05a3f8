"""Tokens: hashed at rest, shown once, named, expiring, revocable; sessions beside them need a CSRF token."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from studies.models import ApiToken
from studies.services.tokens import MOST_TOKENS, TokenRefused, token_create
from tests import cast

pytestmark = pytest.mark.django_db
URL = "/api/v1/studies/"


@pytest.fixture
def rosa() -> User:
    return cast.researcher()


def ask(text: str, scheme: str = "Token") -> int:
    """The status that a script with this token gets."""
    return Client(headers={"Authorization": f"{scheme} {text}"}).get(URL).status_code


def test_only_the_hash_is_kept(rosa: User) -> None:
    _token, text = token_create(user=rosa, name="nightly", days=1)
    assert ask(text) == 200
    assert len(text) > 40
    assert text not in str(ApiToken.objects.values().get())


def test_an_expired_token_a_revoked_one_and_that_of_a_closed_account_are_refused_alike(rosa: User) -> None:
    _token, text = token_create(user=rosa, name="nightly", days=1)
    ApiToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    expired = Client(headers={"Authorization": f"Token {text}"}).get(URL)
    assert (expired.status_code, expired["WWW-Authenticate"]) == (401, "Token")
    ApiToken.objects.update(expires=timezone.now() + timedelta(days=1))
    User.objects.update(is_active=False)
    closed = Client(headers={"Authorization": f"Token {text}"}).get(URL)
    ApiToken.objects.all().delete()
    revoked = Client(headers={"Authorization": f"Token {text}"}).get(URL)
    assert expired.content == closed.content == revoked.content


@pytest.mark.parametrize(
    "header", ["Token", "Token a b", "Token \xff", "Token mvs_guess", "Basic cm9zYTp4", "Bearer x"]
)
def test_headers_that_are_no_token_are_refused(rosa: User, header: str) -> None:
    assert Client(headers={"Authorization": header}).get(URL).status_code == 401


def test_the_page_shows_a_new_token_once_and_revokes_it(rosa: User, client: Client) -> None:
    client.force_login(rosa)
    made = client.post("/account/tokens/", {"name": "nightly", "days": "30"})
    (text,) = re.findall(r"mvs_[\w-]+", made.content.decode())
    assert (made.status_code, ask(text)) == (201, 200)
    page = client.get("/account/tokens/").content.decode()
    assert "nightly" in page
    assert text not in page
    assert client.post("/account/tokens/revoke/", {"name": "nightly"}).url == "/account/tokens/"
    assert ask(text) == 401


@pytest.mark.parametrize(
    ("name", "days"),
    [("", "30"), ("x" * 61, "30"), ("a\nb", "30"), ("ok", "0"), ("ok", "400"), ("ok", "x"), ("old", "3")],
)
def test_the_page_says_what_is_wrong_with_a_token(rosa: User, client: Client, name: str, days: str) -> None:
    token_create(user=rosa, name="old", days=1)
    client.force_login(rosa)
    refused = client.post("/account/tokens/", {"name": name, "days": days})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.content.decode()
    assert ApiToken.objects.count() == 1


def test_nobody_can_revoke_somebody_elses_token(rosa: User, client: Client) -> None:
    token_create(user=rosa, name="nightly", days=1)
    client.force_login(User.objects.create_user("mallory"))
    for name in ("nightly", "a\x00b"):
        client.post("/account/tokens/revoke/", {"name": name})
    assert ApiToken.objects.count() == 1


def test_an_account_has_so_many_tokens_at_most(rosa: User) -> None:
    for number in range(MOST_TOKENS):
        token_create(user=rosa, name=str(number), days=1)
    with pytest.raises(TokenRefused, match="revoke one first"):
        token_create(user=rosa, name="one more", days=1)


def test_the_command_prints_the_token_alone(rosa: User) -> None:
    out = StringIO()
    call_command("researcher_token", "rosa", "--name", "nightly", stdout=out)
    assert ask(out.getvalue().strip()) == 200
    with pytest.raises(CommandError, match="called nightly already"):
        call_command("researcher_token", "rosa", "--name", "nightly")
    with pytest.raises(CommandError, match="no account called sam"):
        call_command("researcher_token", "sam")


def test_a_browsers_session_opens_the_api_and_needs_a_csrf_token_to_change(rosa: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(rosa)
    assert client.get(URL).status_code == 200
    assert client.post("/api/v1/validate/", cast.STUDY_FILE, content_type="application/yaml").status_code == 403
    csrf = client.get("/account/tokens/").cookies["csrftoken"].value
    headers = {"X-CSRFToken": csrf}
    sent = client.post("/api/v1/validate/", cast.STUDY_FILE, content_type="application/yaml", headers=headers)
    assert sent.status_code == 200

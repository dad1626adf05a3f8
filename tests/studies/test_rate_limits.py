"""Guessers have to wait; a campus full of people with typos does not. No address is stored."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from pytest_django import Settings

from studies import rate_limits
from studies.models import FailureCount, Study
from studies.rate_limits import Limit, client_address
from studies.services.tokens import token_create
from tests import cast

pytestmark = pytest.mark.django_db
RIGHT = {"username": "rosa", "password": "correct horse battery"}
WRONG = {**RIGHT, "password": "wrong"}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three failures of each kind are the most; the window is so long that no test meets its end."""
    monkeypatch.setattr(rate_limits, "LIMITS", {what: Limit(3, 10**9) for what in rate_limits.LIMITS})


def test_wrong_passwords_are_limited_by_address_and_not_by_account(few: None) -> None:
    cast.researcher()
    for name in ("rosa", "sam", "rosa"):
        last = Client().post("/login/", {**WRONG, "username": name})
    assert last.status_code == 429
    refused = Client().post("/login/", RIGHT)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert "Please wait a little" in refused.content.decode()
    # Somebody else's typos lock nobody out: Rosa logs in from where she is.
    assert Client(REMOTE_ADDR="198.51.100.7").post("/login/", RIGHT).status_code == 302
    assert Client().get("/login/").status_code == 200


def test_visitors_whose_ipv4_addresses_are_written_as_ipv6_are_told_apart(rf: RequestFactory) -> None:
    found = {
        rate_limits.client_address(rf.get("/", REMOTE_ADDR=f"::ffff:{ip}")) for ip in ("192.0.2.1", "198.51.100.7")
    }
    assert found == {"192.0.2.1", "198.51.100.7"}


def test_successes_never_count(few: None, scenes: Study) -> None:
    for _ in range(6):
        assert Client().post("/login/", RIGHT).status_code == 302
    link = cast.invite(scenes)
    for _ in range(6):
        assert Client().get(f"/s/scenes/{link.token}/").status_code == 200
    assert not FailureCount.objects.exists()


def test_the_limits_leave_room_for_a_campus() -> None:
    # 50 people behind one address: each may mistype a link four times, and every second of them a password.
    assert rate_limits.LIMITS["link"].most >= 200
    assert rate_limits.LIMITS["login"].most >= 25
    assert {limit.seconds for limit in rate_limits.LIMITS.values()} == {900}


def test_unknown_links_are_limited_together(few: None, scenes: Study) -> None:
    for url in ("/s/scenes/guess/", "/s/nothing/guess/"):
        assert Client().get(url).status_code == 404
    assert Client().get("/r/guess/").status_code == 429
    assert Client().post(f"/s/scenes/{cast.invite(scenes).token}/").status_code == 429


def test_those_who_are_in_a_study_go_on_beside_a_guesser(few: None, scenes: Study, ann: cast.Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    for _ in range(5):
        Client().get("/m/guess")
    assert Client().get("/m/guess").status_code == 429
    page = ann.get("/t/item/")
    picture = page.partition('src="/m/')[2].partition('"')[0]
    assert ann.client.get(f"/m/{picture}").status_code == 200
    ann.answer()
    assert scenes.version.sheets.get().position == 1


def test_pictures_that_fail_on_a_sheet_hold_nobody_back(few: None, scenes: Study, ann: cast.Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    for _ in range(5):
        assert ann.client.get("/m/0-damaged").status_code == 404
    assert Client().get(f"/s/scenes/{cast.invite(scenes).token}/").status_code == 200


def test_wrong_tokens_of_the_api_are_limited(few: None) -> None:
    _, text = token_create(user=cast.researcher(), name="script", days=1)
    for _ in range(3):
        assert Client(headers={"Authorization": "Token guess"}).get("/api/v1/studies/").status_code == 401
    right = Client(headers={"Authorization": f"Token {text}"}).get("/api/v1/studies/")
    assert (right.status_code, right["Retry-After"].isdecimal()) == (429, True)
    browser = Client()
    browser.force_login(User.objects.get())
    assert browser.get("/api/v1/studies/").status_code == 200


def test_counters_of_windows_that_are_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    FailureCount.objects.create(what="login", key="old", window=1, count=30)
    FailureCount.objects.create(what="link", key="of another kind", window=1, count=30)
    Client().post("/login/", WRONG)
    assert sorted(FailureCount.objects.values_list("what", "count")) == [("link", 30), ("login", 1)]


def test_a_new_window_begins_with_nothing(few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        Client().post("/login/", WRONG)
    monkeypatch.setattr(rate_limits, "LIMITS", {"login": Limit(3, 10**8)})
    assert Client().post("/login/", WRONG).status_code == 200


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "", "192.0.2.1"),
        (0, "203.0.113.9", "192.0.2.1"),  # anybody can write this header
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "", "192.0.2.1"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "unknown", "unknown"),
    ],
)
def test_the_address_is_what_the_nearest_trusted_proxy_saw(
    settings: Settings, rf: RequestFactory, proxies: int, forwarded: str, expected: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_address(rf.get("/", headers=headers, REMOTE_ADDR="192.0.2.1")) == expected


def test_the_stored_key_changes_with_the_installation_and_is_no_plain_hash(settings: Settings) -> None:
    Client().post("/login/", WRONG)
    first = FailureCount.objects.get().key
    settings.SECRET_KEY = "another installation's key, which is long enough"
    Client().post("/login/", WRONG)
    assert FailureCount.objects.exclude(key=first).count() == 1

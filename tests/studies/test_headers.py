"""Headers and cookies of every kind of page, errors and the API included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import path
from pytest_django import Settings

from studies.models import Study
from studyapp import urls as project_urls
from tests import cast

pytestmark = pytest.mark.django_db
OWN_PICTURES = "/m/"


def broken(request: object) -> None:
    """A view with a bug."""
    raise RuntimeError("the model predicted blue")


urlpatterns = [path("broken/", broken), *project_urls.urlpatterns]
handler400 = project_urls.handler400


def responses(study: Study) -> dict[str, object]:
    """One response of each kind."""
    ann, rosa = cast.Annotator(Client(raise_request_exception=False)), Client()
    ann.sit_at(cast.sheet_at_items(study, "U"))
    rosa.force_login(study.owner)
    strict = Client(enforce_csrf_checks=True)
    return {
        "login": rosa.get("/login/"),
        "studies": rosa.get("/"),
        "refused": rosa.get("/studies/scenes/report/"),
        "item": ann.client.get("/t/item/"),
        "welcome": Client().get(f"/s/scenes/{cast.invite(study).token}/"),
        "unknown": Client().get("/nothing/"),
        "no csrf": strict.post("/login/"),
        "too long": ann.client.post("/t/item/", {"choice": "x" * 2_000_000}),
        "bug": ann.client.get("/broken/"),
        "api": rosa.get("/api/v1/studies/"),
        "api refused": Client().get("/api/v1/studies/"),
        "api schema": Client().get("/api/schema/"),
        "foreign host": Client().get("/login/", headers={"host": "evil.example"}),
        "health": Client().get("/healthz"),
    }


@pytest.mark.urls(__name__)
def test_every_page_is_protected_and_says_what_it_is(scenes: Study) -> None:
    expected = {"refused": 403, "unknown": 404, "no csrf": 403, "too long": 413, "bug": 500, "api refused": 401}
    expected |= {"login": 302, "foreign host": 400}
    for name, response in responses(scenes).items():
        assert response.status_code == expected.get(name, 200), name
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy, name
        assert "frame-ancestors 'none'" in policy, name
        assert "unsafe" not in policy, name
        assert response["X-Content-Type-Options"] == "nosniff", name
        assert response["Cross-Origin-Opener-Policy"] == "same-origin", name
        assert response["Referrer-Policy"] == "same-origin", name
        assert response["X-Frame-Options"] == "DENY", name
        assert "no-store" in response["Cache-Control"], name
        assert "Server" not in response, name
        assert "the model predicted" not in response.content.decode(), name


@pytest.mark.urls(__name__)
def test_error_pages_say_nothing_of_who_asks(scenes: Study) -> None:
    # The same bytes for a stranger, an annotator and a researcher: an error page belongs to no world.
    stranger, ann, rosa = (Client(raise_request_exception=False) for _ in range(3))
    cast.Annotator(ann).sit_at(cast.sheet_at_items(scenes, "U"))
    rosa.force_login(scenes.owner)
    for url, data in (("/nothing/", None), ("/broken/", None), ("/login/", {"username": "x" * 2_000_000})):
        pages = [(c.get(url) if data is None else c.post(url, data)) for c in (stranger, ann, rosa)]
        if url == "/login/":
            pages = pages[:2]  # who is logged in is sent on before the form is read
        assert len({(page.status_code, page.content) for page in pages}) == 1
        assert "Rosa" not in pages[-1].content.decode()


def test_a_text_that_is_too_long_is_refused_calmly_and_nothing_is_lost(scenes: Study, ann: cast.Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    ann.answer()
    refused = ann.client.post("/t/item/", {**ann.form(), "comment": "x" * 10_000_000})
    assert refused.status_code == 413
    assert "nothing that you sent before is lost" in refused.content.decode()
    assert "Traceback" not in refused.content.decode()
    assert scenes.version.sheets.get().position == 1


def test_the_session_key_changes_on_entry_and_at_login(scenes: Study, client: Client) -> None:
    link, session = cast.invite(scenes), client.session
    session["planted"] = True
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    client.post(f"/s/scenes/{link.token}/")
    entered = client.cookies[settings.SESSION_COOKIE_NAME].value
    client.post("/login/", {"username": "rosa", "password": "correct horse battery"})
    logged_in = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert len({session.session_key, entered, logged_in}) == 3


def test_cookies_are_for_this_site_and_not_for_scripts(scenes: Study, client: Client) -> None:
    client.post(f"/s/scenes/{cast.invite(scenes).token}/")
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", "")


def test_an_unknown_host_is_told_nothing(settings: Settings) -> None:
    response = Client().get("/login/", headers={"host": "evil.example"})
    assert (response.status_code, "evil.example" in response.content.decode()) == (400, False)


@pytest.mark.parametrize(("public_url", "secure"), [("http://lab.example", False), ("https://lab.example", True)])
def test_cookies_are_secure_by_the_scheme_of_the_public_address(tmp_path: Path, public_url: str, secure: bool) -> None:
    program = (
        "import json; from django.conf import settings as s;"
        "print(json.dumps([s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT,"
        " s.SECURE_HSTS_SECONDS > 0, s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE]))"
    )
    environment = {**os.environ, "STATE_DIR": str(tmp_path), "PUBLIC_URL": public_url}
    environment["DJANGO_SETTINGS_MODULE"] = "studyapp.settings"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    assert json.loads(done.stdout) == [secure, secure, secure, secure, True, "Lax"]

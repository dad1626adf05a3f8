"""After a whole visit no address, no browser's name and no platform id lies where it does not belong, logs included."""

from __future__ import annotations

import logging

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from studies.models import Study
from tests import cast

pytestmark = pytest.mark.django_db
ADDRESS, AGENT, FORWARDED = "203.0.113.77", "Sherlock/221b", "198.51.100.66"
PERSON = "5f3c0ffee0ddba11"


@pytest.fixture
def visitor() -> cast.Annotator:
    """Somebody who comes from a recruitment platform, with everything that a browser tells."""
    return cast.Annotator(Client(REMOTE_ADDR=ADDRESS, headers={"User-Agent": AGENT, "X-Forwarded-For": FORWARDED}))


def test_no_address_or_browser_is_stored(scenes: Study, visitor: cast.Annotator) -> None:
    visit(scenes, visitor)
    stored = "\n".join(map(str, everything()))
    for private in (ADDRESS, AGENT, FORWARDED):
        assert private not in stored
    assert "guess" not in stored


def test_query_strings_and_tokens_reach_no_log(
    scenes: Study, visitor: cast.Annotator, caplog: pytest.LogCaptureFixture
) -> None:
    from studyapp.log_tokens import MaskTokens

    caplog.handler.addFilter(MaskTokens())
    with caplog.at_level(logging.DEBUG):
        visit(scenes, visitor)
    # SQL of the debug level is for developers and names values; it is off in every setting but DEBUG.
    lines = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("django.db"))
    assert "Not Found: /r/..." in lines
    for private in (PERSON, ADDRESS, AGENT, scenes.invites.get().token, scenes.version.sheets.get().resume_token):
        assert private not in lines


def visit(study: Study, visitor: cast.Annotator) -> None:
    """From the link to the completion code, with a few failures on the way."""
    query = f"?PROLIFIC_PID={PERSON}&STUDY_ID=1&SESSION_ID=2"
    link = cast.invite(study)
    for url in ("/r/guess/", "/s/scenes/guess/", "/login/"):
        visitor.client.get(url + query)
    visitor.client.post("/login/", {"username": "rosa", "password": "guess"})
    visitor.get(f"/s/scenes/{link.token}/{query}")
    visitor.enter(link)
    visitor.client.post("/t/instructions/")
    visitor.answer_all()
    visitor.client.post("/t/review/")
    visitor.client.post("/t/post/")
    assert study.version.sheets.get().step == "done"


def everything() -> list[tuple[object, ...]]:
    """Every row of every table, sessions decoded."""
    rows: list[tuple[object, ...]] = [(session.get_decoded(),) for session in Session.objects.all()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            rows += cursor.fetchall()
    return rows

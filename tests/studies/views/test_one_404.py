"""One answer for whatever is not there: unknown, hidden, foreign or damaged, with a sheet in the browser or without."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from studies import page_memory, pages
from studies.models import Study
from tests import cast
from tests.cast import Annotator

pytestmark = pytest.mark.django_db
MEDIA = re.compile(r"/m/[0-9]+-[a-z0-9]+")


def everything(response: HttpResponse) -> tuple[object, ...]:
    """All that a browser could compare."""
    assert response.status_code == 404
    return response.reason_phrase, tuple(sorted(response.headers.items())), response.cookies.output(), response.content


@pytest.fixture
def nowhere(scenes: Study, ann: Annotator, newcomer: Callable[[], Annotator]) -> list[str]:
    """Addresses at which nothing is for Ann, who is at the first item of the poorest condition."""
    sheet, richer = cast.sheet_at_items(scenes, "U"), cast.sheet_at_items(scenes, "U+C")
    ann.sit_at(sheet)
    damaged = MEDIA.findall(ann.get("/t/item/"))[0]
    entry = pages.media(sheet, damaged.removeprefix("/m/"))
    assert entry is not None
    Path(settings.MEDIA_ROOT, "artefacts", entry["sha256"][:2], f"{entry['sha256']}.png").write_bytes(b"!")
    later = MEDIA.findall(repr(pages.item(sheet, 1)))[0]
    foreign = MEDIA.findall(repr(pages.item(richer, 0)))[-1]
    sheet.condition = scenes.version.conditions.get(name="U+C+Rl+Rg+P")  # not saved: what the richest would have
    hidden = MEDIA.findall(repr(pages.item(sheet, 0)))[-1]
    return [
        damaged,
        later,
        foreign,
        hidden,
        "/m/0-" + "a" * 20,
        "/m/x",
        "/nowhere",
        "/t/nowhere/",
        "/s/scenes/unknown/",
        "/s/unknown/unknown/",
        "/s/scenes/",
        "/s/unknown/",
        "/r/unknown/",
    ]


def test_whatever_is_not_there_looks_the_same_with_a_sheet_and_without(
    nowhere: list[str], ann: Annotator, newcomer: Callable[[], Annotator]
) -> None:
    answers = {everything(visitor.client.get(url)) for visitor in (ann, newcomer()) for url in nowhere}
    assert len(answers) == 1
    ((_, headers, cookies, _),) = answers
    assert ("Vary", "Cookie") in headers
    assert not cookies


def test_a_head_request_tells_no_more(nowhere: list[str], ann: Annotator, newcomer: Callable[[], Annotator]) -> None:
    assert len({everything(visitor.client.head(url)) for visitor in (ann, newcomer()) for url in nowhere}) == 1


def test_without_a_sheet_every_page_of_a_sheet_is_not_there(scenes: Study, ann: Annotator) -> None:
    steps = ("", "consent/", "quiz/", "instructions/", "item/", "review/", "post/", "done/", "withdraw/")
    assert len({everything(ann.client.get(f"/t/{step}")) for step in steps} | {everything(ann.client.get("/m/x"))}) == 1


def test_what_is_hidden_takes_as_much_work_as_what_is_unknown(nowhere: list[str], ann: Annotator) -> None:
    """Time is not compared, what takes it is: the same questions to the database, whatever is not there."""
    _, later, foreign, hidden, unknown, *_ = nowhere
    asked = {url: _queries(ann, url) for url in (foreign, hidden, unknown)}
    assert len({tuple(queries) for queries in asked.values()}) == 1
    # A later item is refused before anything of it is looked up.
    assert set(_queries(ann, later)) < set(asked[unknown])


def _queries(visitor: Annotator, url: str) -> list[str]:
    page_memory.forget()
    with CaptureQueriesContext(connection) as captured:
        assert visitor.client.get(url).status_code == 404
    # Without the time of day, and in alphabetical order: a set of stages stands in a query in any order.
    return [" ".join(sorted(re.findall(r"[A-Za-z_]+", query["sql"]))) for query in captured.captured_queries]

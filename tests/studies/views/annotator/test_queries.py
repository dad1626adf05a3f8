"""How often an annotator's requests ask the database: a picture is asked for by the hundreds, a page by the tens."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from studies import page_memory
from studies.models import Sheet, Study
from tests import cast
from tests.cast import Annotator

Queries = Callable[[int], AbstractContextManager[Any]]


@pytest.fixture
def at_items(scenes: Study, ann: Annotator) -> Sheet:
    """Ann's sheet after the practice, in the condition that shows everything."""
    sheet = cast.sheet_at_items(scenes, "U+C+Rl+Rg+P")
    ann.sit_at(sheet)
    for _ in range(cast.PRACTICE):
        ann.answer()
        ann.get("/t/item/")
    return sheet


def pictures(page: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'src="(/m/[^"]+)"', page)))


def test_a_page_asks_as_often_for_many_items_and_pictures_as_for_few(
    at_items: Sheet, ann: Annotator, django_assert_max_num_queries: Queries
) -> None:
    with django_assert_max_num_queries(9):
        assert len(pictures(ann.client.get("/t/item/").content.decode())) > 20


def test_a_browser_that_loads_a_page_is_looked_up_once(
    at_items: Sheet, ann: Annotator, django_assert_num_queries: Queries
) -> None:
    first, *others = pictures(ann.get("/t/item/"))
    with django_assert_num_queries(2):  # session, sheet
        assert ann.client.get(first).status_code == 200
        assert {ann.client.get(address).status_code for address in others} == {200}
    page_memory.forget()  # another process answers: it builds the page once, then it knows it too
    assert ann.client.get(first).status_code == 200
    with django_assert_num_queries(0):
        assert {ann.client.get(address).status_code for address in others} == {200}


def test_a_browser_is_looked_up_again_after_a_moment(
    at_items: Sheet, ann: Annotator, django_assert_num_queries: Queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_memory, "PASS_SECONDS", 0.0)
    addresses = pictures(ann.get("/t/item/"))
    with django_assert_num_queries(2 * len(addresses)):
        assert {ann.client.get(address).status_code for address in addresses} == {200}


def test_what_was_shown_before_is_not_there_once_the_sheet_may_not_see_it(
    at_items: Sheet,
    ann: Annotator,
    newcomer: Callable[[], Annotator],
    scenes: Study,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = pictures(ann.get("/t/item/"))[0]
    assert ann.client.get(address).status_code == 200
    other = newcomer()
    other.sit_at(cast.sheet_at_items(scenes, "U"))
    assert other.client.get(address).status_code == 404
    is_over = time.monotonic() + page_memory.PASS_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: is_over)
    monkeypatch.setattr(page_memory, "PASS_SECONDS", 0.0)
    Sheet.objects.filter(pk=at_items.pk).update(step="withdrawn")
    assert ann.client.get(address).status_code == 404
    Sheet.objects.filter(pk=at_items.pk).update(step="item")
    assert ann.client.get(address).status_code == 200
    Study.objects.update(state="closed")
    assert ann.client.get(address).status_code == 404


def test_submitting_asks_a_fixed_number_of_times(
    at_items: Sheet, ann: Annotator, django_assert_max_num_queries: Queries
) -> None:
    form = ann.form()
    with django_assert_max_num_queries(23):
        assert ann.client.post("/t/item/", form).status_code == 302


def test_a_sign_of_life_is_written_once_in_a_while(at_items: Sheet, ann: Annotator) -> None:
    for seconds, is_written in ((5, False), (19, False), (21, True), (-60, True)):
        before = timezone.now() - timedelta(seconds=seconds)
        Sheet.objects.filter(pk=at_items.pk).update(seen=before)
        ann.client.get("/t/item/")
        assert (Sheet.objects.get(pk=at_items.pk).seen != before) == is_written, seconds


def test_pages_that_are_remembered_are_bounded(at_items: Sheet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_memory, "MOST_PAGES", 3)
    for position in range(9):
        page_memory.remember(at_items, position, {f"{position}-a": {}})
    assert [bool(page_memory.recall(at_items, position)) for position in range(9)] == [False] * 6 + [True] * 3

"""Sixty people start at once, a third of them wanders off, others take their places: the arms stay balanced."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from benchmarks.load import annotator
from benchmarks.load.browser import Browser, Reply
from studies.models import Invite, Sheet, Study
from studies.services.assignment import UNDER_WAY, has_place
from studies.services.inviting import invites_create
from tests import cast
from tests.databases.crowd import at_once, served

ARMS, PER_ARM = 5, 12
COUNT = ARMS * PER_ARM
#: Sizes of the groups that start together; after each of them the arms are counted.
WAVES = (7, 1, 12, 22, 18)


@pytest.fixture
def sixty(own_database: str) -> Study:
    """Rosa's study with places for sixty."""
    return cast.study(text=cast.STUDY_FILE.replace("per_condition: 3", f"per_condition: {PER_ARM}"))


@pytest.fixture
def port(own_database: str) -> Iterator[int]:
    with served() as port:
        yield port


def start(port: int, links: Sequence[Invite]) -> list[tuple[Browser, Reply]]:
    """One browser per link, all at once, up to the instructions (or the page in their place)."""

    def one(link: Invite) -> tuple[Browser, Reply]:
        browser = Browser(port)
        try:
            return browser, annotator.start(browser, f"/s/scenes/{link.token}/")
        finally:
            browser.leave()

    return at_once([partial(one, link) for link in links])


def holding(study: Study) -> list[int]:
    """Per arm: completed, and active within the time-out. Counted in Python, beside the code that assigns by it."""
    limit = timezone.now() - timedelta(minutes=60)
    arms = dict.fromkeys(study.version.conditions.values_list("pk", flat=True), 0)
    for sheet in Sheet.objects.filter(condition__isnull=False):
        is_active = sheet.step in UNDER_WAY and sheet.seen > limit
        arms[sheet.condition_id] += sheet.step == Sheet.Step.DONE or is_active
    return list(arms.values())


def wander_off(sheets: Sequence[Sheet]) -> None:
    """No sign of life for longer than the time-out."""
    Sheet.objects.filter(pk__in=[s.pk for s in sheets]).update(seen=timezone.now() - timedelta(minutes=61))


def test_sixty_starts_at_once_with_abandoning_and_refills_balance_the_arms(sixty: Study, port: int) -> None:
    links = invites_create(study=sixty, count=COUNT + 30)
    at = 0
    for size in WAVES:
        pages = start(port, links[at : at + size])
        assert {page.path for _, page in pages} == {"/t/instructions/"}
        at += size
        counts = holding(sixty)
        assert (sum(counts), max(counts) - min(counts) <= 1) == (at, True), counts
    assert holding(sixty) == [PER_ARM] * ARMS
    assert not has_place(sixty)

    gone = random.Random(7).sample(list(Sheet.objects.all()), 18)
    wander_off(gone)
    assert sum(holding(sixty)) == COUNT - 18
    # 18 places are free and 25 come: seven meet "full", at the link or after the consent, and hold nothing.
    pages = start(port, links[COUNT : COUNT + 25])
    assert sum(page.path == "/t/instructions/" for _, page in pages) == 18
    assert holding(sixty) == [PER_ARM] * ARMS
    assert Sheet.objects.exclude(condition=None).count() == COUNT + 18
    assert {sheet.step for sheet in Sheet.objects.filter(condition=None)} <= {"full"}

    # Six come back late: each keeps the place and is marked, and the arms hold more than their quota, counted as such.
    late = gone[:6]
    at_once([partial(open_again, port, sheet) for sheet in late])
    assert Sheet.objects.filter(is_late=True).count() == 6
    assert set(Sheet.objects.filter(is_late=True)) == set(late)
    assert {s.pk: s.condition_id for s in late} == dict(
        Sheet.objects.filter(is_late=True).values_list("pk", "condition_id")
    )
    assert sum(holding(sixty)) == COUNT + 6
    assert not has_place(sixty)
    assert Sheet.objects.values("invite").distinct().count() == Sheet.objects.count()


def open_again(port: int, sheet: Sheet) -> None:
    browser = Browser(port)
    assert browser.get(f"/r/{sheet.resume_token}/").path == "/t/instructions/"
    browser.leave()


def test_a_link_that_eight_browsers_start_at_once_is_claimed_by_one(sixty: Study, port: int) -> None:
    (link,) = invites_create(study=sixty, count=1)
    address = f"/s/scenes/{link.token}/"
    browsers = [Browser(port) for _ in range(8)]
    forms = [browser.get(address).seen.forms[0].values for browser in browsers]
    replies = at_once([partial(b.post, address, form) for b, form in zip(browsers, forms, strict=True)])
    assert sorted(reply.status for reply in replies) == [200] + [409] * 7
    assert Sheet.objects.get().invite == link


def test_consent_sent_eight_times_at_once_assigns_once(sixty: Study, port: int) -> None:
    (link,) = invites_create(study=sixty, count=1)
    browser = Browser(port)
    page = browser.post(f"/s/scenes/{link.token}/", browser.get(f"/s/scenes/{link.token}/").seen.forms[0].values)
    form = page.seen.form("agree")
    assert form is not None
    cookies = browser.cookies

    def agree() -> str:
        tab = Browser(port, cookies)
        reply = tab.post("/t/consent/", {**form.values, "agree": "yes"})
        tab.leave()
        return reply.path

    assert at_once([agree] * 8) == ["/t/instructions/"] * 8
    browser.leave()
    sheet = Sheet.objects.get()
    assert (sheet.step, len(sheet.item_order)) == ("instructions", 6)
    assert sum(holding(sixty)) == 1

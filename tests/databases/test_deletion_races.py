"""A study is deleted while people take part: nothing of it is left, and nobody meets an error."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from types import ModuleType

import pytest
from django.apps import apps

from benchmarks.load.annotator import filled_in
from benchmarks.load.browser import Browser, Reply
from studies import pages
from studies.models import Artefact, Sheet, Study
from studies.services import answering, sheets
from studies.services.authoring import study_delete
from studies.services.inviting import invites_create
from studies.services.locking import SheetElsewhere
from studies.services.sheets import sheet_start
from tests import cast
from tests.databases.crowd import at_once, served

TIMES = 3
#: How long somebody stays at the worst point
SECONDS = 0.5
#: What is nobody's: computed results, and how often unknown links were tried
STAYS = {"Artefact", "FailureCount"}
#: Gone (404), moved on (409 to a script, 200 after redirects), carried out before (200), or refused (409)
FINE = {200, 404, 409}


@pytest.fixture
def port(own_database: str) -> Iterator[int]:
    with served() as port:
        yield port


def test_a_deletion_waits_for_a_consent_that_holds_its_sheet_and_needs_the_study(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = _slow(monkeypatch, sheets, "condition_assign")
    for _ in range(TIMES):
        study = cast.study()
        begun = sheet_start(study=study, invite=cast.invite(study))
        beside(study, [partial(quietly, sheets.sheet_consent, sheet=begun, text="I agree.")], after=held)


def test_a_deletion_waits_for_an_answer_that_is_stored_and_not_committed(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = _slow(monkeypatch, answering, "fault_point")
    for _ in range(TIMES):
        study = cast.study()
        sheet = cast.sheet_at_items(study, "U")
        values = {q.name: q.options[0][0] for q in pages.item(sheet, 0).questions if q.options}
        values["choice"] = pages.item(sheet, 0).choices[0].id
        submit = partial(answering.answer_submit, sheet=sheet, position=0, submission=uuid.uuid4(), values=values)
        beside(study, [partial(quietly, submit)], after=held)


def test_consent_beside_a_deletion(port: int) -> None:
    for _ in range(TIMES):
        study = cast.study()
        begun = [sheet_start(study=study, invite=link) for link in invites_create(study=study, count=6)]
        agrees = [partial(send, *consenting(port, sheet)) for sheet in begun]
        beside(study, agrees)


def test_submissions_beside_a_deletion(port: int) -> None:
    for _ in range(TIMES):
        study = cast.study()
        at_items = [cast.sheet_at_items(study, "U+C+Rl+Rg+P") for _ in range(4)]
        sends = [partial(send, *submitting(port, sheet, number)) for sheet in at_items for number in range(2)]
        beside(study, sends)


def test_starts_drafts_previews_and_withdrawals_beside_a_deletion(port: int) -> None:
    for _ in range(TIMES):
        study = cast.study()
        links = [f"/s/{study.slug}/{link.token}/" for link in invites_create(study=study, count=2)]
        links.append(f"/s/{study.slug}/{cast.preview(study, 'U').token}/")
        first, second, third = (cast.sheet_at_items(study, "U") for _ in range(3))
        starts = [partial(send, *starting(port, link)) for link in links]
        leaves = partial(send, *withdrawing(port, first))
        browser, _, form = submitting(port, second, 0)
        drafts = partial(send, browser, "/t/draft/", {**form, "sequence": "5"})
        looks = partial(look, at(port, third))
        beside(study, [*starts, leaves, drafts, looks])


def test_two_deletions_at_once_are_one(own_database: str) -> None:
    for _ in range(TIMES):
        study = cast.study()
        cast.sheet_at_items(study, "U")
        beside(study, [partial(delete, Study.objects.get(pk=study.pk))])


def beside(study: Study, acts: Sequence[Callable[[], int]], after: threading.Event | None = None) -> None:
    """Everybody acts while the study goes, some a little before and some a little after.

    after: what the deletion waits for before it begins
    """
    half = len(acts) // 2
    replies = at_once([*acts[:half], partial(delete, study, after), *acts[half:]])
    assert set(replies) <= FINE
    assert left() == {}
    Artefact.objects.all().delete()


def delete(study: Study, after: threading.Event | None = None) -> int:
    if after is not None:
        assert after.wait(60)
        after.clear()
    study_delete(study=study)
    return 200


def quietly(act: Callable[..., object], **arguments: object) -> int:
    """A service that may be told that its sheet is gone."""
    with suppress(SheetElsewhere):
        act(**arguments)
    return 200


def _slow(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> threading.Event:
    """Let everybody who comes to this point of a service say so, and stay there for a while."""
    here, real = threading.Event(), getattr(module, name)

    def slow(*arguments: object, **others: object) -> object:
        here.set()
        time.sleep(SECONDS)
        return real(*arguments, **others)

    monkeypatch.setattr(module, name, slow)
    return here


def left() -> dict[str, int]:
    """How many rows each table of ours has, without those that stay."""
    tables = [model for model in apps.get_app_config("studies").get_models() if model.__name__ not in STAYS]
    counts = {table.__name__: table._default_manager.count() for table in tables}
    return {name: count for name, count in counts.items() if count}


def at(port: int, sheet: Sheet) -> Browser:
    browser = Browser(port)
    browser.get(f"/r/{sheet.resume_token}/")
    return browser


def consenting(port: int, sheet: Sheet) -> tuple[Browser, str, dict[str, str]]:
    browser = at(port, sheet)
    return browser, "/t/consent/", {**_form(browser.get("/t/consent/"), "agree"), "agree": "yes"}


def submitting(port: int, sheet: Sheet, number: int) -> tuple[Browser, str, dict[str, str]]:
    browser = at(port, sheet)
    form = filled_in(browser.get("/t/item/"), random.Random(number))
    assert form is not None
    return browser, "/t/item/", {**form, "submission": str(uuid.uuid4())}


def starting(port: int, link: str) -> tuple[Browser, str, dict[str, str]]:
    browser = Browser(port)
    return browser, link, _form(browser.get(link), "csrfmiddlewaretoken")


def withdrawing(port: int, sheet: Sheet) -> tuple[Browser, str, dict[str, str]]:
    browser = at(port, sheet)
    return browser, "/t/withdraw/", _form(browser.get("/t/withdraw/"), "csrfmiddlewaretoken")


def send(browser: Browser, address: str, form: dict[str, str]) -> int:
    """The status that somebody meets who sends a form."""
    reply = browser.post(address, form)
    browser.leave()
    return reply.status


def look(browser: Browser) -> int:
    """The worst status of a page opened again and again."""
    worst = max(browser.get("/t/item/").status for _ in range(5))
    browser.leave()
    return worst


def _form(page: Reply, name: str) -> dict[str, str]:
    form = page.seen.form(name)
    assert form is not None
    return form.values

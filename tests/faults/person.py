"""An annotator at a browser whose form is sent again until the server has acknowledged it, as the outbox does."""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmarks.load import annotator
from benchmarks.load.browser import Browser, Reply
from tests.faults.installation import Installation

AGAIN_AFTER_SECONDS = 0.05
GIVE_UP_SECONDS = 60


@dataclass
class Person:
    """Somebody at an item.

    token:        of the invite
    acknowledged: position -> id of the choice that the server has confirmed
    """

    browser: Browser
    token: str
    acknowledged: dict[int, str] = field(default_factory=dict)
    longest: float = 0.0  # seconds from the first attempt at a submission to its acknowledgement
    _choose: random.Random = field(default_factory=lambda: random.Random(0))

    def open(self) -> Reply:
        """The open item's page."""
        return self._until_answered(lambda: self.browser.get("/t/item/"))

    def form(self) -> dict[str, str] | None:
        """The open item's form, filled in; None after the last item."""
        return annotator.filled_in(self.open(), self._choose)

    def submit(self, values: dict[str, str]) -> None:
        """Send the form until it is acknowledged."""
        start = time.monotonic()
        self._until_answered(lambda: self.browser.post("/t/item/", values))
        self.longest = max(self.longest, time.monotonic() - start)
        self.acknowledged[int(values["position"])] = values["choice"]

    def answer_all(self, after: float = 0, each: float = 0) -> None:
        """Every item that is left, after some seconds of thinking, and some before each."""
        time.sleep(after)
        while (values := self.form()) is not None:
            time.sleep(each)
            self.submit(values)

    def _until_answered(self, request: Callable[[], Reply]) -> Reply:
        end = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                reply = request()
            except (OSError, http.client.HTTPException):
                reply = Reply(0, "", b"", 0, 0)
            if reply.status == 200:
                return reply
            if time.monotonic() > end:
                raise TimeoutError(f"never acknowledged: {reply.status} {reply.path} {reply.body[:300]!r}")
            time.sleep(AGAIN_AFTER_SECONDS)


def person_at(there: Installation, number: int = 0) -> Person:
    """Somebody who came by an invite and stands at the first item."""
    (token,) = there.rows("SELECT token FROM studies_invite ORDER BY id")[number]
    browser = Browser(there.port)
    annotator.begin(browser, annotator.start(browser, f"/s/small/{token}/"))
    return Person(browser, token)


def at_once(actions: list[Callable[[], object]]) -> None:
    """Carry out all of them in threads, and wait. raises: what the first of them raised"""
    with ThreadPoolExecutor(len(actions)) as threads:
        for done in [threads.submit(action) for action in actions]:
            done.result()

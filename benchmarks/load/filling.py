"""Many annotators who fill in their sheets, each at an own pace, with drafts and times on page as scripts send them."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.load import annotator
from benchmarks.load.browser import Browser, Reply
from benchmarks.load.tally import Tally


@dataclass
class Annotator:
    """One thread's person.

    acknowledged: position -> id of the choice that the server said it had stored
    """

    link: str
    browser: Browser
    tally: Tally
    choose: random.Random
    acknowledged: dict[int, str] = field(default_factory=dict)

    def fill(self, think: float, until: float) -> None:
        """From the link to the review, or until it is late. Thinking takes half to one and a half times `think`."""
        time.sleep(self.choose.uniform(0, think))
        page = annotator.begin(self.browser, annotator.start(self.browser, self.link))
        while time.monotonic() < until:
            self._look(page)
            form = annotator.filled_in(page, self.choose)
            if form is None and page.path == "/t/review/":
                return
            if form is not None:
                self._draft(form)
            self.browser.leave()
            time.sleep(min(think * self.choose.uniform(0.5, 1.5), max(0.0, until - time.monotonic())))
            if time.monotonic() >= until:
                return
            page = self._next("/t/item/" if form is None else self._submit(form))

    def arrive(self, within: float) -> None:
        """At a random moment, from the click on Start to the instructions."""
        time.sleep(self.choose.uniform(0, within))
        begun = time.perf_counter()
        page = annotator.start(self.browser, self.link)
        if page.path != "/t/instructions/":
            raise annotator.Unexpected("a start", page)
        self.tally.add("start", time.perf_counter() - begun)

    def _submit(self, form: dict[str, str]) -> str:
        """Send an answer as the page's script does; where to go on."""
        form = {**form, "submission": str(uuid.UUID(int=self.choose.getrandbits(128), version=4))}
        reply = self.browser.post("/t/item/", form, {"Accept": "application/json"})
        if reply.status != 200:
            raise annotator.Unexpected("an answer", reply)
        self.tally.add("submit", reply.first)
        self.acknowledged[int(form["position"])] = form["choice"]
        exposure = {"batch": str(uuid.UUID(int=self.choose.getrandbits(128), version=4)), "active": "9000"}
        kept = {name: form[name] for name in ("csrfmiddlewaretoken", "position", "sheet") if name in form}
        annotator.expect(self.browser.post("/t/exposure/", {**kept, **exposure}), "times on page", 204)
        return str(reply.json["next"])

    def _draft(self, form: dict[str, str]) -> None:
        sequence = {"sequence": str(time.time_ns() // 1_000_000)}
        reply = self.browser.post("/t/draft/", {**form, **sequence}, {"X-CSRFToken": form["csrfmiddlewaretoken"]})
        self.tally.add("draft", annotator.expect(reply, "a draft").first)

    def _next(self, path: str) -> Reply:
        page = annotator.expect(self.browser.get(path), "a page")
        self.tally.add("page", page.first)
        return page

    def _look(self, page: Reply) -> None:
        begun = time.perf_counter()
        annotator.look(self.browser, page, lambda reply: self.tally.add("picture", reply.seconds))
        self.tally.add("whole page", page.seconds + time.perf_counter() - begun)


def together(people: list[Annotator], act: Callable[[Annotator], None]) -> None:
    """Let everybody act in a thread of their own; what goes wrong is counted, and that person stops."""

    def one(person: Annotator) -> None:
        try:
            act(person)
        except (annotator.Unexpected, OSError, ValueError, KeyError) as error:
            person.tally.problem(f"{type(error).__name__}: {error}")
        finally:
            person.browser.leave()

    threads = [threading.Thread(target=one, args=(person,), daemon=True) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

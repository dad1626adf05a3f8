"""`python -m benchmarks.web_process`: how long the web process takes to start, what it keeps in memory, what it loads.

gunicorn as the demo starts it serves an annotator from the link through some items with all their pictures.
"""

from __future__ import annotations

import random
import sys
import time

from benchmarks.load import annotator
from benchmarks.load.browser import Browser
from benchmarks.load.children import HEAVY, loaded, memory
from benchmarks.load.place import own_place

ITEMS = 5


def main() -> int:
    """Exit status: 1 where the process has loaded what it must not."""
    with own_place("sqlite") as port:
        from benchmarks.load import study
        from studies.processes import Processes

        _, (link,) = study.make("web-process", 1)
        with Processes(port) as processes:
            begun = time.perf_counter()
            processes.start_web()
            processes.wait_for_web()
            started = time.perf_counter() - begun
            before = memory(processes.pid("web"))
            served = _serve(Browser(port), link)
            after, heavy = memory(processes.pid("web")), loaded(processes.pid("web"))
    sys.stdout.write(
        f"first page after   {started:.1f} s\n"
        f"memory             {before:.0f} MB at first, {after:.0f} MB {served} requests later (the larger process)\n"
        f"heavy modules      {', '.join(heavy) or 'none'} of {', '.join(HEAVY)}\n"
    )
    return 1 if heavy else 0


def _serve(browser: Browser, link: str) -> int:
    """Requests that an annotator's first items take."""
    choose, served = random.Random(0), 5  # welcome, start, consent, instructions, first page
    page = annotator.begin(browser, annotator.start(browser, link))
    for _ in range(ITEMS):
        annotator.look(browser, page)
        form = annotator.filled_in(page, choose)
        page = browser.post("/t/item/", form) if form else browser.get("/t/item/")
        served += 1 + len(page.seen.pictures)
    browser.leave()
    return served


if __name__ == "__main__":
    sys.exit(main())

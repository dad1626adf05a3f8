"""A real browser for tests: Chromium, driven by playwright from a thread of its own.

playwright's synchronous interface keeps an event loop in its thread, in which Django refuses database calls; so the
test's thread keeps the database, and what is done in the browser is handed to the other thread.
"""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
HERE = Path(__file__).parent
InBrowser = Callable[..., Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is slow."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def in_browser() -> Iterator[InBrowser]:
    """`in_browser(visit, **context)` runs visit(page) at a fresh page: returns or raises what it does."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: the browser tests need it")
    playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with ThreadPoolExecutor(max_workers=1) as thread:
        playwright = thread.submit(playwright_api.sync_playwright().start).result()
        browser = thread.submit(playwright.chromium.launch, executable_path=CHROMIUM, args=ARGUMENTS).result()

        def run(visit: Callable[[Any], Any], **context: Any) -> Any:
            result, failure = thread.submit(_visit, browser, visit, context).result()
            if failure:
                # As text: pytest's own drawing of a traceback through playwright's greenlets breaks on Python 3.11.
                pytest.fail(failure, pytrace=False)
            return result

        yield run
        thread.submit(browser.close).result()
        thread.submit(playwright.stop).result()


def _visit(browser: Any, visit: Callable[[Any], Any], options: dict[str, Any]) -> tuple[Any, str]:
    """What visit(page) returned, and what went wrong or ""."""
    context = browser.new_context(**{"viewport": {"width": 1366, "height": 768}, **options})
    context.set_default_timeout(15_000)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    try:
        result = visit(page)
        # The server must not be asking the database for a picture when the test takes the database away.
        page.wait_for_load_state("networkidle")
        return result, "\n".join(["the browser's console reports:", *problems]) if problems else ""
    except Exception:  # noqa: BLE001 - reported in the test's own thread
        return None, traceback.format_exc()
    finally:
        context.close()

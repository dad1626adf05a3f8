"""A real browser for tests: Chromium, driven by playwright from a thread of its own.

playwright's synchronous interface keeps an event loop in its thread, in which Django refuses database calls; so the
test's thread keeps the database, and what is done in the browser is handed to the other thread.

The pages are served from a database in a file: a page's scripts write while it is loaded and left, and the suite's own
database in memory has a single connection, on which two requests at once run into each other.
"""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from studies.models import Sheet, Study
from tests import cast
from tests.own_database import own_address, used_everywhere

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
HERE = Path(__file__).parent
InBrowser = Callable[..., Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is slow."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def empty_tables(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables and no rows, to be copied."""
    folder = tmp_path_factory.mktemp("tables")
    with own_address("sqlite", folder) as address, django_db_blocker.unblock(), used_everywhere(address):
        call_command("migrate", verbosity=0)
    return next(folder.glob("*.sqlite3"))


@pytest.fixture
def live_server(transactional_db: None, empty_tables: Path, tmp_path: Path) -> Iterator[LiveServer]:
    """A server with a database file of its own, which the test uses as well."""
    with own_address("sqlite", tmp_path) as address:
        shutil.copy(empty_tables, tmp_path / empty_tables.name)
        with used_everywhere(address):
            server = LiveServer("localhost")
            yield server
            server.stop()


@pytest.fixture
def scenes(live_server: LiveServer) -> Study:
    """Rosa's open study with its five conditions, in the server's database."""
    return cast.study(owner=cast.researcher())


@pytest.fixture
def sheet(scenes: Study) -> Sheet:
    """A sheet with all stages, at its first item."""
    return cast.sheet_at_items(scenes, "U+C+Rl+Rg+P")


@pytest.fixture
def resume(live_server: LiveServer, sheet: Sheet) -> str:
    """The sheet's personal link."""
    return f"{live_server.url}/r/{sheet.resume_token}/"


@pytest.fixture(scope="module")
def in_browser() -> Iterator[InBrowser]:
    """`in_browser(visit, **context)` runs visit(page) at a fresh page: returns or raises what it does.

    What the browser's console reports fails the test, but for messages with `expects` in them.
    """
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
    expected = options.pop("expects", None)
    context = browser.new_context(**{"viewport": {"width": 1366, "height": 768}, **options})
    context.set_default_timeout(60_000)  # a busy machine is no failure
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    try:
        result = visit(page)
        # The server must not be asking the database for a picture when the test takes the database away.
        page.wait_for_load_state("networkidle")
        unexpected = [problem for problem in problems if not (expected and expected in problem)]
        return result, "\n".join(["the browser's console reports:", *unexpected]) if unexpected else ""
    except Exception:  # noqa: BLE001 - reported in the test's own thread
        return None, traceback.format_exc()
    finally:
        context.close()

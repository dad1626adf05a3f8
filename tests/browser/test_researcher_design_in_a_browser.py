"""A researcher designs a study in a real browser: by form only, from an empty list of studies to its preview."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django.live_server_helper import LiveServer

from studies.config import read
from studies.models import Study
from studies.services.authoring import study_create
from studies.worker import work_until_idle
from tests import cast
from tests.browser.axe import violations
from tests.terminal import RECIPE

pytestmark = [pytest.mark.django_db(transaction=True)]
InBrowser = Callable[..., Any]
PHONE = {"viewport": {"width": 390, "height": 844}}
UNPROCESSABLE = "422"
PASSWORD = "correct horse battery"


def log_in(page: Any, url: str) -> None:
    page.goto(f"{url}/login/")
    page.get_by_label("Name").fill("rosa")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def begin(page: Any, start: str) -> None:
    """From the list of studies to a form that starts from an example."""
    page.get_by_role("link", name="New study").click()
    page.get_by_label("Start from").select_option(start)
    page.get_by_role("button", name="Start").click()


@pytest.mark.parametrize("device", [{}, PHONE], ids=["laptop", "phone"])
def test_the_form_in_all_its_states_is_accessible_and_fits(live_server, in_browser: InBrowser, device) -> None:
    cast.researcher()

    def visit(page: Any) -> tuple[list[str], list[int]]:
        log_in(page, live_server.url)
        found, widths = [], []
        for address in ("?from=file:clevr_open", "?from=preset:Rl%2BP", "?as=file&from=file:clevr_open"):
            page.goto(f"{live_server.url}/studies/new/{address}")
            found += violations(page)
            widths.append(page.evaluate("document.documentElement.scrollWidth"))
            page.get_by_role("button", name="Make the study").click()
            page.wait_for_load_state("networkidle")
            found += violations(page)
            widths.append(page.evaluate("document.documentElement.scrollWidth"))
        return found, widths

    found, widths = in_browser(visit, expects=UNPROCESSABLE, **device)
    assert found == []
    assert set(widths) == {device["viewport"]["width"] if device else 1366}


def test_focus_moves_to_the_problems_and_from_there_to_the_field(live_server, in_browser: InBrowser) -> None:
    cast.researcher()

    def visit(page: Any) -> list[str]:
        log_in(page, live_server.url)
        begin(page, "file:clevr_open")
        page.locator("#f-items-count").fill("5000")
        page.get_by_role("button", name="Make the study").click()
        page.locator("#problems").wait_for()
        places = [page.evaluate("document.activeElement.id")]
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        places.append(page.evaluate("document.activeElement.id"))
        return [*places, page.locator("#f-items-count").input_value()]

    focus = in_browser(visit, expects=UNPROCESSABLE)
    # A link to a control moves the place from which Tab goes on: to the control itself, or to the next one.
    assert focus[0] == "problems"
    assert focus[1] in ("f-items-count", "f-items-practice")
    assert focus[2] == "5000"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_conditions_are_written_as_rows(live_server, in_browser: InBrowser, scripts: bool) -> None:
    cast.researcher()

    def visit(page: Any) -> None:
        log_in(page, live_server.url)
        begin(page, "file:clevr_open")
        page.locator("#f-study").fill("rows")
        page.locator("#f-conditions").select_option("list")
        for number, (name, stages) in enumerate([("one", ["U"]), ("two", ["U", "C"])]):
            arm(page, number, name, stages)
        if scripts:
            page.get_by_role("button", name="Add a row").first.click()
            arm(page, 2, "three", ["Rl", "P"])
            page.locator("[data-rows=conditions]").get_by_role("button", name="Remove").first.click()
        page.get_by_role("button", name="Make the study").click()
        page.get_by_role("heading", name="Design").wait_for()

    in_browser(visit, java_script_enabled=scripts)
    arms = [(one.name, one.stages) for one in Study.objects.get().version.conditions.order_by("position")]
    assert arms == ([("two", ["U", "C"]), ("three", ["Rl", "P"])] if scripts else [("one", ["U"]), ("two", ["U", "C"])])


def arm(page: Any, place: int, name: str, stages: list[str]) -> None:
    page.locator(f"[name='conditions[{place}].name']").fill(name)
    for stage in stages:
        page.locator(f"[name='conditions[{place}].stages'][value={stage}]").check()


def test_the_design_page_is_accessible_in_each_state(live_server, in_browser: InBrowser) -> None:
    study = study_create(config=read(cast.with_quiz()), owner=cast.researcher()).study

    def look(page: Any) -> list[str]:
        log_in(page, live_server.url)
        page.goto(f"{live_server.url}/studies/scenes/design/")
        return violations(page)

    assert in_browser(look) == []
    study.version.desk_jobs.create(
        kind="check", state="done", result={"problems": [{"path": "items.count", "message": "too many"}]}
    )
    assert in_browser(look) == []
    Study.objects.update(state="frozen")
    assert in_browser(look, **PHONE) == []


@pytest.fixture
def data(tmp_path: Path, settings: Any) -> Path:
    """A small dataset below DATA_ROOTS, which generates itself."""
    folder = tmp_path / "data" / "scenes"
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text(json.dumps(RECIPE))
    settings.DATA_ROOTS = [settings.BASE_DIR, tmp_path / "data"]
    return folder


@pytest.fixture
def worker(live_server: LiveServer) -> Iterator[None]:
    """A worker in a thread, in the server's database."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.2):
            work_until_idle()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


def fill_in(page: Any, **values: str) -> None:
    """Controls by their names; `__` stands for a dot."""
    for key, value in values.items():
        control = page.locator(f"[name='{key.replace('__', '.')}']")
        if control.evaluate("one => one.localName") == "select":
            control.select_option(value)
        else:
            control.fill(value)


def test_a_study_is_made_without_a_terminal_up_to_its_preview(
    live_server: LiveServer, data: Path, worker: None, in_browser: InBrowser, settings: Any
) -> None:
    cast.researcher()
    settings.PUBLIC_URL = live_server.url

    def visit(page: Any) -> str:
        log_in(page, live_server.url)
        begin(page, "preset:multiviz-ablation")
        fill_in(
            page, study="small", title="What does the model answer?", dataset__name="clevr", dataset__root=str(data)
        )
        fill_in(page, dataset__split="valid", dataset__train="train", model__name="cnn_lstm_sa")
        fill_in(page, model__checkpoint="fixtures/checkpoints/clevr_cnn_lstm_sa", target_class_policy="predicted")
        fill_in(page, items__count="2", items__practice="1", items__where__answer_type_not="boolean")
        fill_in(page, stages__U__samples="40", stages__C__words="2", stages__R__features="2", stages__R__pool="100")
        page.get_by_role("button", name="Make the study").click()
        # The check runs in the worker; the page follows it, and shows what it found at the field.
        page.get_by_role("heading", name="The check found 1 problem").wait_for(timeout=60_000)
        assert page.locator("#f-dataset-split").get_attribute("aria-invalid") == "true"
        fill_in(page, dataset__split="val")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("The study fits its data and its checkpoint.").wait_for(timeout=60_000)
        page.get_by_role("button", name="Precompute").click()
        page.get_by_text("artefacts are ready.").and_(page.get_by_text("All ")).first.wait_for(timeout=240_000)
        assert page.get_by_role("button", name="Precompute").is_disabled()
        page.get_by_role("button", name="Make preview links").click()
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="U+C+Rl+Rg+P").click()
        return opened.value.locator(".watermark").inner_text()

    assert "review" in in_browser(visit)
    assert Study.objects.get().version.number == 2


def test_what_somebody_is_typing_survives_the_end_of_the_check(live_server: LiveServer, in_browser: InBrowser) -> None:
    version = study_create(config=read(cast.with_quiz()), owner=cast.researcher())
    version.desk_jobs.create(kind="check")

    def begin_typing(page: Any) -> str:
        log_in(page, live_server.url)
        page.goto(f"{live_server.url}/studies/scenes/design/")
        fill_in(page, title="Half a sen")
        done.submit(lambda: version.desk_jobs.update(state="done", result={"problems": []})).result()
        page.get_by_text("Save or reload to see what the workers found.").wait_for()
        return page.locator("#f-title").input_value()

    with ThreadPoolExecutor(max_workers=1) as done:
        assert in_browser(begin_typing) == "Half a sen"
        done.submit(lambda: connection.close()).result()  # the connection of that thread


def test_leaving_a_form_that_was_typed_into_is_asked_about(live_server: LiveServer, in_browser: InBrowser) -> None:
    cast.researcher()

    def visit(page: Any) -> tuple[list[str], str]:
        asked: list[str] = []

        def stay(dialog: Any) -> None:
            asked.append(dialog.type)
            dialog.dismiss()

        log_in(page, live_server.url)
        begin(page, "preset:multiviz-ablation")
        page.on("dialog", stay)
        page.get_by_label("Title").first.press_sequentially("Half a sen")
        page.get_by_role("link", name="Studies").first.click()
        return asked, page.get_by_label("Title").first.input_value()

    asked, title = in_browser(visit)
    assert asked == ["beforeunload"]
    assert title.endswith("Half a sen")

"""The researcher's desk in a real browser: every page accessible in light and dark, narrow, live, by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from studies.models import Artefact, DeskJob, Membership, Sheet, Study
from studies.reports.build import report_store
from studies.services import freezing
from studies.services.inviting import invites_create, preview_invites
from tests import cast
from tests.browser import axe
from tests.studies.reports.answers import make_sheet, make_version, right

pytestmark = [pytest.mark.django_db(transaction=True)]
InBrowser = Callable[..., Any]
PHONE = {"viewport": {"width": 390, "height": 844}}
SCENES = ("", "run/", "run/arms/1/", "links/", "links/cards/", "people/", "life/close/", "delete/", "audit/")
SHAPES = ("report/", "export/")
OWN = ("/", "/account/password/", "/account/password/done/", "/account/tokens/")
PAGES = [*OWN, *(f"/studies/scenes/{p}" for p in SCENES), *(f"/studies/shapes/{p}" for p in SHAPES)]


@pytest.fixture
def desk(scenes: Study) -> Study:
    """Rosa's open study with failures, links with a hostile label, a coder and sheets; and a simulated, closed one."""
    Study.objects.update(state="draft")
    freezing.study_freeze(study=scenes, actor="rosa")
    freezing.study_open(study=scenes, actor="rosa")
    preview_invites(study=scenes)
    invites_create(study=scenes, count=3, label="<script>alert(1)</script> \u202eevil")
    Membership.objects.create(study=scenes, user=User.objects.create_user("cora", password="correct horse battery"))
    sheet = cast.sheet_at_items(scenes, "U+C")
    Sheet.objects.filter(pk=sheet.pk).update(position=3)
    failed = scenes.version.artefacts.order_by("pk")[:2]
    Artefact.objects.filter(pk__in=[row.pk for row in failed]).update(state="failed", reason="<b>no memory</b>")
    version = make_version(owner=scenes.owner)
    for count in (8, 10, 13):
        make_sheet(version, "U", right(count), kind="simulated", confidence=3)
        make_sheet(version, "U+Rl", right(count + 5), kind="simulated", confidence=4)
    Study.objects.filter(pk=version.study.pk).update(state="closed")
    report_store(version_pk=version.pk)
    return scenes


def enter(page: Any, url: str, name: str = "rosa") -> None:
    """Log in."""
    page.goto(f"{url}/login/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Studies").wait_for()


def test_no_page_has_serious_violations(in_browser: InBrowser, live_server: LiveServer, desk: Study) -> None:
    def visit(page: Any) -> list[str]:
        found = []
        page.goto(f"{live_server.url}/login/")
        found += axe.violations(page)
        enter(page, live_server.url)
        for path in PAGES:
            page.goto(live_server.url + path)
            found += axe.violations(page)
        return found

    assert in_browser(visit) == []


def test_the_page_that_refuses_outcomes_has_no_serious_violations(
    in_browser: InBrowser, live_server: LiveServer, desk: Study
) -> None:
    def visit(page: Any) -> list[str]:
        enter(page, live_server.url)
        # As content and not as an address: its status, 403, would stand in the console as an error.
        page.set_content(page.request.get(f"{live_server.url}/studies/scenes/report/").text())
        page.get_by_role("heading", name="Outcomes are not shown yet").wait_for()
        return axe.violations(page)

    assert in_browser(visit) == []


def test_the_coders_pages_have_no_serious_violations(
    in_browser: InBrowser, live_server: LiveServer, desk: Study
) -> None:
    def visit(page: Any) -> list[str]:
        enter(page, live_server.url, "cora")
        found = axe.violations(page)
        page.get_by_role("link", name="What does the model answer?").click()
        page.get_by_text("You are a coder of this study").wait_for()
        return found + axe.violations(page)

    assert in_browser(visit) == []


def test_no_page_is_wider_than_a_phone(in_browser: InBrowser, live_server: LiveServer, desk: Study) -> None:
    def visit(page: Any) -> list[str]:
        enter(page, live_server.url)
        wide = []
        for path in PAGES:
            page.goto(live_server.url + path)
            if page.evaluate("document.documentElement.scrollWidth") > PHONE["viewport"]["width"]:
                wide.append(path)
        return wide

    assert in_browser(visit, **PHONE) == []


def test_the_run_page_follows_the_work_without_a_reload(
    in_browser: InBrowser, live_server: LiveServer, desk: Study
) -> None:
    Study.objects.filter(slug="scenes").update(state="draft")
    Artefact.objects.filter(state="ready", versions=desk.version).update(state="wanted", sha256="")

    def visit(page: Any) -> bool:
        enter(page, live_server.url)
        page.goto(f"{live_server.url}/studies/scenes/run/")
        page.evaluate("window.isTheSamePage = true")
        page.get_by_text("no worker has been seen").wait_for()
        assert not page.get_by_role("link", name="Look again").is_visible()
        other = page.context.new_page()
        other.goto(f"{live_server.url}/studies/scenes/run/")
        other.get_by_role("button", name="Try all 2 again").click()
        other.get_by_text("2 artefacts are tried again.").wait_for()
        page.get_by_role("heading", name="Failed artefacts").wait_for(state="detached")
        return bool(page.evaluate("window.isTheSamePage"))

    assert in_browser(visit)


def test_failed_rows_are_tried_again_with_scripts_off(
    in_browser: InBrowser, live_server: LiveServer, desk: Study
) -> None:
    def visit(page: Any) -> None:
        enter(page, live_server.url)
        page.goto(f"{live_server.url}/studies/scenes/run/")
        page.get_by_role("link", name="Look again").click()
        page.get_by_role("button", name="Try all 2 again").click()
        page.get_by_text("2 artefacts are tried again.").wait_for()

    in_browser(visit, java_script_enabled=False)
    assert not Artefact.objects.filter(state="failed").exists()


def test_a_study_is_closed_by_keyboard_alone(in_browser: InBrowser, live_server: LiveServer, desk: Study) -> None:
    def visit(page: Any) -> None:
        enter(page, live_server.url)
        page.goto(f"{live_server.url}/studies/scenes/life/close/")
        tick = page.get_by_role("checkbox")
        for _ in range(30):
            page.keyboard.press("Tab")
            if tick.evaluate("e => e === document.activeElement"):
                break
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_text("The study is closed now.").wait_for()

    in_browser(visit)
    assert Study.objects.get(slug="scenes").state == "closed"


def test_an_export_is_asked_for_on_the_page(in_browser: InBrowser, live_server: LiveServer, desk: Study) -> None:
    def visit(page: Any) -> None:
        enter(page, live_server.url)
        page.goto(f"{live_server.url}/studies/shapes/export/")
        page.get_by_role("button", name="Have it built").click()
        page.get_by_text("a worker builds it").wait_for()

    in_browser(visit)
    assert DeskJob.objects.get().kind == "export"

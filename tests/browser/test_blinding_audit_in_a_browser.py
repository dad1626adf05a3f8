"""The blinding audit in a real browser: opened by keyboard, readable on a phone and in the dark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from studies.models import Study
from tests.browser import axe

pytestmark = [pytest.mark.django_db(transaction=True)]
InBrowser = Callable[..., Any]
WIDTHS = {"laptop": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}


@pytest.fixture
def session(scenes: Study, client: Client) -> str:
    """Rosa's session key."""
    client.force_login(scenes.owner)
    return client.cookies["sessionid"].value


@pytest.mark.parametrize("width", WIDTHS)
def test_the_audit_opens_by_keyboard_fits_and_has_no_serious_violations(
    in_browser: InBrowser, live_server: LiveServer, session: str, width: str
) -> None:
    def visit(page: Any) -> list[str]:
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page.goto(f"{live_server.url}/studies/scenes/blinding/")
        condition = page.locator(".blinding").nth(2)
        summaries = condition.locator("summary")
        for number in range(summaries.count()):
            summaries.nth(number).press("Enter")
        assert condition.locator("th code", has_text="crossmodal").last.is_visible()
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0
        return axe.violations(page)

    assert in_browser(visit, viewport=WIDTHS[width]) == []

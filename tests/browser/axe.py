"""Accessibility of a page in a real browser, judged by axe-core: for every browser test that looks at a page."""

from __future__ import annotations

from typing import Any

SCHEMES = ("light", "dark")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COUNTED = ("serious", "critical")
_PICTURES_ARE_THERE = """() => [...document.images].every(
    picture => picture.complete || picture.loading === "lazy")"""


def violations(page: Any) -> list[str]:
    """The serious and critical findings on what the page shows now, in light and dark; empty where there are none.

    Call it in the browser's thread, that is inside `visit(page)` of `in_browser`.
    """
    from axe_playwright_python.sync_playwright import Axe  # here: reading it loads all of playwright

    # Marks and links lie over pictures: they are judged on what people see.
    page.wait_for_function(_PICTURES_ARE_THERE)
    # Colours that are on their way to other colours would be measured half-way.
    page.emulate_media(reduced_motion="reduce")
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        options = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": RULES}}
        for violation in Axe().run(page, options=options).response["violations"]:
            if violation["impact"] in COUNTED:
                found += [_line(page.url, scheme, violation, node) for node in violation["nodes"]]
    page.emulate_media(color_scheme=None, reduced_motion=None)
    return found


def _line(url: str, scheme: str, violation: dict[str, Any], node: dict[str, Any]) -> str:
    reasons = "; ".join(check["message"] for check in [*node["any"], *node["all"], *node["none"]])
    return f"{url} ({scheme}) {violation['id']}: {node['html'][:200]} - {reasons}"

"""Blinding: in two worlds that share only what a condition shows, an annotator receives the same, byte for byte.

Where a test fails here, somebody can find out what their condition hides: by reading, by counting or by comparing.
"""

from __future__ import annotations

import logging

import pytest

from tests.studies.worlds.browser_with_a_record import Entry, differences
from tests.studies.worlds.study_of_a_world import PRESETS, Case
from tests.studies.worlds.walk import transcript

pytestmark = pytest.mark.django_db
CASES = [
    *(Case(name) for name in PRESETS),
    Case("U", "all_candidates", is_fixed=True),
    Case("U+C+Rl", "all_candidates", is_fixed=True),
    Case("U+C+Rl+Rg+P", "all_candidates", is_fixed=True),
    Case("Rg+P", "true_class"),
    Case("U+C", "true_class"),
]
#: The poorest condition and the richest run with every change of the code, the others with the slow tests.
FAST = (Case("U"), Case("U+C+Rl+Rg+P"))
PARAMETERS = [pytest.param(case, marks=[] if case in FAST else pytest.mark.slow, id=str(case)) for case in CASES]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Hundreds of addresses that are not there are asked for: no line for each."""
    caplog.set_level(logging.CRITICAL, "django.request")


@pytest.mark.parametrize("case", PARAMETERS)
def test_what_an_annotator_receives_is_the_same_in_both_worlds(case: Case) -> None:
    one, other = transcript(case, 0), transcript(case, 1)
    assert differences(one, other) == []
    assert_whole(one)


def assert_whole(entries: list[Entry]) -> None:
    """The transcript did reach what it is about: a comparison of error pages would prove nothing."""
    statuses = {entry.status.partition(" ")[0] for entry in entries}
    assert {"200", "204", "302", "404", "405", "409", "422"} <= statuses
    assert "500" not in statuses
    assert "429" not in statuses
    shown = [entry for entry in entries if entry.request.startswith("GET /m/") and entry.status.startswith("200")]
    hidden = [entry for entry in entries if entry.request.startswith("GET /m/") and entry.status.startswith("404")]
    assert shown
    assert hidden
    bodies = b"".join(entry.body for entry in entries)
    for words in (
        b"Your completion code",
        b"the model answered",
        b"Your answers",
        b"have been deleted",
        b"please choose",
    ):
        assert words in bodies, words

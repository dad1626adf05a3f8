"""Points at which a test build kills itself: never without TEST_BUILD, once per state folder, at the right passage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytest_django import Settings

from studies import faults
from studies.faults import fault_point


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> list[int]:
    settings.STATE_DIR, settings.TEST_BUILD = tmp_path, True
    struck: list[int] = []
    monkeypatch.setattr(faults, "_passed", 0)
    monkeypatch.setattr(os, "kill", lambda pid, number: struck.append(pid))
    return struck


def test_without_a_test_build_no_point_strikes(killed: list[int], settings: Settings) -> None:
    settings.TEST_BUILD, settings.FAULT_AT = False, "mid_compute"
    fault_point("mid_compute")
    assert killed == []


def test_only_the_chosen_point_strikes_this_process_and_only_once(killed: list[int], settings: Settings) -> None:
    settings.FAULT_AT = "mid_compute:2"
    for point in ("mid_compute", "before_ack"):
        fault_point(point)
    assert killed == []
    fault_point("mid_compute")
    assert killed == [os.getpid()]


def test_the_process_that_follows_lives(killed: list[int], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FAULT_AT = "before_rename"
    fault_point("before_rename")
    monkeypatch.setattr(faults, "_passed", 0)  # as in a new process
    fault_point("before_rename")
    assert len(killed) == 1


def test_a_point_that_does_not_exist_is_refused(killed: list[int], settings: Settings) -> None:
    settings.FAULT_AT = "somewhere"
    with pytest.raises(AssertionError, match="somewhere"):
        fault_point("mid_compute")

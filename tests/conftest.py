"""Shared fixtures: files go to a temporary folder, no broker is rung, and the cast (tests/cast.py) is at hand."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery.app.task import Task
from django.test import Client, TransactionTestCase
from pytest_django import Settings

from studies import append_only, page_memory
from studies.models import Study
from tests import cast

# Started in the background, a shell lets its children ignore Ctrl-C, and they theirs: tests send it on purpose.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.STATE_DIR = tmp_path / "state"
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STATIC_ROOT = tmp_path  # WhiteNoise warns about a folder that is not there
    page_memory.forget()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one takes half a second


@pytest.fixture(autouse=True, scope="session")
def _append_only_tables_can_be_emptied() -> Iterator[None]:
    """Tests with real transactions empty all tables afterwards, which the triggers would refuse."""
    with pytest.MonkeyPatch.context() as patch:
        empty = TransactionTestCase._fixture_teardown

        def lift_and_empty(case: TransactionTestCase) -> None:
            append_only.lift()
            empty(case)  # ends with `post_migrate`, which installs them again

        patch.setattr(TransactionTestCase, "_fixture_teardown", lift_and_empty)
        yield


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the tasks that would have been sent: no test contacts a broker."""
    sent: list[str] = []
    monkeypatch.setattr(Task, "apply_async", lambda self, *args, **kwargs: sent.append(self.name))
    return sent


@pytest.fixture
def scenes(db: None) -> Study:
    """Rosa's open study with its five conditions."""
    return cast.study(owner=cast.researcher())


@pytest.fixture
def newcomer() -> Callable[[], cast.Annotator]:
    """Makes annotators, each at a browser of their own."""
    return lambda: cast.Annotator(Client())


@pytest.fixture
def ann(newcomer: Callable[[], cast.Annotator]) -> cast.Annotator:
    """Ann, at her browser."""
    return newcomer()

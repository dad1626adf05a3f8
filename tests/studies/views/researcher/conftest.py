"""Rosa, logged in, and her study; the planner with few simulations. Tests that need another study define their own."""

from __future__ import annotations

import pytest
from django.test import Client

from studies.models import StudyVersion
from studies.reports import planning
from tests import cast
from tests.studies.reports.answers import make_version


@pytest.fixture
def few_simulations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "MOST_STUDIES", 300)
    monkeypatch.setattr(planning, "TABLES", 5)
    monkeypatch.setattr(planning, "CURVE_TABLES", 2)


@pytest.fixture
def version(db: None) -> StudyVersion:
    """Rosa's study."""
    return make_version(owner=cast.researcher())


@pytest.fixture
def rosa(client: Client, version: StudyVersion) -> Client:
    """Rosa, logged in."""
    client.force_login(version.study.owner)  # type: ignore[arg-type]
    return client

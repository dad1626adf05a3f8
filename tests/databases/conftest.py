"""What holds on both databases: each test of this folder runs on SQLite in a file and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from studies.models import Study
from tests import cast
from tests.own_database import NoPostgres, own_address, used_everywhere

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is slow."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: Any) -> Iterator[str]:
    """A database without tables that every thread of this process uses; its address."""
    try:
        with own_address(request.param, tmp_path) as address, django_db_blocker.unblock(), used_everywhere(address):
            yield address
    except NoPostgres as none:
        pytest.skip(str(none))


@pytest.fixture
def own_database(empty_database: str) -> str:
    """The same with all tables."""
    call_command("migrate", verbosity=0)
    return empty_database


@pytest.fixture
def scenes(own_database: str) -> Study:
    """Rosa's open study with its five conditions, in a database that many connections can use at once."""
    return cast.study(owner=cast.researcher())

"""A database of a test's own, SQLite in a file or PostgreSQL, that this whole process uses, its threads included.

The suite's own test database is in memory and of one connection: neither races nor migrations are to be seen there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg2
from django.db import connections
from django.db.utils import ConnectionHandler

from studyapp.databases import database

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432")


class NoPostgres(Exception):
    """None answers at the address that tests look at."""


@contextmanager
def own_address(vendor: str, folder: Path) -> Iterator[str]:
    """The address of a new, empty database: a file in `folder`, or a PostgreSQL database that is dropped in the end.

    raises: NoPostgres
    """
    if vendor == "sqlite":
        yield f"sqlite:///{folder / 'own.sqlite3'}"
        return
    name = f"studies_test_{uuid4().hex[:12]}"
    try:
        connection = psycopg2.connect(f"{POSTGRES}/postgres", connect_timeout=2)
    except psycopg2.OperationalError as error:
        raise NoPostgres(f"no PostgreSQL answers at {POSTGRES} (set TEST_POSTGRES_URL)") from error
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{POSTGRES}/{name}"
        finally:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
            connection.close()


@contextmanager
def used_everywhere(address: str) -> Iterator[None]:
    """Make this the default database of every thread of the process; it is still empty."""
    suites_own, kept = connections["default"], connections.settings["default"]
    own = ConnectionHandler({"default": database(address)}).settings["default"]
    connections.settings["default"] = own
    del connections["default"]  # this thread's; the next use opens the other one
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = kept
        connections["default"] = suites_own

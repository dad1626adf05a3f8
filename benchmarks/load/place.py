"""Where load is put: a database, folders and processes of its own, on loopback; gone when the run ends."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from uuid import uuid4

SERVER = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432")


@contextmanager
def own_place(vendor: str) -> Iterator[int]:
    """Django set up on an empty database; the port for its web process. Before anything reads Django's settings.

    vendor: sqlite (a file) or postgresql (a database of its own at TEST_POSTGRES_URL, dropped in the end)
    """
    with (
        tempfile.TemporaryDirectory(prefix="load-") as folder,
        _postgres() if vendor == "postgresql" else _sqlite() as url,
    ):
        port = _free_port()
        for name in ("DATABASE_URL", "MEDIA_ROOT", "PUBLIC_URL", "CELERY_BROKER_URL", "ALLOWED_HOSTS"):
            os.environ.pop(name, None)
        own = {"STATE_DIR": folder, "PORT": str(port), "DJANGO_SETTINGS_MODULE": "studyapp.settings"}
        os.environ |= own | ({"DATABASE_URL": url} if url else {})
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        try:
            yield port
        finally:
            connections.close_all()


def _sqlite() -> nullcontext[str]:
    return nullcontext("")  # the default: a file in STATE_DIR


@contextmanager
def _postgres() -> Iterator[str]:
    import psycopg2

    name = f"studies_load_{uuid4().hex[:12]}"
    connection = psycopg2.connect(f"{SERVER}/postgres", connect_timeout=5)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{SERVER}/{name}"
        finally:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
            connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

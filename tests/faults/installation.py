"""One installation in a folder of its own: settings, processes, and looks into its database and files."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from tests.faults.private import HOST, free_port, kill_group

ROOT = Path(__file__).resolve().parents[2]
SLUG = "small"
#: Faults are found sooner than by the defaults, so that many runs are possible; the table says so.
OWN_SETTINGS = {"RECONCILE_SECONDS": "2", "TEST_BUILD": "1", "TORCH_THREADS": "1", "OMP_NUM_THREADS": "1"}
FOREIGN_SETTINGS = ("DATABASE_URL", "CELERY_BROKER_URL", "MEDIA_ROOT", "FAULT_AT", "PUBLIC_URL", "ALLOWED_HOSTS")
WORKER = "--loglevel error --without-gossip --without-mingle --without-heartbeat"


@dataclass
class Installation:
    """A state folder with a database and a broker."""

    folder: Path
    database: str = ""  # an address, or "" for SQLite in the folder
    broker: str = ""  # an address, or "" for files in the folder
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def environment(self, fault: str = "") -> dict[str, str]:
        """What its processes are started with; `fault` is where they kill themselves."""
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN_SETTINGS}
        own = {
            "STATE_DIR": str(self.folder),
            "PORT": str(self.port),
            "LOG_LEVEL": "CRITICAL",
            **OWN_SETTINGS,
            **self.settings,
        }
        addresses = {"DATABASE_URL": self.database, "CELERY_BROKER_URL": self.broker, "FAULT_AT": fault}
        return {**kept, **own, **{name: value for name, value in addresses.items() if value}}

    def manage(self, *arguments: str) -> str:
        """`manage.py ...` to its end: what it prints. raises: RuntimeError"""
        return self.run("manage.py", *arguments)

    def run(self, *arguments: str) -> str:
        """`python ...` with Django's settings to its end: what it prints. raises: RuntimeError"""
        environment = {**self.environment(), "DJANGO_SETTINGS_MODULE": "studyapp.settings"}
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self, *command: str, fault: str = "", **options: Any) -> subprocess.Popen[str]:
        """`python -m ...` as the leader of a session; its messages go to a log in the folder."""
        with open(self.folder / "log", "a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=self.environment(fault),
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
                **options,
            )
        self._processes.append(process)
        return process

    def start_worker(
        self, pool: str = "solo", fault: str = "", loads: str = "", **options: Any
    ) -> subprocess.Popen[str]:
        """A Celery worker with one process that computes; `loads` is a module of the tests that it imports."""
        name = f"{self.folder.name}-{len(self._processes)}@%h"
        command = f"celery --quiet -A studyapp worker --pool {pool} --concurrency 1 --hostname {name} {WORKER}"
        included = ["--include", loads] if loads else []
        return self.start(*command.split(), *included, fault=fault, **options)

    def start_web(self, fault: str = "") -> subprocess.Popen[str]:
        """gunicorn with one worker process, which it replaces when it dies."""
        options = f"--bind {HOST}:{self.port} --worker-class gthread --workers 1 --threads 8 --log-level critical"
        process = self.start("gunicorn", "studyapp.wsgi", *options.split(), fault=fault)
        self.wait_until(self.answers)
        return process

    def answers(self) -> bool:
        """Whether the web server does."""
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}/login/", timeout=10):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """End all that was started here."""
        for process in self._processes:
            kill_group(process)
        self._processes.clear()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a SELECT finds."""
        if self.database:
            connection = psycopg2.connect(self.database)
            try:
                cursor = connection.cursor()
                cursor.execute(query)
                return list(cursor.fetchall())
            finally:
                connection.close()
        # Closed here: left to the garbage collector, its log would vanish while the folder is being copied.
        with closing(sqlite3.connect(self.folder / "db.sqlite3", timeout=20)) as database:
            return list(database.execute(query).fetchall())

    def change(self, statement: str) -> None:
        """Carry out one UPDATE."""
        connection = psycopg2.connect(self.database) if self.database else sqlite3.connect(self.folder / "db.sqlite3")
        try:
            connection.cursor().execute(statement)
            connection.commit()
        finally:
            connection.close()

    def settles(self, condition: Callable[[], bool], seconds: float = 10) -> bool:
        """Whether the condition comes true within some seconds."""
        try:
            self.wait_until(condition, seconds)
        except TimeoutError:
            return False
        return True

    def count(self, what: str) -> int:
        """`SELECT count(*) FROM ...`"""
        return int(self.rows(f"SELECT count(*) FROM {what}")[0][0])  # noqa: S608 - the tests' own words

    def ready(self) -> int:
        """How many artefacts are published and whole."""
        return self.count("studies_artefact WHERE state = 'ready'")

    def wait_until(self, condition: Callable[[], bool], seconds: float = 120) -> float:
        """Look every 20 ms until the condition holds: how long it took. raises: TimeoutError"""
        start = time.monotonic()
        while not condition():
            if time.monotonic() - start > seconds:
                log = (self.folder / "log").read_text(encoding="utf-8")[-2000:]
                raise TimeoutError(f"the condition did not come true in {seconds} s\n{log}")
            time.sleep(0.02)
        return time.monotonic() - start

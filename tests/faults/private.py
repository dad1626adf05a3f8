"""Redis and PostgreSQL of our own, on free ports, in temporary folders: they may be killed, the shared ones never."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg2
import redis

HOST = "127.0.0.1"
POSTGRES_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path(shutil.which("pg_ctl") or "/").parent]


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_installed() -> bool:
    """Whether both services can be started here."""
    return shutil.which("redis-server") is not None and (POSTGRES_PROGRAMS[-1] / "initdb").exists()


class Redis:
    """A Redis server; with `is_kept` it writes an append-only file, without it a kill loses everything."""

    def __init__(self, *, is_kept: bool) -> None:
        self.is_kept, self.port = is_kept, free_port()
        self._folder = tempfile.mkdtemp(prefix="faults-redis-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        kept = ["--appendonly", "yes", "--appendfsync", "always"] if self.is_kept else ["--appendonly", "no"]
        options = ["--bind", HOST, "--port", str(self.port), "--dir", self._folder, "--save", "", *kept]
        self._process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        client = self.client()
        for _ in range(200):
            try:
                client.ping()
                return
            except redis.RedisError:
                time.sleep(0.05)
        raise RuntimeError("Redis did not start")

    def client(self) -> redis.Redis:
        """A connection for looking and flushing."""
        return redis.Redis(host=HOST, port=self.port)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def remove(self) -> None:
        """Stop it and delete its folder."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


class Postgres:
    """A PostgreSQL server; as root it runs as the user postgres, as it must."""

    def __init__(self) -> None:
        self.port = 0  # chosen at the start: making the cluster takes seconds
        self._folder = Path(tempfile.mkdtemp(prefix="faults-postgres-"))
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres")
        self._do("initdb", "-A", "trust", "-U", "postgres", "-D", self._data)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> None:
        """Start it, at the same port as before, and wait until it answers."""
        self.port = self.port or free_port()
        options = f"-p {self.port} -c listen_addresses={HOST} -k {self._folder}"
        self._do("pg_ctl", "-w", "-D", self._data, "-l", str(self._folder / "log"), "-o", options, "start")

    def crash(self) -> None:
        """All its processes end at once, as at a power cut."""
        self._do("pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def address(self, name: str) -> str:
        """The address of one database."""
        return f"postgresql://postgres@{HOST}:{self.port}/{name}"

    def create(self, name: str, template: str = "template1") -> str:
        """A database as a copy of another, which nobody may be using: its address."""
        self.do(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.address(name)

    def do(self, statement: str) -> None:
        """Carry out one statement outside of any transaction."""
        connection = psycopg2.connect(self.address("postgres"))
        try:
            connection.autocommit = True
            connection.cursor().execute(statement)
        finally:
            connection.close()

    def remove(self) -> None:
        """Stop it and delete its folder."""
        with suppress(subprocess.CalledProcessError):  # it does not run
            self.crash()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _do(self, program: str, *arguments: str) -> None:
        user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run(
            [str(POSTGRES_PROGRAMS[-1] / program), *arguments],
            check=True,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **user,  # type: ignore[call-overload]
        )


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    """Whether a process does anything yet; one that ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def kill_group(process: subprocess.Popen[str]) -> None:
    """kill -9 of a process and of all its children, which it leads as a session of their own."""
    with suppress(ProcessLookupError):  # all of them are gone
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

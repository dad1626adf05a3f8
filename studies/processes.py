"""The demo's two processes, web and worker: started, watched, and stopped by their pids."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from django.conf import settings

from studies import heartbeat

logger = logging.getLogger(__name__)
STOP_SECONDS = 10
MOST_WEB_PROCESSES = 2
RESTARTS = 5


class PortTaken(Exception):
    """Another program listens on the port."""


def require_free_port(port: int) -> None:
    """raises: PortTaken, with what to do"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(
                f"port {port} on 127.0.0.1 cannot be used ({error.strerror}): stop what listens there, or choose"
                " another one, for example PORT=8001 make demo"
            ) from error


class Processes:
    """Web server and worker as children of this process; leaving the `with` block stops both."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts = 0

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children.values():
            child.terminate()
        for child in self._children.values():
            try:
                child.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def start_web(self) -> None:
        """Server processes with threads, which never load torch: two, where there are two cores to run them."""
        workers = f"--workers {min(MOST_WEB_PROCESSES, os.cpu_count() or 1)} --threads 8"
        options = f"--bind 127.0.0.1:{self.port} --worker-class gthread {workers} --log-level warning"
        self._start("web", f"gunicorn studyapp.wsgi {options}")

    def start_worker(self, niceness: int = 10) -> None:
        """One Celery worker, at low priority so that the pages stay quick."""
        options = "--pool solo --loglevel warning --without-gossip --without-mingle --without-heartbeat"
        self._start("worker", f"celery --quiet -A studyapp worker {options} --hostname demo-{os.getpid()}@%h", niceness)

    def wait_for_web(self, seconds: float = 60) -> None:
        """Until the first page answers. raises: RuntimeError"""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._children["web"].poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/login/", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise RuntimeError("the web server did not start; its messages stand above")

    def pid(self, name: str) -> int:
        """Of "web" or "worker"."""
        return self._children[name].pid

    def check(self) -> None:
        """Restart a worker that died or hangs; its leases are taken up again. raises: RuntimeError"""
        if self._children["web"].poll() is not None:
            raise RuntimeError("the web server stopped; its messages stand above")
        self._end_hanging_worker()
        if self._children["worker"].poll() is not None:
            self._restarts += 1
            if self._restarts > RESTARTS:
                raise RuntimeError(f"the worker stopped {self._restarts} times; its messages stand above")
            self.start_worker()

    def _end_hanging_worker(self) -> None:
        """Kill a worker that has shown no sign of life for HANG_SECONDS: it would hold its row for ever."""
        worker = self._children["worker"]
        silent = heartbeat.silence(worker.pid)
        if silent is not None and silent > settings.HANG_SECONDS and worker.poll() is None:
            logger.warning("the worker has shown no sign of life for %d seconds: another one is started", silent)
            worker.kill()
            worker.wait()
            heartbeat.path_of(worker.pid).unlink(missing_ok=True)

    def _start(self, name: str, command: str, niceness: int = 0) -> None:
        # A session of its own: Ctrl-C reaches this process only, which then stops its children by pid. One that comes
        # while a child is being born waits until the child is known, or nobody would stop it.
        with later_stop():
            self._children[name] = subprocess.Popen(
                [sys.executable, "-m", *command.split()],
                cwd=settings.BASE_DIR,
                start_new_session=True,
            )
        if niceness:
            yield_to_others(self._children[name].pid, niceness)


def yield_to_others(pid: int, niceness: int) -> None:
    """Lower the priority of a process that leads a session.

    Where Linux groups processes by session (`sched_autogroup_enabled`, as desktops have it), niceness counts inside a
    session only: the session has one of its own, without which the worker would get as much as all pages together.
    """
    os.setpriority(os.PRIO_PROCESS, pid, niceness)
    group = Path(f"/proc/{pid}/autogroup")
    if group.exists():
        with suppress(OSError):  # Linux takes it once in a while only; the worker is slower to yield then
            group.write_text(str(niceness), encoding="ascii")


@contextmanager
def later_stop() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back until the block has ended; then what was to happen on them does.

    A handler of ours, not a blocked signal: a child that is started meanwhile would inherit the latter.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are handled in the main thread alone
        return
    held: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda came, frame: held.append(came))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for came in dict.fromkeys(held):
            signal.raise_signal(came)


def stop_on_terminate() -> None:
    """Let SIGTERM end the `with` block like Ctrl-C does."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)

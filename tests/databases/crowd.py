"""Many at once: threads that begin together, each with a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connections
from django.test.testcases import LiveServerThread

T = TypeVar("T")


def at_once(acts: Iterable[Callable[[], T]]) -> list[T]:
    """Do all acts at the same time; what each returned, in their order. The first failure is raised."""
    waiting = list(acts)
    barrier = threading.Barrier(len(waiting), timeout=60)

    def begin(act: Callable[[], T]) -> T:
        try:
            barrier.wait()
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=len(waiting)) as threads:
        return [done.result() for done in [threads.submit(begin, act) for act in waiting]]


@contextmanager
def served() -> Iterator[int]:
    """The platform on a port of its own, each request in a thread with a connection of its own; the port."""
    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    if server.error:
        raise server.error
    try:
        yield server.port
    finally:
        server.terminate()

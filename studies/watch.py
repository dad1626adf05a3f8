"""Watching over work: how long it may go on, that leases live while it goes on, and that it has not hung."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from studies.computed import Tick

logger = logging.getLogger(__name__)
Value = TypeVar("Value")
RENEW_EVERY_SECONDS = 5
PATIENCE_SECONDS = 60


class Paused(BaseException):
    """Raised out of a long computation that is to go on later. No error: nothing that catches errors may hold it."""


class Watch:
    """One stretch of work.

    stop:    asked between pieces of work and inside long ones: whether to hand the rest back
    seconds: how long the stretch may last; None = until nothing is due
    beat:    called at every sign of life
    """

    def __init__(
        self,
        *,
        stop: Callable[[], bool] = lambda: False,
        seconds: float | None = None,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._stop, self._beat = stop, beat
        self._end = None if seconds is None else time.monotonic() + seconds
        self._sign = time.monotonic()

    def is_over(self) -> bool:
        """Whether no further piece of work is to be begun."""
        return self._stop() or (self._end is not None and time.monotonic() > self._end)

    def live(self) -> None:
        """A sign of life: the work has come a step further."""
        self._sign = time.monotonic()
        self._beat()

    def is_late(self) -> bool:
        """Whether a group is to be left in the middle: its results often share what was computed, so not at once."""
        return self._stop() or (self._end is not None and time.monotonic() > self._end + settings.HANG_SECONDS / 2)

    def ticking(self, tick: Tick, *, can_continue: bool) -> Tick:
        """A tick for a long computation: every call is a sign of life, one in some seconds reaches `tick`.

        can_continue: the computation keeps what it has done and may be paused where the stretch is over; one that would
                      begin anew is left alone until the process is to stop
        """
        first, slowly = True, throttled(tick, RENEW_EVERY_SECONDS)

        def call(done: int, total: int) -> None:
            nonlocal first
            self.live()
            slowly(done, total)
            # The first tick may come before any step: each turn gets one step further at least.
            is_enough = self.is_over() if can_continue and not first else self._stop()
            if is_enough and done < total:
                raise Paused
            first = False

        return call

    @contextmanager
    def kept_alive(self, renew: Callable[[], None]) -> Iterator[None]:
        """Renew a lease from a thread of its own while a long step computes: a slow row is not a dead worker's.

        Only for so long: what has shown no sign of life for HANG_SECONDS has hung, and its lease may run out.
        """
        done = threading.Event()

        def keep() -> None:
            while not done.wait(settings.LEASE_SECONDS / 3):
                if time.monotonic() - self._sign < settings.HANG_SECONDS:
                    unless_busy(renew)
                    connection.close()

        self.live()
        thread = threading.Thread(target=keep, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def unless_busy(renew: Callable[[], None]) -> None:
    """Renew, or leave it to the next time: a busy database is no reason to give up the work in hand."""
    try:
        renew()
    except (OperationalError, InterfaceError) as error:
        logger.warning("leases were not renewed this time: %s", error)


def patiently(write: Callable[[], Value]) -> Value:
    """Try again for a while where the database is restarting or busy: what was computed is worth waiting for.

    raises: OperationalError, InterfaceError after PATIENCE_SECONDS, or at once inside a transaction
    """
    end, pause = time.monotonic() + PATIENCE_SECONDS, 0.1
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() > end:
                raise
            logger.warning("the database does not answer, trying again: %s", error)
            connection.close()
            time.sleep(pause)
            pause = min(2.0, pause * 2)


def reason_of(error: Exception) -> str:
    """An error as one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def throttled(tick: Tick, seconds: float) -> Tick:
    """At most one call in `seconds`, and the last one always."""
    last = 0.0

    def call(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > seconds or done == total:
            last = time.monotonic()
            tick(done, total)

    return call

"""Rounds of all faults, some at a time, each on templates and services of its own."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue

from tests.faults.catalogue import EMBEDDED, FAULTS
from tests.faults.private import Postgres, Redis, is_installed
from tests.faults.table import Row
from tests.faults.template import Templates


@contextmanager
def templates() -> Iterator[Templates]:
    """Prepared templates, with private services where they are installed."""
    made = Templates()
    try:
        if is_installed():
            made.postgres, made.redis, made.kept_redis = Postgres(), Redis(is_kept=False), Redis(is_kept=True)
            for service in (made.postgres, made.redis, made.kept_redis):
                service.start()
        made.prepare()
        yield made
    finally:
        made.remove()


def run(
    names: Iterable[str],
    *,
    runs: int,
    at_a_time: int,
    report: Callable[[str], None],
    each_round: Callable[[list[Row]], None],
) -> None:
    """After each round every fault has been run equally often.

    at_a_time:  how many faults are run beside each other
    each_round: called with all rows after each round
    """
    rows = {name: Row(FAULTS[name]) for name in names if is_installed() or FAULTS[name].ground == EMBEDDED}
    free: SimpleQueue[Templates] = SimpleQueue()

    def once(name: str) -> None:
        prepared = free.get()
        try:
            outcome = rows[name].fault.run(prepared)
            rows[name].outcomes.append(outcome)
            report(f"{name}: {outcome}")
        except Exception as error:  # noqa: BLE001 - a run that breaks off is a result
            rows[name].broken.append(str(error))
            report(f"{name}: {traceback.format_exc()}")
        finally:
            free.put(prepared)

    with ExitStack() as stack, ThreadPoolExecutor(at_a_time) as threads:
        for _ in range(at_a_time):
            free.put(stack.enter_context(templates()))
        for _ in range(runs):
            list(threads.map(once, rows))
            each_round(list(rows.values()))

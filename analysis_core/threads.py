"""Threads of torch beside those of BLAS: pools that wait for work by spinning take the cores from each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread_of_torch() -> Iterator[None]:
    """For loops that call torch and BLAS in turn: small steps of torch stay on the calling thread.

    Where both have two threads on two cores, such a loop takes seven times as long as with one thread each.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

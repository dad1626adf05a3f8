"""Loops that call torch and BLAS in turn keep torch to one thread, and leave its number as they found it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import blas

from analysis_core.stages import gram, streaming
from analysis_core.threads import one_thread_of_torch


@pytest.fixture
def three_threads() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_one_thread_inside_and_as_many_as_before_afterwards() -> None:
    with one_thread_of_torch():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_as_many_as_before_after_an_exception() -> None:
    with pytest.raises(KeyboardInterrupt), one_thread_of_torch():
        raise KeyboardInterrupt
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_torch_has_one_thread_while_the_gram_pass_multiplies(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def product(*arguments: Any, **options: Any) -> Any:
        seen.append(torch.get_num_threads())
        return blas.dsyrk(*arguments, **options)

    class Watched:
        dsyrk = staticmethod(product)

    monkeypatch.setattr(gram, "blas", Watched)
    found = streaming.read(np.random.default_rng(0).normal(size=(50, 4)), np.arange(50) % 3).moments
    assert found is not None
    assert found.n == 50
    assert set(seen) == {1}
    assert torch.get_num_threads() == 3

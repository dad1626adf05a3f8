"""Web and worker are stopped with the process that started them, whenever the signal comes."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from typing import Any

import pytest

from studies.processes import Processes, later_stop, stop_on_terminate


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_child_that_is_born_while_ctrl_c_comes_is_stopped_too(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    born: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def popen_interrupted(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        born.append(popen(["sleep", "60"], **options))
        os.kill(os.getpid(), number)
        return born[0]

    monkeypatch.setattr(subprocess, "Popen", popen_interrupted)
    before = signal.getsignal(signal.SIGTERM)
    try:
        stop_on_terminate()
        with pytest.raises(KeyboardInterrupt), Processes(0) as processes:
            processes.start_worker(niceness=0)
        assert born[0].returncode == -signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, before)
        born[0].kill()


def test_a_signal_is_held_back_once_and_its_handler_put_back() -> None:
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    try:
        ours = signal.getsignal(signal.SIGTERM)
        with later_stop():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
            assert came == []
        assert came == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is ours
    finally:
        signal.signal(signal.SIGTERM, before)


def test_outside_the_main_thread_there_is_nothing_to_hold_back() -> None:
    passed: list[bool] = []

    def work() -> None:
        with later_stop():
            passed.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert passed == [True]

"""The embedded broker: a message is whole or absent, whoever looks and whoever is killed meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection, Exchange, Queue

QUEUE = Queue("cpu", Exchange("cpu"), routing_key="cpu")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Connection]:
    folders = {"data_folder_in": tmp_path, "data_folder_out": tmp_path, "control_folder": tmp_path / "control"}
    with Connection("filesystem://", transport_options={name: str(path) for name, path in folders.items()}) as made:
        yield made


def test_whoever_looks_while_messages_are_written_reads_whole_ones(broker: Connection) -> None:
    sent, got = 300, []
    with broker.SimpleQueue(QUEUE) as queue:
        queue.put("first")
        assert queue.get(timeout=5).payload == "first"

    def send() -> None:
        with broker.clone() as own, own.SimpleQueue(QUEUE) as queue:
            for number in range(sent):
                queue.put({"number": number, "filling": "x" * 5000})

    writer = threading.Thread(target=send)
    writer.start()
    with broker.SimpleQueue(QUEUE) as queue:
        while len(got) < sent:
            message = queue.get(timeout=20)
            message.ack()
            got.append(message.payload["number"])
    writer.join()
    assert sorted(got) == list(range(sent))


def test_a_message_has_its_name_only_once_it_is_whole(broker: Connection, tmp_path: Path) -> None:
    seen: list[str] = []

    class Looking:
        """Looks into the folder while it is being written."""

        def __json__(self) -> str:
            seen.extend(path.name for path in tmp_path.glob("*.msg"))
            return "whole"

    broker.channel()._put("cpu", Looking())
    assert seen == []
    assert [path.read_text() for path in tmp_path.glob("*.msg")] == ['"whole"']


def test_what_a_kill_tore_does_not_stop_the_next_worker(broker: Connection, tmp_path: Path) -> None:
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / "torn.exchange").write_text('[["torn", "", "t')
    (tmp_path / "1_a.torn.msg").write_text("")
    # A queue of its own: kombu remembers per process which ones it has bound.
    with broker.SimpleQueue(Queue("torn", Exchange("torn"), routing_key="torn")) as queue:
        with pytest.raises(Empty):
            queue.get(timeout=0.5)
        queue.put("rings")
        assert queue.get(timeout=5).payload == "rings"

"""kombu's file-system broker with files that are whole or absent; takes its place for `filesystem://`.

kombu writes a message under its final name: a worker that looks in between reads half of it and dies, and a kill leaves
a table of queues that no process can read again.
"""

from __future__ import annotations

import logging
import os
import uuid
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    """Messages and tables of queues, written aside and renamed."""

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        _write(Path(self.data_folder_out) / name, dumps(message))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        while True:
            try:
                return super()._get(queue)
            except ValueError:
                # Written by kombu's own transport before a kill. It only rang; the work stands in the database.
                logger.warning("half a message was dropped")

    def get_table(self, exchange: str) -> list[Any]:
        """Which queues an exchange leads to."""
        try:
            found: list[Any] = super().get_table(exchange)
        except ValueError:
            return []  # torn by a kill before this transport was used: made anew by the next worker
        return found

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str) -> None:
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        table = self.get_table(exchange)
        if bound not in table:
            self.control_folder.mkdir(exist_ok=True)
            _write(self.control_folder / f"{exchange}.exchange", dumps([bound, *table]))


class Transport(filesystem.Transport):
    """The transport of `filesystem://`."""

    Channel = Channel


def use() -> None:
    """Have every `filesystem://` address lead here."""
    TRANSPORT_ALIASES["filesystem"] = "studyapp.file_broker:Transport"


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{uuid.uuid4().hex}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)

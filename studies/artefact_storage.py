"""Where artefact files lie by default: a folder in which a file is whole or absent, whenever its writer is killed."""

from __future__ import annotations

import os
import re
import socket
import uuid
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage, default_storage

from studies.alive import is_alive
from studies.faults import fault_point

PARTS = "parts"
_NAME_OF_PART = re.compile(r"(?P<host>[^:]+):(?P<pid>[0-9]{1,9}):[0-9a-f]+")


class ArtefactStorage(FileSystemStorage):
    """Files under names that are hashes of their content: writing one again writes the same bytes."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name as it is: two workers may store the same result at once."""
        return name

    def _save(self, name: str, content: Any) -> str:
        final, part = Path(self.path(name)), self.parts / f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"
        for folder in (final.parent, part.parent):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            with open(part, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            fault_point("before_rename")
            os.replace(part, final)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _sync_folder(final.parent)
        return name

    @property
    def parts(self) -> Path:
        """Files that are being written: on the same file system, so that a rename finishes them."""
        return Path(self.location) / PARTS


def sweep() -> None:
    """Delete what writers of this machine that are gone left half written; files of other names are not ours."""
    parts: Path | None = getattr(default_storage, "parts", None)
    if parts is None or not parts.is_dir():
        return
    for part in parts.iterdir():
        named = _NAME_OF_PART.fullmatch(part.name)
        if named and named["host"] == socket.gethostname() and not is_alive(int(named["pid"])):
            part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

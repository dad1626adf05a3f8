"""Artefact files in Django's storage: named by their SHA-256, verified on every read."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

ENDINGS = {"image/png": "png", "image/svg+xml": "svg", "application/octet-stream": "npz", "application/zip": "zip"}


class CorruptArtefact(Exception):
    """A stored file that is missing or does not have the bytes that were hashed."""


def store(content: bytes, media_type: str) -> dict[str, Any]:
    """Write the bytes under their hash, unless they lie there already; their entry."""
    entry = entry_of(content, media_type)
    if not is_intact(entry):
        set_aside(entry)
        default_storage.save(_name(entry), ContentFile(content))
    return entry


def entry_of(content: bytes, media_type: str) -> dict[str, Any]:
    """How rows name a file of these bytes: {"sha256", "type"}, of a PNG also its "size"."""
    entry: dict[str, Any] = {"sha256": hashlib.sha256(content).hexdigest(), "type": media_type}
    if media_type == "image/png":
        # Width and height open the header chunk: pages keep room for the picture while it loads.
        entry["size"] = list(struct.unpack(">II", content[16:24]))
    return entry


def load(entry: dict[str, Any]) -> bytes:
    """The verified bytes. raises: CorruptArtefact"""
    try:
        with default_storage.open(_name(entry)) as file:
            content: bytes = file.read()
    except FileNotFoundError as error:
        raise CorruptArtefact(f"{_name(entry)} is missing") from error
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise CorruptArtefact(f"{_name(entry)} is damaged")
    return content


def is_there(entry: dict[str, Any]) -> bool:
    """Whether a file of this name exists, whatever it holds."""
    return bool(entry) and default_storage.exists(_name(entry))


def is_intact(entry: dict[str, Any]) -> bool:
    """Whether the file exists and has the bytes that were hashed."""
    try:
        load(entry)
    except CorruptArtefact:
        return False
    return True


def set_aside(entry: dict[str, Any]) -> None:
    """Move a damaged file out of the way, where it can be looked at; a missing one needs nothing."""
    name = _name(entry)
    try:
        with default_storage.open(name) as file:
            default_storage.save(_name_aside(entry), ContentFile(file.read()))
    except FileNotFoundError:
        return
    default_storage.delete(name)


def delete(entry: dict[str, Any]) -> None:
    """Delete a file, also where it was set aside as damaged; a missing one needs nothing."""
    for name in (_name(entry), _name_aside(entry)):
        default_storage.delete(name)


def _name_aside(entry: dict[str, Any]) -> str:
    return f"quarantine/{_name(entry).rpartition('/')[2]}"


def _name(entry: dict[str, Any]) -> str:
    digest = entry["sha256"]
    return f"artefacts/{digest[:2]}/{digest}.{ENDINGS[entry['type']]}"

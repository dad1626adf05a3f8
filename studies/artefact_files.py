"""Artefact files in Django's storage: named by their SHA-256, verified on every read."""

from __future__ import annotations

import hashlib

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

ENDINGS = {"image/png": "png", "image/svg+xml": "svg", "application/octet-stream": "npz"}


class CorruptArtefact(Exception):
    """A stored file that is missing or does not have the bytes that were hashed."""


def store(content: bytes, media_type: str) -> dict[str, str]:
    """Write the bytes under their hash, unless they lie there already: {"sha256", "type"}."""
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "type": media_type}
    name = _name(entry)
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(content))
    return entry


def load(entry: dict[str, str]) -> bytes:
    """The verified bytes. raises: CorruptArtefact"""
    try:
        with default_storage.open(_name(entry)) as file:
            content: bytes = file.read()
    except FileNotFoundError as error:
        raise CorruptArtefact(f"{_name(entry)} is missing") from error
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise CorruptArtefact(f"{_name(entry)} is damaged")
    return content


def _name(entry: dict[str, str]) -> str:
    digest = entry["sha256"]
    return f"artefacts/{digest[:2]}/{digest}.{ENDINGS[entry['type']]}"

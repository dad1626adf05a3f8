"""Public ids, codes and orders: each is an HMAC of the study's secret, so unguessable and the same again on reload.

Never derived from the YAML seed (it is in the file) and never from model output.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def keyed(secret: bytes | memoryview[int], *parts: object) -> bytes:
    """HMAC-SHA256 over the parts, unambiguously joined."""
    message = b"".join(len(text).to_bytes(4, "big") + text for text in (str(part).encode() for part in parts))
    return hmac.new(bytes(secret), message, hashlib.sha256).digest()


def public_id(secret: bytes | memoryview[int], *parts: object, length: int = 20) -> str:
    """An opaque id of lower-case letters and digits (5 bits each)."""
    return base64.b32encode(keyed(secret, *parts)).decode().lower()[:length]


def shuffled(secret: bytes | memoryview[int], values: Iterable[T], *parts: object) -> list[T]:
    """A permutation drawn from the secret; the same again for the same parts. Sort `values` canonically first."""
    listed: Sequence[T] = list(values)
    order = sorted(range(len(listed)), key=lambda i: keyed(secret, *parts, i))
    return [listed[i] for i in order]

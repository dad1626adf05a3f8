"""What the engine hands back for one artefact: plain values, ready to be stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Computed:
    """Numbers (JSON-ready), files (name -> bytes and media type), and what it cost."""

    numbers: dict[str, Any]
    files: Mapping[str, tuple[bytes, str]] = field(default_factory=dict)
    seconds: float = 0.0
    forwards: int = 0
    device: str = "cpu"

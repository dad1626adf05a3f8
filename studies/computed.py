"""What goes into the engine and what comes out of it, for one artefact: plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

Result = TypeVar("Result")
#: Which data and which trained model: dataset, root, data_sha256, model, checkpoint, checkpoint_sha256.
Source = Mapping[str, Any]
#: Called with (done, total) while a long job goes on.
Tick = Callable[[int, int], None]
#: A file's content and media type.
File = tuple[bytes, str]
PNG, SVG = "image/png", "image/svg+xml"


@dataclass(frozen=True)
class Job:
    """One artefact to compute, as its row describes it."""

    stage: str
    subject: str
    target: str
    params: Mapping[str, Any]

    @property
    def source(self) -> Source:
        source: Source = self.params["source"]
        return source

    @property
    def options(self) -> Mapping[str, Any]:
        options: Mapping[str, Any] = self.params["options"]
        return options


def attempt(compute: Callable[[], Result]) -> Result | Exception:
    """The result, or what prevented it: one job's failure is not its neighbours'."""
    try:
        return compute()
    except Exception as error:  # noqa: BLE001 - whatever a model or dataset raises is the job's reason
        return error


@dataclass(frozen=True)
class Computed:
    """Numbers (JSON-ready), files (name -> bytes and media type), and what it cost."""

    numbers: dict[str, Any]
    files: Mapping[str, File] = field(default_factory=dict)
    seconds: float = 0.0
    forwards: int = 0
    device: str = "cpu"

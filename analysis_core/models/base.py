"""The model protocol, and what a checkpoint folder holds. Importing this loads no torch.

A checkpoint is a folder: `model.safetensors` (weights), `config.json` ({"model": registered name, "labels": [...],
"architecture": {...}}) and `record.json` (the training record: seed, data, figures on held-out data with intervals).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from analysis_core.errors import BadCheckpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from analysis_core.types import Encoded, Output


class MultimodalModel(Protocol):
    """Four members; batching, masking, caching, random numbers and devices belong to the core.

    Optional, discovered by `capabilities`: `labels` (class names), `layers` (names in Output.layers), and two methods
    (see models.towers) where modalities are encoded apart.
    """

    modalities: tuple[str, ...]

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        """Differentiable leaf tensors [1, ...] per modality, aux (masks; fixed lengths), atoms."""
        ...

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        """Batch-first, grad-enabled, pure: logits, features and layers have a row for each row of x."""
        ...

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        """What "absent" means, in the shape of encoded.x: [MASK] embedding, mean region, blurred image."""
        ...


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder, described: its model's name, labels, architecture, training record and weights' hash."""

    folder: Path
    model: str
    labels: tuple[str, ...]
    architecture: dict[str, Any]
    record: dict[str, Any]
    sha256: str

    @property
    def weights(self) -> Path:
        return self.folder / "model.safetensors"

    @classmethod
    def read(cls, folder: Path, *, expected: str) -> Checkpoint:
        """raises: BadCheckpoint"""
        config = _read_json(folder / "config.json")
        for key in ("model", "labels", "architecture"):
            if key not in config:
                raise BadCheckpoint(f"{folder / 'config.json'}: the key {key!r} is missing")
        if config["model"] != expected:
            raise BadCheckpoint(f"{folder} is a checkpoint of {config['model']!r}, not of {expected!r}")
        weights = folder / "model.safetensors"
        if not weights.is_file():
            raise BadCheckpoint(f"{weights} is missing; weights are read as safetensors only")
        _check_header(weights)
        record = _read_json(folder / "record.json") if (folder / "record.json").is_file() else {}
        with weights.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(folder, config["model"], tuple(config["labels"]), config["architecture"], record, digest)

    def tensors(self, device: str) -> dict[str, Tensor]:
        """The weights. raises: BadCheckpoint (not a safetensors file), BadInput and MissingDevice (the device)"""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from analysis_core.devices import require_device

        where = str(require_device(device))
        try:
            return load_file(self.weights, device=where)
        except (SafetensorError, OSError) as error:
            raise BadCheckpoint(f"{self.weights} cannot be read as safetensors: {error}") from error

    @staticmethod
    def write(
        folder: Path,
        *,
        model: str,
        labels: tuple[str, ...],
        architecture: Mapping[str, Any],
        state: Mapping[str, Tensor],
        record: Mapping[str, Any],
    ) -> None:
        """Write a checkpoint folder; weights last, so that a folder with weights is whole."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        config = {"model": model, "labels": list(labels), "architecture": dict(architecture)}
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
        (folder / "record.json").write_text(json.dumps(dict(record), indent=1) + "\n", encoding="utf-8")
        save_file({name: t.detach().cpu().contiguous() for name, t in state.items()}, folder / "model.safetensors")


def _check_header(weights: Path) -> None:
    """Whether a weights file is whole, from its header: no weights are loaded. raises: BadCheckpoint"""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="numpy") as file:
            names = list(file.keys())
    except (SafetensorError, OSError) as error:
        raise BadCheckpoint(f"{weights} is not a whole safetensors file: {error}") from error
    if not names:
        raise BadCheckpoint(f"{weights} holds no weights")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadCheckpoint(f"{path} is missing: {path.parent} is not a checkpoint folder") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadCheckpoint(f"{path} is not readable JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadCheckpoint(f"{path} must hold a JSON object")
    return value

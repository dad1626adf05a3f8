"""Errors that users of analysis_core meet: each says in one sentence what is wrong and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AnalysisError(Exception):
    """Base of everything analysis_core raises on purpose."""


class UnknownName(AnalysisError, LookupError):
    """A dataset, model, method, layer or class that does not exist; names the nearest ones."""

    def __init__(self, kind: str, name: object, known: Iterable[str]) -> None:
        """name: as it was given; what is no string has no nearest name, but is told like any other"""
        self.kind, self.name, self.known = kind, name, tuple(known)
        near = difflib.get_close_matches(str(name), self.known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(self.known) or 'none'}"
        super().__init__(f"unknown {kind} {name!r}; {hint}")


class BadData(AnalysisError):
    """A dataset file that cannot be read; names the file, and where known the line (or the entry) and the field."""

    def __init__(
        self, message: str, *, file: object, row: int | None = None, field: str | None = None, entry: str | None = None
    ) -> None:
        """row: counted from 1, a line of the file; entry: where lines tell nothing, such as questions[4]"""
        self.message, self.file, self.row, self.field, self.entry = message, str(file), row, field, entry
        where = str(file) + (f", line {row}" if row is not None else "") + (f", {entry}" if entry else "")
        where += f", field {field!r}" if field else ""
        super().__init__(f"{where}: {message}")


class BrokenEntry(AnalysisError, ImportError):
    """A registered dataset, model or method whose module or attribute cannot be imported; says where it points."""


class BadCheckpoint(AnalysisError):
    """A checkpoint that is missing, damaged, or was trained for another model."""


class BadFeatures(AnalysisError):
    """A feature matrix or target with a wrong shape, NaN or infinite entries."""


class BadInput(AnalysisError):
    """A sample, atom set or argument that a method cannot work on (empty modality, one atom, wrong shape)."""


class MissingDevice(AnalysisError):
    """A device that this machine does not have, or this torch was not built for; says what to take instead."""


class Diverged(BadInput):
    """A training step that left the range of numbers; says what to lower."""


class OutOfMemory(AnalysisError, MemoryError):
    """A single row does not fit in memory, so that no smaller batch can help."""


class NullDirection(AnalysisError):
    """The declared direction of a second-order gradient is annihilated by the model (LayerNorm ignores a shift)."""


class NotDifferentiableTwice(AnalysisError):
    """The model's second derivative does not exist or is zero almost everywhere; says which operation."""


class MissingCapability(AnalysisError):
    """A method needs something that this model does not offer; says what."""


class NotComplete(AnalysisError):
    """Integrated gradients whose sum misses f(x) - f(baseline); says by how much and what to change."""

"""Registered names -> dotted paths, kept as strings: listing datasets or models never imports torch."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from analysis_core.errors import BrokenEntry, UnknownName


class Registry:
    """Names of one kind of thing ("dataset", "model"), ours and those that installed packages add by entry point."""

    def __init__(self, kind: str, builtin: Mapping[str, str]) -> None:
        """builtin: name -> "package.module:Attribute"; entry points come from the group `analysis_core.<kind>s`."""
        self.kind = kind
        self._paths = dict(builtin)
        for point in entry_points(group=f"analysis_core.{kind}s"):
            self._paths.setdefault(point.name, point.value)

    def names(self) -> tuple[str, ...]:
        """All registered names, sorted."""
        return tuple(sorted(self._paths))

    def get(self, name: str) -> Any:
        """Import and return what `name` stands for.

        raises: UnknownName with the nearest names, BrokenEntry (its module or attribute cannot be imported)
        """
        if name not in self._paths:
            raise UnknownName(self.kind, name, self.names())
        module, _, attribute = self._paths[name].partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            raise BrokenEntry(
                f"{self.kind} {name!r} points to {self._paths[name]!r}, which cannot be imported "
                f"({type(error).__name__}: {error}): correct its entry point, or install what is missing"
            ) from error

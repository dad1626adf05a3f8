"""Datasets by registered name. Reading a dataset needs numpy and Pillow, never torch."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from analysis_core.datasets.base import Dataset
from analysis_core.registry import Registry

_REGISTRY = Registry(
    "dataset",
    {
        "clevr": "analysis_core.datasets.clevr:Clevr",
        "flickr30k": "analysis_core.datasets.flickr30k:Flickr30k",
        "nlvr": "analysis_core.datasets.nlvr:Nlvr",
    },
)

__all__ = ["Dataset", "load", "names"]


def names() -> tuple[str, ...]:
    """Registered datasets, without importing them."""
    return _REGISTRY.names()


def load(name: str, *, root: str | Path, split: str) -> Dataset:
    """Open one split of a dataset lazily.

    split:  a split's name; several joined by "+" ("test+hidden") where the format allows
    raises: UnknownName, BadData (missing folder or split, or a broken line: file, line, field)
    """
    return cast(Dataset, _REGISTRY.get(name)(Path(root), split))

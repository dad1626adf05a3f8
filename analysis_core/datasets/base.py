"""What a dataset offers. A researcher adds one by writing a class with these members and an entry point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Dataset(Protocol):
    """One split, lazy and memory-bounded: pictures are opened in `__getitem__`.

    labels:      class names; a sample's "label" indexes them
    label_types: class name -> answer type ("color", "boolean", ...): distractors share the prediction's type
    """

    labels: tuple[str, ...]
    label_types: Mapping[str, str]

    def __len__(self) -> int: ...

    def __getitem__(self, i: int) -> Mapping[str, Any]:
        """Sample i: "id" (unique in the split, a str), "image" (Pillow RGB), "text" (str), "label" (int), optional
        "regions" (list of objects), "boxes" [n, 4], "answer_type", "question_type", and the format's own fields.

        raises: BadData naming file, row and field
        """
        ...

"""Writes a small dataset in Flickr30k Entities' own layout: split lists, Sentences, Annotations, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

#: x0 y0 x1 y1 with pixels counted from 1 and the last one included, as in the release.
Corners = tuple[int, int, int, int]


def write_picture(
    root: Path,
    name: str,
    sentences: Sequence[str],
    objects: Sequence[tuple[Sequence[str], Corners | str]],
    *,
    size: tuple[int, int] = (40, 30),
    image: Image.Image | None = None,
) -> None:
    """One picture with its two files; objects: (entity ids, corners or "scene" or "nobox")."""
    for folder in ("Sentences", "Annotations", "flickr30k-images"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "Sentences" / f"{name}.txt").write_text("\n".join(sentences) + "\n", encoding="utf-8")
    (root / "Annotations" / f"{name}.xml").write_text(annotation(name, size, objects), encoding="utf-8")
    (image or Image.new("RGB", size, "green")).save(root / "flickr30k-images" / f"{name}.jpg", quality=95)


def write_split(root: Path, split: str, names: Sequence[str]) -> None:
    """The list of a split's pictures."""
    (root / f"{split}.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def annotation(name: str, size: tuple[int, int], objects: Sequence[tuple[Sequence[str], Corners | str]]) -> str:
    """An Annotations XML file, with one element per line."""
    lines = ["<annotation>", f"\t<filename>{name}.jpg</filename>", "\t<size>"]
    lines += [
        f"\t\t<{tag}>{value}</{tag}>" for tag, value in zip(("width", "height", "depth"), (*size, 3), strict=True)
    ]
    lines.append("\t</size>")
    for names, place in objects:
        lines += ["\t<object>", *(f"\t\t<name>{entity}</name>" for entity in names)]
        lines += _flags(place) if isinstance(place, str) else _corners(place)
        lines.append("\t</object>")
    return "\n".join([*lines, "</annotation>"]) + "\n"


def _corners(place: Corners) -> list[str]:
    tags: Mapping[str, int] = dict(zip(("xmin", "ymin", "xmax", "ymax"), place, strict=True))
    return ["\t\t<bndbox>", *(f"\t\t\t<{tag}>{value}</{tag}>" for tag, value in tags.items()), "\t\t</bndbox>"]


def _flags(place: str) -> list[str]:
    return [f"\t\t<scene>{int(place == 'scene')}</scene>", f"\t\t<nobndbox>{int(place == 'nobox')}</nobndbox>"]

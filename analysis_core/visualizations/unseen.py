"""What a method never looked at, told apart from a value of 0: grey hatching in every picture, and its words."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from analysis_core.errors import BadInput
from analysis_core.visualizations import picture
from analysis_core.visualizations import svg as parts

Mask = npt.NDArray[np.bool_]

#: Grey stripes between light ones are seen on any picture.
STRIPE, BETWEEN = (70, 70, 70, 255), (225, 225, 225, 60)
#: Distance of two stripes, and their width, in pixels.
PERIOD, WIDE = 10, 3
#: For the parts of a card: the definition, which a card carries once, and what refers to it.
FILL = "url(#not-looked-at)"
PATTERN = (
    '<defs><pattern id="not-looked-at" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="6" height="6" fill="#eceef2"/>'
    '<rect width="2" height="6" fill="#8a92a0"/></pattern></defs>'
)
#: The line of a card that says what the hatching means.
LEGEND_HEIGHT = 26.0


def mask(unseen: Any, shape: tuple[int, ...]) -> Mask:
    """The marks as booleans. raises: BadInput (another shape)"""
    found = np.zeros(shape, dtype=bool) if unseen is None else np.asarray(unseen, dtype=bool)
    if found.shape != shape:
        raise BadInput(f"marks of what was not looked at are {list(found.shape)}, the values {list(shape)}")
    return found


def note(n: int, of: int) -> str:
    """The words of captions and legends."""
    return f"hatched: not looked at ({n} of {of}), which is no 0"


def legend(x: float, y: float, text: str) -> list[str]:
    """The hatching and its words, for the last line of a card; y is the base line."""
    n = parts.number
    swatch = f'<rect x="{n(x)}" y="{n(y - 12)}" width="22" height="14" rx="3" fill="{FILL}" stroke="{parts.PALE_INK}"/>'
    return [PATTERN, swatch, parts.label(x + 30, y, text, 13, fill=parts.PALE_INK)]


def on_pixels(layer: bytes, marked: Mask) -> bytes:
    """A transparent PNG with stripes where marked: bool [H, W] over the whole of it, at any whole scale."""
    image = Image.open(BytesIO(layer), formats=("PNG",)).convert("RGBA")
    pixels = np.array(image)
    rows = np.arange(image.height) * marked.shape[0] // image.height
    columns = np.arange(image.width) * marked.shape[1] // image.width
    where = marked[rows][:, columns]
    stripes = (np.add.outer(np.arange(image.height), np.arange(image.width)) % PERIOD) < WIDE
    pixels[where & stripes], pixels[where & ~stripes] = STRIPE, BETWEEN
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", compress_level=6)
    return stream.getvalue()


def captioned(image: bytes, text: str) -> bytes:
    """A PNG with a line of text below it, broken where it is too long."""
    above = Image.open(BytesIO(image), formats=("PNG",)).convert("RGB")
    size = max(12, above.width // 32)
    font = ImageFont.load_default(size)
    ruler = ImageDraw.Draw(above)
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and ruler.textlength(longer, font=font) > above.width - 12:
            lines.append(word)
        else:
            lines[-1] = longer
    high = round(size * 1.35)
    whole = Image.new("RGB", (above.width, above.height + high * len(lines) + 8), "white")
    whole.paste(above, (0, 0))
    draw = ImageDraw.Draw(whole)
    for row, line in enumerate(lines):
        draw.text((6, above.height + 4 + row * high), line, font=font, fill=(29, 35, 48))
    return picture.encode(whole)

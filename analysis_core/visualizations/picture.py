"""Pictures from outside: opened with limits, and encoded again so that nothing but the visible pixels is left."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from analysis_core.arguments import count
from analysis_core.errors import BadData, BadInput

FORMATS = ("PNG", "JPEG", "WEBP")
#: 50 million pixels: more than any dataset here has, and 150 MB once decoded.
MAX_PIXELS = 50_000_000


def open_checked(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Read a PNG, JPEG or WEBP file as RGB, upright, its first frame; transparent parts on white.

    raises: BadData (missing, another format, damaged, more than max_pixels)
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                message = f"{image.width} x {image.height} pixels are more than the {max_pixels:,} allowed"
                raise BadData(message, file=path)
            return flatten(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadData(f"has more than the {max_pixels:,} pixels allowed", file=path) from error
    except FileNotFoundError as error:
        raise BadData("is missing", file=path) from error
    except UnidentifiedImageError as error:
        raise BadData(f"is not a picture in one of the formats {', '.join(FORMATS)}", file=path) from error
    except (OSError, SyntaxError, ValueError) as error:
        # Pillow reports damaged files by these three.
        reason = getattr(error, "strerror", None) or error
        raise BadData(f"cannot be read as a picture: {reason}", file=path) from error


def opened_png(data: Any) -> Image.Image:
    """A PNG of this package, as RGBA. raises: BadInput (anything else, such as an SVG or a file's name)"""
    try:
        return Image.open(BytesIO(data), formats=("PNG",)).convert("RGBA")
    except (TypeError, OSError, SyntaxError, ValueError) as error:
        raise BadInput(f"{data!r:.40} is no PNG: hand over the bytes of a picture of this package") from error


def encode(image: Any, *, max_side: int | None = None) -> bytes:
    """A PNG in RGB without metadata, palette or alpha, made smaller to max_side where it is larger.

    image: as in `flatten`
    raises: BadInput
    """
    flat = flatten(image)
    longest = max(flat.size)
    max_side = None if max_side is None else count("max_side", max_side)
    if max_side is not None and longest > max_side:
        size = [max(1, round(side * max_side / longest)) for side in flat.size]
        flat = flat.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    stream = BytesIO()
    flat.save(stream, format="PNG", compress_level=6)
    return stream.getvalue()


def flatten(image: Any) -> Image.Image:
    """RGB pixels alone: transparent parts on white (what they hide is gone), 16 bit brought to 8, no info kept.

    image:  Pillow image, or array or tensor uint8 [H, W], [H, W, 3] or [H, W, 4], or uint16 [H, W]
    raises: BadInput (anything else, no pixels)
    """
    source = image if isinstance(image, Image.Image) else _from_array(image)
    if not all(source.size):
        raise BadInput(f"a picture of {source.width} x {source.height} has no pixels: hand over one that has")
    if source.mode.startswith("I"):
        source = Image.fromarray((np.asarray(source).astype(np.int64).clip(0, 65535) // 257).astype(np.uint8))
    if source.has_transparency_data:
        layer = source.convert("RGBA")
        source = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    # A new image from the pixels: Pillow would otherwise carry profiles, comments and gamma into what it saves.
    return Image.fromarray(np.asarray(source.convert("RGB")))


def _from_array(image: Any) -> Image.Image:
    if isinstance(image, str | bytes | Path):
        raise BadInput(f"{image!r:.80} is no picture: hand over what picture.open_checked makes of the file")
    try:
        array = np.asarray(image.detach().cpu() if hasattr(image, "detach") else image)
    except (TypeError, ValueError) as error:
        raise BadInput(f"a picture must be a Pillow image or an array uint8 [H, W, 3]: {error}") from error
    if array.dtype == np.uint16 and array.ndim == 2 and array.size:
        return Image.fromarray(array)
    if array.dtype != np.uint8:
        raise BadInput(
            f"a picture's array must be uint8, not {array.dtype}: take (255 * array).round() of shares of 0 to 1"
        )
    if not array.size or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise BadInput(f"a picture's array must be [H, W], [H, W, 3] or [H, W, 4] with pixels, not {list(array.shape)}")
    return Image.fromarray(np.ascontiguousarray(array))

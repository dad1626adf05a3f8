"""Pictures from outside: opened with limits, and encoded again so that nothing but the visible pixels is left."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from analysis_core.errors import BadData

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


def encode(image: Any, *, max_side: int | None = None) -> bytes:
    """A PNG in RGB without metadata, palette or alpha, made smaller to max_side where it is larger.

    image: Pillow image or array uint8 [H, W], [H, W, 3] or [H, W, 4]
    """
    flat = flatten(image)
    longest = max(flat.size)
    if max_side is not None and longest > max_side:
        size = [max(1, round(side * max_side / longest)) for side in flat.size]
        flat = flat.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    stream = BytesIO()
    flat.save(stream, format="PNG", compress_level=6)
    return stream.getvalue()


def flatten(image: Any) -> Image.Image:
    """RGB pixels alone: transparent parts on white (what they hide is gone), 16 bit brought to 8, no info kept."""
    source = image if isinstance(image, Image.Image) else Image.fromarray(np.asarray(image))
    if source.mode.startswith("I"):
        source = Image.fromarray((np.asarray(source).astype(np.int64).clip(0, 65535) // 257).astype(np.uint8))
    if source.has_transparency_data:
        layer = source.convert("RGBA")
        source = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    # A new image from the pixels: Pillow would otherwise carry profiles, comments and gamma into what it saves.
    return Image.fromarray(np.asarray(source.convert("RGB")))

"""From one picture format to the other: SVG drawn as PNG, and a PNG carried by an SVG."""

from __future__ import annotations

import base64
from io import BytesIO

from PIL import Image

from analysis_core.visualizations import svg as parts


def png_of(svg: bytes, *, scale: float = 2.0) -> bytes:
    """An SVG of this package as PNG, `scale` pixels per unit. Drawn by vl-convert, with the fonts of this machine."""
    import vl_convert

    return bytes(vl_convert.svg_to_png(svg.decode(), scale=scale))


def svg_of(png: bytes, *, title: str) -> bytes:
    """A PNG (a heatmap, outlines) as an SVG of the same size, for papers and pages that take no other format.

    title: what a screen reader says
    """
    with Image.open(BytesIO(png), formats=("PNG",)) as image:
        wide, high = image.size
    data = base64.b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" '
        f'role="img">\n<title>{parts.escape(title)}</title>\n<image width="{wide}" height="{high}" '
        f'href="data:image/png;base64,{data}"/>\n</svg>\n'
    ).encode()

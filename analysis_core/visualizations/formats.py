"""From one picture format to the other: SVG drawn as PNG, and a PNG carried by an SVG."""

from __future__ import annotations

import base64

from analysis_core.errors import BadInput
from analysis_core.visualizations import picture
from analysis_core.visualizations import svg as parts


def png_of(svg: bytes, *, scale: float = 2.0) -> bytes:
    """An SVG of this package as PNG, `scale` pixels per unit. Drawn by vl-convert, with the fonts of this machine.

    raises: BadInput (no SVG, or one that is too large to be drawn)
    """
    import vl_convert

    try:
        return bytes(vl_convert.svg_to_png(svg.decode(), scale=scale))
    except (AttributeError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise BadInput(f"this SVG cannot be drawn ({reason}): hand over a card of this package as it is") from error


def svg_of(png: bytes, *, title: str, note: str = "") -> bytes:
    """A PNG (a heatmap, outlines) as an SVG of the same size, for papers and pages that take no other format.

    title: what a screen reader says; note: a line of text below the picture
    raises: BadInput (no PNG)
    """
    wide, high = picture.opened_png(png).size
    below, text = (24, _line(note, wide, high)) if note else (0, "")
    data = base64.b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high + below}" width="{wide}" '
        f'height="{high + below}" font-family="{parts.FONT}" role="img">\n'
        f'<title>{parts.escape(title)}</title>\n<image width="{wide}" height="{high}" '
        f'href="data:image/png;base64,{data}"/>\n{text}</svg>\n'
    ).encode()


def _line(note: str, wide: int, high: int) -> str:
    paper = f'<rect y="{high}" width="{wide}" height="24" fill="{parts.PAPER}"/>'
    return f"{paper}{parts.label(4, high + 17, parts.shortened(note, 13, wide - 8), 13)}\n"

"""Numbers of the explanations -> pictures (PNG, SVG bytes). Needs numpy and Pillow; anything np.asarray takes will do.

Same input, same bytes; no metadata, so that a picture carries nothing but what it shows. `draw` gives every modality of
an attribution the picture that suits it; the modules beside it make one kind each.
"""

from __future__ import annotations

from analysis_core.visualizations import (
    boxes,
    curve,
    formats,
    graph,
    heatmap,
    picture,
    sheet,
    superpixels,
    time_map,
    words,
)
from analysis_core.visualizations.drawings import Drawing, draw, draw_interaction

__all__ = [
    "Drawing",
    "boxes",
    "curve",
    "draw",
    "draw_interaction",
    "formats",
    "graph",
    "heatmap",
    "picture",
    "sheet",
    "superpixels",
    "time_map",
    "words",
]

"""Numbers of the explanations -> pictures (PNG, SVG bytes). Needs numpy and Pillow; anything np.asarray takes will do.

Same input, same bytes; no metadata, so that a picture carries nothing but what it shows.
"""

from __future__ import annotations

from analysis_core.visualizations import boxes, graph, heatmap, picture, words

__all__ = ["boxes", "graph", "heatmap", "picture", "words"]

"""Markdown written by researchers (consent, instructions) -> safe HTML."""

from __future__ import annotations

import markdown
import nh3


def to_html(text: str) -> str:
    """Render Markdown and drop every tag and attribute that is not plain text formatting."""
    return nh3.clean(markdown.markdown(text, extensions=["tables"]), link_rel="noopener noreferrer")

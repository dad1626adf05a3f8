"""Log records without the tokens of invites and personal links: a resume token is somebody's whole sheet."""

from __future__ import annotations

import logging
import re

_TOKEN = re.compile(r"(/s/[^/\s]+/|/r/|/m/)[A-Za-z0-9-]+")


def masked(text: str) -> str:
    """The text with every token of a link replaced by dots."""
    return _TOKEN.sub(r"\1...", text)


class MaskTokens(logging.Filter):
    """Masks the finished message of each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Every record is kept."""
        record.msg, record.args = masked(record.getMessage()), None
        return True

"""Log records without what belongs to one person: tokens of links, which are somebody's whole sheet, and query strings.

Django's own lines pass `MaskTokens`. A server that writes an access log takes `AccessLog`:
`gunicorn studyapp.wsgi --logger-class studyapp.access_log.AccessLog --access-logfile -`.
"""

from __future__ import annotations

import logging
import re

_TOKEN = re.compile(r"(/s/[^/\s?]+/|/r/|/m/)[A-Za-z0-9_-]+")
_API_TOKEN = re.compile(r"\bmvs_[A-Za-z0-9_-]+")
# A recruitment platform's link has the participant's id here.
_QUERY = re.compile(r"(/[^\s?\"']*)\?[^\s\"']+")


def masked(text: str) -> str:
    """The text with every token and query string replaced by dots."""
    return _API_TOKEN.sub("mvs_...", _QUERY.sub(r"\1?...", _TOKEN.sub(r"\1...", text)))


class MaskTokens(logging.Filter):
    """Masks the finished message of each record, and what a traceback quotes."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Every record is kept."""
        record.msg, record.args = masked(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = masked(logging.Formatter().formatException(record.exc_info))
        return True

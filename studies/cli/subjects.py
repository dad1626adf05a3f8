"""Finding what a verb is about."""

from __future__ import annotations

import difflib
import getpass

from studies.cli.output import Refused
from studies.models import Study


def study_named(slug: str) -> Study:
    """raises: Refused, naming the nearest study"""
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        known = list(Study.objects.values_list("slug", flat=True))
        near = difflib.get_close_matches(slug, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
        raise Refused([f"no study {slug!r}; {hint}"])
    return study


def actor() -> str:
    """Who acts at this terminal, for the audit log."""
    try:
        return f"terminal:{getpass.getuser()}"
    except (KeyError, OSError):
        return "terminal"

"""Checks of arguments that many methods share: whole numbers, counts, finite numbers. Importing this loads no torch."""

from __future__ import annotations

import math
import operator
from typing import Any

from analysis_core.errors import BadInput


def whole(name: str, value: Any) -> int:
    """A whole number of any library's kind as int. raises: BadInput (a fraction, a truth value, no number)"""
    found = _index(value)
    if found is None:
        raise BadInput(f"{name} must be a whole number, not {value!r}")
    return found


def count(name: str, value: Any, *, least: int = 1) -> int:
    """A whole number from `least` on as int. raises: BadInput (less; a fraction, a truth value, no number)"""
    found = _index(value)
    if found is None or found < least:
        raise BadInput(f"{name} must be a whole number of at least {least}, not {value!r}")
    return found


def finite(name: str, value: Any) -> float:
    """A number of any library's kind as float. raises: BadInput (NaN, infinite, a text, no number)"""
    try:
        found = math.nan if isinstance(value, str | bytes | bool) else float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise BadInput(f"{name} must be a finite number, not {value!r}")
    return found


def _index(value: Any) -> int | None:
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except (TypeError, RuntimeError):
        return None

"""Checks of arguments that many methods share: counts, numbers, lists, results. Importing this loads no torch."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

from analysis_core.errors import BadInput
from analysis_core.types import Attribution


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


def one_attribution(value: Any) -> Attribution:
    """A single result. raises: BadInput (anything else, such as the list that methods of several targets return)"""
    if isinstance(value, Attribution):
        return value
    if isinstance(value, list | tuple) and value and isinstance(value[0], Attribution):
        raise BadInput(f"give one Attribution, such as found[0], not a {type(value).__name__} of {len(value)}")
    raise BadInput(f"an Attribution is needed, the result of a method, not {value!r:.80}")


def listed(name: str, value: Any, example: str) -> list[Any]:
    """An iterable as a list. raises: BadInput (a single thing, or a text, in place of a list)"""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise BadInput(f"{name} must be a list, such as {example}, not {value!r:.80}")
    return list(value)


def _index(value: Any) -> int | None:
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except (TypeError, RuntimeError):
        return None

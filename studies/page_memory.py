"""Files of the item pages that this process showed last, so that a picture does not build its whole page once more.

A page of the paper's study has 26 pictures, and each is a request. Called by studies/pages.py only, after it has
checked that the sheet may see the page. What is forgotten, or was shown by another process, is built again.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any

from studies.models import Sheet
from studies.models.sheet import Kind

Files = dict[str, dict[str, Any]]
#: About 10 KB each
MOST_PAGES = 300
#: By sheet, condition and position: what one condition was shown is never recalled for another.
_pages: OrderedDict[tuple[int, int | None, int], Files] = OrderedDict()
_lock = Lock()


def remember(sheet: Sheet, position: int, files: Files) -> None:
    """Keep the files {media id -> entry} of a page. Not of previews: before the freeze what they show may change."""
    if sheet.kind != Kind.LIVE:
        return
    with _lock:
        _pages[_key(sheet, position)] = files
        _pages.move_to_end(_key(sheet, position))
        while len(_pages) > MOST_PAGES:
            _pages.popitem(last=False)


def recall(sheet: Sheet, position: int) -> Files:
    """The files of a page that was shown last, or nothing."""
    with _lock:
        return _pages.get(_key(sheet, position), {})


def forget() -> None:
    """Nothing was shown yet: for tests, in which primary keys come again."""
    with _lock:
        _pages.clear()


def _key(sheet: Sheet, position: int) -> tuple[int, int | None, int]:
    return sheet.pk, sheet.condition_id, position

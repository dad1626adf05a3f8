"""Files of the item pages that this process showed last, so that a picture does not build its whole page once more.

A page of the paper's study has 26 pictures, and each is a request. Called by studies/pages.py only, after it has
checked that the sheet may see the page. What is forgotten, or was shown by another process, is built again.

A browser that was let in is not looked up again for PASS_SECONDS while it loads the other pictures of the same page.
Whatever ends its sheet meanwhile, it sees nothing that it was not shown already.
"""

from __future__ import annotations

import time
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
PASS_SECONDS = 2.0
#: By session key: until when, and the files of the one page that it holds for
_passes: OrderedDict[str, tuple[float, Files]] = OrderedDict()
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


def let_in(session_key: str, sheet: Sheet, files: Files) -> None:
    """Let a browser that was just looked up load these files for PASS_SECONDS."""
    if sheet.kind != Kind.LIVE:
        return
    with _lock:
        _passes[session_key] = (time.monotonic() + PASS_SECONDS, files)
        _passes.move_to_end(session_key)
        while len(_passes) > MOST_PAGES:
            _passes.popitem(last=False)


def is_let_in(session_key: str, media_id: str) -> dict[str, Any] | None:
    """The file that a browser which was let in asks for; None where it has to be looked up."""
    with _lock:
        until, files = _passes.get(session_key, (0.0, {}))
    return files.get(media_id) if time.monotonic() < until else None


def forget() -> None:
    """Nothing was shown yet: for tests, in which primary keys come again."""
    with _lock:
        _pages.clear()
        _passes.clear()


def _key(sheet: Sheet, position: int) -> tuple[int, int | None, int]:
    return sheet.pk, sheet.condition_id, position

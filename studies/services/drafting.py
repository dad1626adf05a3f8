"""Drafts: what is filled in and not yet submitted. Mutable, never data; the newest one wins, whatever arrives last."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from studies import pages
from studies.models import Draft, Item, Sheet
from studies.services.locking import SheetElsewhere, sheet_locked

MOST_BYTES = 64 * 1024
#: Browsers count their milliseconds in floating point: what is larger is no clock.
_LAST = 2**53 - 1


class DraftTooLarge(Exception):
    """More text than a draft keeps; what was saved before stays."""


def sequence_of(text: str) -> int | None:
    """A browser's clock in milliseconds from a form field, or None where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 17 and int(text) <= _LAST else None


@transaction.atomic
def draft_save(*, sheet: Sheet, position: int, sequence: int, values: Mapping[str, str]) -> Draft:
    """Keep what is filled in, unless something newer is kept already; returns what stands afterwards.

    values: the item form's fields; all others are ignored
    raises: SheetElsewhere, DraftTooLarge
    """
    # The sheet's lock orders drafts and submissions: a draft that was under way cannot come back after its submission.
    sheet = sheet_locked(sheet)
    if not takes_answers(sheet, position):
        raise SheetElsewhere
    item = Item.objects.get(pk=sheet.item_order[position], version=sheet.version)
    standing = Draft.objects.filter(sheet=sheet, item=item).first()
    if standing and standing.sequence >= sequence:
        return standing
    kept = _own_fields(sheet, item, values)
    if sum(len(text.encode()) for text in kept.values()) > MOST_BYTES:
        raise DraftTooLarge
    return _put(sheet, item, kept, sequence)


def draft_clear(*, sheet: Sheet, item: Item, sequence: int | None, is_scripted: bool) -> None:
    """Empty an item's draft, inside the caller's transaction: its answer is stored, or it is given up.

    sequence: the browser's clock at that moment; drafts that are not newer are ignored from now on
    is_scripted: whether a script sent it: then a draft may be under way even if none has arrived
    """
    standing = Draft.objects.filter(sheet=sheet, item=item).first()
    if standing is None and not is_scripted:
        return
    floors = [sequence or 0, standing.sequence if standing else 0]
    if is_scripted:
        floors.append(int(timezone.now().timestamp() * 1000))
    _put(sheet, item, {}, max(floors))


@transaction.atomic
def draft_discard(*, sheet: Sheet, position: int, sequence: int | None) -> None:
    """Forget what was changed of an item's answer: the stored one stands. Where nothing can be changed, nothing is.

    sequence: the browser's clock, where a script runs: drafts that are not newer are ignored from now on
    """
    sheet = sheet_locked(sheet)
    if takes_answers(sheet, position):
        item = Item.objects.get(pk=sheet.item_order[position], version=sheet.version)
        draft_clear(sheet=sheet, item=item, sequence=sequence, is_scripted=sequence is not None)


def is_overtaken(sheet: Sheet, item: Item, sequence: int | None) -> bool:
    """Whether the item was answered or changed after a browser's clock said `sequence`: on another device, or in a tab.

    A page that was opened afterwards is never overtaken: its sequences begin behind the one that is kept.
    """
    return sequence is not None and Draft.objects.filter(sheet=sheet, item=item, sequence__gt=sequence).exists()


def takes_answers(sheet: Sheet, position: int) -> bool:
    """Whether the item at this position can be answered, or its answer changed: practice not after its feedback."""
    if sheet.step not in (Sheet.Step.ITEM, Sheet.Step.REVIEW) or sheet.is_cut_off or not sheet.has_reached(position):
        return False
    return position == sheet.position or position >= sheet.version.config.items.practice


def _own_fields(sheet: Sheet, item: Item, values: Mapping[str, str]) -> dict[str, str]:
    choice = values.get("choice", "")
    own = {pages.choice_id(sheet, item, each["letter"]) for each in item.choices}
    # PostgreSQL's JSON refuses NUL characters.
    texts = {name: values.get(name, "").replace("\x00", "") for name in pages.question_names(sheet)}
    return {"choice": choice if choice in own else "", **texts}


def _put(sheet: Sheet, item: Item, values: dict[str, str], sequence: int) -> Draft:
    fresh = {"values": values, "sequence": sequence, "saved": timezone.now()}
    draft, _ = Draft.objects.update_or_create(sheet=sheet, item=item, defaults=fresh)
    return draft

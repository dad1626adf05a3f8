"""The pages where a sheet ends, well or not: done, full, closed, screened out, withdrawn; with codes and ways back."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from studies import texts
from studies.config import StudyConfig
from studies.models import Sheet
from studies.page_frame import form_key, frame
from studies.page_step_types import DonePage, OtherSheet, PlainPage
from studies.secret_ids import public_id


def done(sheet: Sheet, held: Sequence[Sheet] = ()) -> DonePage:
    """The completion code: only a finished sheet has this one. `held` are the other sheets of this browser."""
    # Attention checks too: whoever answered four items must not read that one is missing, or does not count.
    counted = sheet.answers.filter(question="choice", revision=0, item__is_practice=False)
    code = completion_code(sheet)
    return DonePage(frame(sheet), code, counted.count(), return_url(sheet.version.config, code), other_sheets(held))


def plain(sheet: Sheet, held: Sequence[Sheet] = ()) -> PlainPage:
    """What a sheet that cannot go on says: full, closed, screened out, withdrawn."""
    heading, text = texts.SHEET_ENDS[outcome(sheet)]
    code = completion_code(sheet)
    return PlainPage(frame(sheet), heading, text, code, return_url(sheet.version.config, code), other_sheets(held))


def being_prepared(sheet: Sheet) -> PlainPage:
    """Instead of an item of which something has to be computed once more: never half an item."""
    return PlainPage(frame(sheet), *texts.BEING_PREPARED)


def outcome(sheet: Sheet) -> str:
    """How a sheet ended: done, screened_out, full, closed, withdrawn; or the step at which it is."""
    return "closed" if sheet.is_cut_off else sheet.step


def completion_code(sheet: Sheet) -> str:
    """The code that somebody hands to the recruiter: the platform's for this outcome, or one of their own.

    "" for a sheet that is under way, and for one that was withdrawn: nothing of it is to be known any more.
    """
    name = {"done": "completed"}.get(outcome(sheet), outcome(sheet))
    if name not in ("completed", "screened_out", "full", "closed"):
        return ""
    own = public_id(sheet.version.study.secret, "completion", name, sheet.annotator.pseudonym, length=8).upper()
    given: str | None = getattr(sheet.version.config.recruitment.codes, name)
    return given or own


def return_url(config: StudyConfig, code: str) -> str:
    """The link back to the recruitment platform with a code in it, or "" where there is none for this code."""
    part = config.recruitment
    # The platform's own link takes its own codes; what takes others is written in the study file.
    is_known = part.return_url is not None or code in part.codes.model_dump().values()
    return part.link.replace("{code}", quote(code, safe="")) if part.link and code and is_known else ""


def other_sheets(held: Sequence[Sheet]) -> tuple[OtherSheet, ...]:
    """The sheets of this browser that can go on."""
    going_on = (sheet for sheet in held if not sheet.is_over and not sheet.is_cut_off)
    return tuple(OtherSheet(sheet.version.config.title, form_key(sheet)) for sheet in going_on)

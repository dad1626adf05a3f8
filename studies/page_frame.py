"""What every page of a sheet shows around its content, and the key that names the sheet in its forms."""

from __future__ import annotations

from django.conf import settings

from studies import texts
from studies.models import Sheet
from studies.page_types import Frame, StageIntroduction
from studies.secret_ids import public_id


def frame(sheet: Sheet) -> Frame:
    """What a page without content of its own (withdraw) shows."""
    config = sheet.version.config
    return Frame(
        title=config.title,
        watermark=texts.WATERMARKS[sheet.kind],
        step=sheet.step,
        minutes=config.pages.minutes,
        can_withdraw=sheet.step != Sheet.Step.WITHDRAWN,
        form_key=form_key(sheet),
        personal_link=f"{settings.PUBLIC_URL}/r/{sheet.resume_token}/",
    )


def form_key(sheet: Sheet) -> str:
    """The field `sheet` of every form: where one browser holds two sheets, a form changes only its own."""
    return public_id(sheet.version.study.secret, "form", sheet.annotator.pseudonym, length=16)


def introductions(sheet: Sheet) -> tuple[StageIntroduction, ...]:
    """How to read each stage that the sheet's condition shows."""
    return tuple(StageIntroduction(*texts.STAGE_INTRODUCTIONS[stage]) for stage in stages(sheet))


def stages(sheet: Sheet) -> list[str]:
    """The allow-list: what the sheet's condition shows."""
    assert sheet.condition is not None, "the sheet is not assigned yet"
    return sheet.condition.stages

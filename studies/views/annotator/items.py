"""The one address of every item: the sheet knows which one is open; `?at=` opens an earlier one."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from studies import pages
from studies.models import Sheet
from studies.services.answering import AnswerRefused, answer_submit
from studies.views.annotator.entered import item_as_entered
from studies.views.annotator.steps import sheet_page


@sheet_page(Sheet.Step.ITEM, Sheet.Step.REVIEW)
def item(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """The open item, an earlier one to revise, or a practice item with its feedback."""
    if request.method == "POST":
        return _submit(request, sheet)
    asked = request.GET.get("at")
    position = sheet.position if asked is None else _position(asked)
    if not sheet.has_reached(position):
        return redirect("item" if asked else "where")
    return render(request, "annotator/item.html", {"page": pages.item(sheet, position)})


def _submit(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    position = _position(request.POST.get("position", ""))
    if not sheet.has_reached(position):
        return redirect("item")
    page = pages.item(sheet, position)
    submission = _submission(request.POST.get("submission", "")) or uuid.UUID(page.submission)
    try:
        answer_submit(sheet=sheet, position=position, submission=submission, values=request.POST)
    except AnswerRefused as refused:
        page = item_as_entered(page, request.POST, refused.problems)
        return render(request, "annotator/item.html", {"page": page}, status=422)
    return redirect(f"{reverse('item')}?at={position}" if page.is_practice else "where")


def _position(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return -1


def _submission(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None

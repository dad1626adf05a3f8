"""The one address of every item: the sheet knows which one is open; `?at=` opens an earlier one."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from studies import pages
from studies.models import Sheet
from studies.services.answering import AnswerRefused, answer_submit, is_submitted
from studies.services.locking import SheetElsewhere
from studies.views.annotator.entered import item_as_entered
from studies.views.annotator.steps import moved, sheet_page, wants_json

LOOK_AGAIN_SECONDS = 10


def _sent_before(request: HttpRequest, sheet: Sheet) -> HttpResponse | None:
    submission = uuid_of(request.POST.get("submission", ""))
    return _went_on(request, sheet) if submission and is_submitted(sheet, submission) else None


@sheet_page(Sheet.Step.ITEM, Sheet.Step.REVIEW, sent_before=_sent_before)
def item(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """The open item, an earlier one to revise, or a practice item with its feedback."""
    if request.method == "POST":
        return _submit(request, sheet)
    asked = request.GET.get("at")
    position = sheet.position if asked is None else position_of(asked)
    if not sheet.has_reached(position):
        return redirect("item" if asked else "where")
    return _page(request, sheet, position)


def position_of(text: str) -> int:
    """A position from a form field or a query; -1 for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else -1


def uuid_of(text: str) -> uuid.UUID | None:
    """A uuid from a form field."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _submit(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    position = position_of(request.POST.get("position", ""))
    if not sheet.has_reached(position):
        return moved(request) if wants_json(request) else redirect("item")
    submission = uuid_of(request.POST.get("submission", "")) or pages.form_id(sheet, position)
    try:
        answer_submit(sheet=sheet, position=position, submission=submission, values=request.POST)
    except SheetElsewhere:
        return moved(request)
    except AnswerRefused as refused:
        if wants_json(request):
            return JsonResponse({"problems": refused.problems}, status=422)
        return _page(request, sheet, position, refused)
    return _went_on(request, sheet)


def _went_on(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """Where the annotator goes after an answer: the same whenever the form is sent again."""
    position = position_of(request.POST.get("position", ""))
    feedback = f"{reverse('item')}?at={position}" if pages.is_practice(sheet, position) else ""
    if wants_json(request):
        return JsonResponse({"next": feedback or reverse("item")})
    return redirect(feedback or "where")


def _page(request: HttpRequest, sheet: Sheet, position: int, refused: AnswerRefused | None = None) -> HttpResponse:
    try:
        page = pages.item(sheet, position)
    except pages.BeingPrepared:
        response = render(request, "annotator/plain.html", {"page": pages.being_prepared(sheet)}, status=503)
        response.headers["Refresh"] = response.headers["Retry-After"] = str(LOOK_AGAIN_SECONDS)
        return response
    if refused is None:
        return render(request, "annotator/item.html", {"page": page})
    page = item_as_entered(page, request.POST, refused.problems)
    return render(request, "annotator/item.html", {"page": page}, status=422)

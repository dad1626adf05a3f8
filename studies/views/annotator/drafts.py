"""What a script sends beside the answers: drafts of the open item, and how long the page was looked at."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from studies.access import sheet_for
from studies.models import Sheet
from studies.services.drafting import DraftTooLarge, draft_discard, draft_save, sequence_of
from studies.services.exposing import exposure_record
from studies.services.locking import SheetElsewhere
from studies.services.sheets import sheet_seen
from studies.views.annotator.items import position_of, uuid_of
from studies.views.annotator.steps import is_of_another_sheet, moved_json


@require_POST
def draft(request: HttpRequest) -> HttpResponse:
    """Keep what is filled in; the answer says what is kept now. The form's button `discard` gives it up instead."""
    sheet = sheet_for(request)
    if "discard" in request.POST:
        return _discard(request, sheet)
    sequence = sequence_of(request.POST.get("sequence", ""))
    if sequence is None:
        return JsonResponse({"problems": {"sequence": "Milliseconds of the browser's clock."}}, status=400)
    if is_of_another_sheet(request, sheet):
        return moved_json()
    try:
        position = position_of(request.POST.get("position", ""))
        kept = draft_save(sheet=sheet, position=position, sequence=sequence, values=request.POST)
    except SheetElsewhere:
        return moved_json()
    except DraftTooLarge:
        return JsonResponse({"problems": {"": "This is too long to be saved while you write."}}, status=413)
    sheet_seen(sheet=sheet)
    return JsonResponse({"saved": f"{kept.saved:%H:%M}", "at": kept.saved.isoformat(), "sequence": kept.sequence})


def _discard(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    if not is_of_another_sheet(request, sheet):
        sequence = sequence_of(request.POST["discard"])
        draft_discard(sheet=sheet, position=position_of(request.POST.get("position", "")), sequence=sequence)
    return redirect("where")


@require_POST
def exposure(request: HttpRequest) -> HttpResponse:
    """Store a report; a page that is being left cannot do anything with an answer, so there is none."""
    sheet = sheet_for(request)
    batch = uuid_of(request.POST.get("batch", ""))
    if batch is not None and not is_of_another_sheet(request, sheet):
        position = position_of(request.POST.get("position", ""))
        exposure_record(sheet=sheet, position=position, batch=batch, lengths=request.POST.dict())
    return HttpResponse(status=204)

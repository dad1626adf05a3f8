"""Pictures of this browser's sheet. Whatever is not on a page that it has reached does not exist."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from studies import artefact_files, pages
from studies.access import sheet_in_brief
from studies.services.repairing import file_repair

# An SVG opened by itself is a document: it may draw and nothing else.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"


@require_safe
def media(request: HttpRequest, media_id: str) -> HttpResponse:
    """One file, verified; one 404 for unknown, hidden and damaged ones."""
    session_key = request.session.session_key or ""
    entry = pages.media_again(session_key, media_id) or pages.media(sheet_in_brief(request), media_id, session_key)
    if entry is None:
        raise Http404
    try:
        content = artefact_files.load(entry)
    except artefact_files.CorruptArtefact as error:
        file_repair(entry=entry, reason=str(error))
        raise Http404 from None
    headers = {
        "Content-Security-Policy": POLICY,
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Cookie",
    }
    return HttpResponse(content, content_type=entry["type"], headers=headers)

"""A study that is deleted while one of its pages is made: whatever breaks then is the one 404. Middleware."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

from studies.access import is_gone

logger = logging.getLogger(__name__)


class DeletedMeanwhile:
    """Looks, after any error, whether what the request was about is still there.

    Views fetch first and read on afterwards; nothing holds a study in between, so any of their look-ups may fail.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """raises: Http404"""
        if not isinstance(exception, Http404) and is_gone(request):
            logger.info("deleted while a page of it was made: %s", type(exception).__name__, exc_info=exception)
            raise Http404 from exception

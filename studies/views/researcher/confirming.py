"""The page before something that cannot be taken back: what it means, a tick, a button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from studies.models import Study

SURE = "sure"


@dataclass(frozen=True)
class Question:
    """What is asked: `meaning` in paragraphs, `fields` are posted to `action` together with the tick."""

    title: str
    meaning: Sequence[str]
    tick: str
    button: str
    action: str
    back: str
    fields: dict[str, str] = field(default_factory=dict)


def ask(request: HttpRequest, study: Study, question: Question, *, status: int = 200) -> HttpResponse:
    """The page; its form comes back with `sure`."""
    return render(request, "researcher/confirm.html", {"study": study, "question": question}, status=status)


def is_sure(request: HttpRequest) -> bool:
    """Whether the tick was set."""
    return request.POST.get(SURE) == "yes"

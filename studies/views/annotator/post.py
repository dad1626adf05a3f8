"""The questions after the items."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from studies import pages
from studies.models import Sheet
from studies.services.answering import AnswerRefused
from studies.services.sheets import sheet_finish
from studies.views.annotator.entered import questions_as_entered
from studies.views.annotator.steps import sheet_page


@sheet_page(Sheet.Step.POST)
def post(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """All of them may be left empty."""
    page = pages.post(sheet)
    if request.method != "POST":
        return render(request, "annotator/post.html", {"page": page})
    names = dict(zip(sheet.version.config.pages.last_questions, (q.name for q in page.questions), strict=True))
    try:
        sheet_finish(sheet=sheet, post={asked: request.POST.get(name, "") for asked, name in names.items()})
    except AnswerRefused as refused:
        problems = {names[asked]: problem for asked, problem in refused.problems.items()}
        page = replace(page, questions=questions_as_entered(page.questions, request.POST, problems))
        return render(request, "annotator/post.html", {"page": page}, status=422)
    return redirect("where")

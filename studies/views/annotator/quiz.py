"""The eligibility quiz about the task in general."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from studies import pages
from studies.models import Sheet
from studies.services.sheets import sheet_quiz
from studies.views.annotator.entered import questions_as_entered, unanswered
from studies.views.annotator.items import position_of
from studies.views.annotator.steps import sheet_page


@sheet_page(Sheet.Step.QUIZ)
def quiz(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """One attempt; a form with gaps is no attempt."""
    page = pages.quiz(sheet)
    if request.method != "POST":
        return render(request, "annotator/quiz.html", {"page": page})
    if problems := unanswered(page.questions, request.POST):
        page = replace(page, questions=questions_as_entered(page.questions, request.POST, problems))
        return render(request, "annotator/quiz.html", {"page": page}, status=422)
    attempt = request.POST.get("attempt", str(page.attempt))
    chosen = [request.POST[question.name] for question in page.questions]
    sheet_quiz(sheet=sheet, chosen=chosen, attempt=position_of(attempt))
    return redirect("where")

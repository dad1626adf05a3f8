"""Questions of a form that was refused: what was entered stays, and each problem stands at its field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from studies.page_types import ItemPage, Question


def questions_as_entered(
    questions: tuple[Question, ...], entered: Mapping[str, str], problems: Mapping[str, str]
) -> tuple[Question, ...]:
    """The questions with the values of a posted form."""
    return tuple(replace(q, value=entered.get(q.name, ""), problem=problems.get(q.name, "")) for q in questions)


def unanswered(questions: tuple[Question, ...], entered: Mapping[str, str]) -> dict[str, str]:
    """The required questions that a posted form leaves out, or answers with none of the options."""
    return {
        q.name: "Please answer this question too."
        for q in questions
        if q.required and entered.get(q.name) not in {value for value, _ in q.options}
    }


def item_as_entered(page: ItemPage, entered: Mapping[str, str], problems: Mapping[str, str]) -> ItemPage:
    """An item's page with the choice and the values of a posted form."""
    return replace(
        page,
        choices=tuple(replace(choice, chosen=choice.id == entered.get("choice")) for choice in page.choices),
        questions=questions_as_entered(page.questions, entered, problems),
        problem=problems.get("choice", ""),
    )

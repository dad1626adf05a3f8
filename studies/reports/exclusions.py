"""The exclusion rules of a plan as filters: which finished sheets each leaves out, and the tables without them.

A rule is declared before data collection and looks at no counted answer, so it cannot follow the outcome.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from studies.models import Answer, Item, Sheet, StudyVersion
from studies.reports.shape import ExclusionRule

if TYPE_CHECKING:
    from studies.reports.ratings import RatingTable

#: rule -> what it leaves out
MEANINGS = {
    "failed_quiz": "annotators who used up their attempts at the quiz; they are screened out before the items",
    "failed_checks": "annotators who answered at least one attention check other than its text asks",
}


def broken_rules(
    sheet: Sheet, checks: Sequence[Item], values: Mapping[tuple[int, int, str], Any], attempts: int | None
) -> tuple[str, ...]:
    """The rules that one finished sheet breaks, whether or not the plan declares them.

    checks: attention checks; values: newest answers by (sheet, item, question); attempts: at the quiz, None without one
    """
    broken = []
    if attempts is not None and sheet.quiz_attempts >= attempts:
        broken.append("failed_quiz")
    chosen = ((item, values.get((sheet.pk, item.pk, "choice"))) for item in checks)
    if any(value is not None and value["letter"] != item.expected for item, value in chosen):
        broken.append("failed_checks")
    return tuple(broken)


def sheets_excluded(version: StudyVersion) -> frozenset[int]:
    """Primary keys of the finished sheets, of any kind, that a declared rule leaves out of every figure."""
    config = version.config
    if not config.plan.exclude:
        return frozenset()
    checks, quiz = [item for item in version.items.all() if item.is_check], config.pages.quiz
    answers = Answer.objects.filter(sheet__version=version, sheet__step=Sheet.Step.DONE, item__in=checks)
    # Later revisions overwrite earlier ones.
    rows = answers.order_by("revision").values_list("sheet_id", "item_id", "question", "value")
    values = {(sheet, item, question): value for sheet, item, question, value in rows}
    return frozenset(
        sheet.pk
        for sheet in version.sheets.filter(step=Sheet.Step.DONE)
        if set(config.plan.exclude).intersection(broken_rules(sheet, checks, values, quiz.attempts if quiz else None))
    )


def kept(table: RatingTable, rules: Collection[str]) -> RatingTable:
    """The table without the annotators whom one of the rules leaves out."""
    rows = [row for row, broken in enumerate(table.broken) if not set(rules).intersection(broken)]
    if len(rows) == len(table.broken):
        return table
    per_annotator = [field.name for field in fields(table) if field.metadata.get("per_annotator")]
    fewer: dict[str, Any] = {name: tuple(getattr(table, name)[row] for row in rows) for name in per_annotator}
    return replace(table, **fewer)


def rules_applied(tables: Sequence[RatingTable], rules: Sequence[str]) -> tuple[ExclusionRule, ...]:
    """How many finished sheets each rule leaves out; a sheet that breaks two counts with both."""
    return tuple(
        ExclusionRule(
            rule=rule,
            meaning=MEANINGS[rule],
            excluded={table.condition: sum(rule in broken for broken in table.broken) for table in tables},
        )
        for rule in rules
    )

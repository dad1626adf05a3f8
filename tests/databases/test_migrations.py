"""A database that was used before is taken over by the newest migrations with everything in it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from studies import append_only
from studies.models import Answer, AuditEntry, Condition, Sheet

FIRST = [("studies", "0001_first_schema")]


@pytest.mark.usefixtures("empty_database")
def test_rows_of_the_first_migration_are_all_there_after_the_newest() -> None:
    call_command("migrate", "studies", "0001", verbosity=0)
    _fill(MigrationExecutor(connection).loader.project_state(FIRST).apps)
    call_command("migrate", verbosity=0)
    assert Condition.objects.get().is_open
    sheet = Sheet.objects.get()
    assert (sheet.condition.name, sheet.position, sheet.step) == ("U", 1, "item")  # type: ignore[union-attr]
    assert sheet.annotator.pseudonym == "p1"
    answer = Answer.objects.get()
    assert (answer.value, answer.item.expected, answer.item.is_check) == ({"letter": "B", "classes": [1]}, "", False)
    assert AuditEntry.objects.get().actor == "rosa"
    assert append_only.installed() == set(append_only.TRIGGERS)
    for table in ("studies_answer", "studies_auditentry"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608


def _fill(apps: Any) -> None:
    def make(model: str, **values: Any) -> Any:
        return apps.get_model("studies", model).objects.create(**values)

    study = make("Study", slug="scenes", state="open", secret=b"s" * 32)
    version = make("StudyVersion", study=study, number=1, definition={}, sha256="0" * 64)
    condition = make("Condition", version=version, name="U", position=0, stages=["U"], quota=3)
    item = make(
        "Item",
        version=version,
        position=0,
        split="val",
        index=3,
        datapoint="d3",
        prediction=1,
        choices=[{"letter": "B", "label": "blue", "classes": [1]}],
        explained=[],
    )
    annotator = make("Annotator", study=study, pseudonym="p1")
    sheet = make(
        "Sheet",
        version=version,
        annotator=annotator,
        condition=condition,
        step="item",
        position=1,
        item_order=[item.pk],
        resume_token="r1",
    )
    value = {"letter": "B", "classes": [1]}
    make("Answer", sheet=sheet, item=item, question="choice", submission="0" * 32, value=value)
    make("AuditEntry", study=study, number=1, act="open", actor="rosa", at=timezone.now(), sha256="0" * 64)

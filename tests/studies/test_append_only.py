"""Answers and the audit log are append-only for every program that reaches the database."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from studies import append_only
from studies.models import Answer, AuditEntry, Sheet, Study
from studies.services.audit import audit_record
from studies.services.authoring import study_delete
from studies.services.withdrawing import sheet_withdraw
from tests import cast
from tests.cast import Annotator

pytestmark = pytest.mark.django_db


@pytest.fixture
def answered(scenes: Study, ann: Annotator) -> Sheet:
    """Ann's sheet with one answered item."""
    sheet = cast.sheet_at_items(scenes, "U")
    ann.sit_at(sheet)
    ann.answer()
    return sheet


def _refused(statement: str) -> str:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    return str(refusal.value)


def test_all_triggers_are_there_after_all_migrations() -> None:
    assert append_only.installed() == set(append_only.TRIGGERS)


@pytest.mark.django_db(transaction=True)
def test_triggers_that_were_lost_come_back_with_the_next_migrate() -> None:
    append_only.lift()
    assert append_only.installed() == set()
    call_command("migrate", verbosity=0)
    assert append_only.installed() == set(append_only.TRIGGERS)


@pytest.mark.usefixtures("answered")
def test_the_database_changes_and_deletes_no_answer() -> None:
    assert "store a new revision" in _refused("UPDATE studies_answer SET value = '5'")
    assert "only a recorded withdrawal" in _refused("DELETE FROM studies_answer")
    with pytest.raises(IntegrityError), transaction.atomic():
        Answer.objects.update(revision=7)
    with pytest.raises(IntegrityError), transaction.atomic():
        Sheet.objects.all().delete()
    assert Answer.objects.filter(question="choice", revision=0).count() == 1


def test_a_withdrawal_deletes_the_answers_of_its_sheet_and_of_no_other(answered: Sheet, scenes: Study) -> None:
    other = cast.sheet_at_items(scenes, "U")
    sheet_withdraw(sheet=other)
    assert answered.answers.exists()
    sheet_withdraw(sheet=answered)
    assert not Answer.objects.exists()
    assert answered.withdrawal.at


def test_the_audit_log_changes_only_with_its_whole_study(answered: Sheet, scenes: Study) -> None:
    audit_record(study=scenes, act="open", actor="rosa")
    assert "append-only" in _refused("UPDATE studies_auditentry SET actor = 'nobody'")
    assert "append-only" in _refused("DELETE FROM studies_auditentry")
    study_delete(study=scenes)
    assert not AuditEntry.objects.exists()
    assert not Answer.objects.exists()

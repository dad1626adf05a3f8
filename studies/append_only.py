"""Database triggers: answers and audit entries are append-only for every program, not only for ours.

An answer may go when its sheet has a recorded withdrawal, and everything of a study while `study_delete` deletes it.
SQLite drops triggers silently when a later migration rebuilds a table, so they are installed after every migration.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

DELETING_ANSWER = """EXISTS (
    SELECT 1 FROM studies_withdrawal w WHERE w.sheet_id = OLD.sheet_id
    UNION ALL
    SELECT 1 FROM studies_sheet s JOIN studies_studyversion v ON v.id = s.version_id
        JOIN studies_study t ON t.id = v.study_id WHERE s.id = OLD.sheet_id AND t.state = 'deleting')"""
DELETING_ENTRY = "EXISTS (SELECT 1 FROM studies_study t WHERE t.id = OLD.study_id AND t.state = 'deleting')"
#: Trigger -> (table, event, when it may happen all the same, what the database says)
TRIGGERS = {
    "answer_never_changed": ("studies_answer", "UPDATE", "", "answers are append-only: store a new revision"),
    "answer_never_deleted": (
        "studies_answer",
        "DELETE",
        DELETING_ANSWER,
        "answers are append-only: only a recorded withdrawal deletes them",
    ),
    "audit_never_changed": ("studies_auditentry", "UPDATE", "", "the audit log is append-only"),
    "audit_never_deleted": ("studies_auditentry", "DELETE", DELETING_ENTRY, "the audit log is append-only"),
}


def install(using: str = "default") -> None:
    """Make the triggers, anew where they exist."""
    connection = connections[using]
    lift(using)
    with connection.cursor() as cursor:
        for name, (table, event, exception, message) in TRIGGERS.items():
            for statement in _statements(connection, name, table, event, exception, message):
                cursor.execute(statement)


def lift(using: str = "default") -> None:
    """Take the triggers away: for tests that empty the database between each other, and before `install`."""
    connection = connections[using]
    is_postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for name, (table, *_) in TRIGGERS.items():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if is_postgres else ""))


def installed(using: str = "default") -> set[str]:
    """The names of our triggers that the database has."""
    connection = connections[using]
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }
    with connection.cursor() as cursor:
        cursor.execute(catalogue[connection.vendor])
        return {row[0] for row in cursor.fetchall()} & set(TRIGGERS)


def lift_before_migrations(using: str = "default", plan: Any = (), **kwargs: Any) -> None:
    """Receiver of `pre_migrate`: SQLite rebuilds no table that a trigger names, on whatever table the trigger is."""
    if plan and "studies_auditentry" in connections[using].introspection.table_names():
        lift(using)


def install_after_migrations(using: str = "default", **kwargs: Any) -> None:
    """Receiver of `post_migrate`."""
    tables = set(connections[using].introspection.table_names())
    if {table for table, *_ in TRIGGERS.values()} | {"studies_withdrawal"} <= tables:
        install(using)


def _statements(
    connection: BaseDatabaseWrapper, name: str, table: str, event: str, exception: str, message: str
) -> list[str]:
    if connection.vendor == "sqlite":
        condition = f"WHEN NOT {exception}" if exception else ""
        return [
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END"
        ]
    if connection.vendor != "postgresql":
        raise NotImplementedError(
            f"append-only answers are not enforced on {connection.vendor}: use SQLite or PostgreSQL"
        )
    # psycopg takes % for a placeholder only with parameters; none are given.
    refuse = f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';"
    body = f"IF NOT {exception} THEN {refuse} END IF;" if exception else refuse
    result = "OLD" if event == "DELETE" else "NEW"
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $body$ BEGIN {body} RETURN {result}; END $body$",
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]

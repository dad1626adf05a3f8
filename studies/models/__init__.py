"""The data model; one file per group of tables. Rows know facts about themselves, services write them."""

from studies.models.audit import AuditEntry
from studies.models.item import Artefact, Item
from studies.models.report import StoredReport
from studies.models.sheet import Annotator, Answer, Invite, Sheet
from studies.models.study import Condition, Run, Study, StudyVersion

__all__ = [
    "Annotator",
    "Answer",
    "Artefact",
    "AuditEntry",
    "Condition",
    "Invite",
    "Item",
    "Run",
    "Sheet",
    "StoredReport",
    "Study",
    "StudyVersion",
]

"""The data model; one file per group of tables. Rows know facts about themselves, services write them."""

from studies.models.audit import AuditEntry
from studies.models.desk import DeskJob, FailureCount
from studies.models.flow import (
    ConsentText,
    Draft,
    ExposureEvent,
    PlatformIdentity,
    SpentIdentity,
    Submission,
    Withdrawal,
)
from studies.models.item import Artefact, Item
from studies.models.report import StoredReport
from studies.models.sheet import Annotator, Answer, Invite, Sheet
from studies.models.study import Condition, Membership, Run, Study, StudyVersion
from studies.models.token import ApiToken

__all__ = [
    "Annotator",
    "Answer",
    "ApiToken",
    "Artefact",
    "AuditEntry",
    "Condition",
    "ConsentText",
    "DeskJob",
    "Draft",
    "ExposureEvent",
    "FailureCount",
    "Invite",
    "Item",
    "Membership",
    "PlatformIdentity",
    "Run",
    "Sheet",
    "SpentIdentity",
    "StoredReport",
    "Study",
    "StudyVersion",
    "Submission",
    "Withdrawal",
]

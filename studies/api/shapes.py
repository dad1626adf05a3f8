"""What the API's answers look like. Researchers' data only: annotators' pages have shapes of their own."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from studies.models import AuditEntry, DeskJob, Invite, Study
from studies.services.inviting import invite_url


class ProblemShape(serializers.Serializer[Any]):
    """One thing wrong with a study file."""

    path = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    message = serializers.CharField()


class ReasonsShape(serializers.Serializer[Any]):
    """Why something cannot be done now."""

    reasons = serializers.ListField(child=serializers.CharField())


class ValidShape(serializers.Serializer[Any]):
    """A study file without problems."""

    study = serializers.CharField()
    version = serializers.CharField(help_text="SHA-256 of the canonical definition")
    conditions = serializers.ListField(child=serializers.CharField())


class StudyShape(serializers.ModelSerializer[Study]):
    """One line of the list."""

    study = serializers.CharField(source="slug")
    title = serializers.CharField(source="version.config.title")
    version = serializers.CharField(source="version.sha256")

    class Meta:
        model = Study
        fields = ["study", "title", "state", "version", "created"]


class JobShape(serializers.ModelSerializer[DeskJob]):
    """Work that was asked for."""

    problems = serializers.ListField(source="result.problems", default=list, child=ProblemShape())

    class Meta:
        model = DeskJob
        fields = ["kind", "state", "done", "total", "reason", "problems", "created", "finished"]


class FillShape(serializers.Serializer[Any]):
    """How full a condition is."""

    name = serializers.CharField()
    quota = serializers.IntegerField()
    finished = serializers.IntegerField()
    active = serializers.IntegerField()
    withdrawn = serializers.IntegerField()


class SheetsShape(serializers.Serializer[Any]):
    """Sheets of people and simulated ones, apart."""

    live = FillShape(many=True)
    simulated = FillShape(many=True)


class FailureShape(serializers.Serializer[Any]):
    """An artefact that could not be computed."""

    artefact = serializers.CharField()
    reason = serializers.CharField()


class StatusShape(serializers.Serializer[Any]):
    """Where a study stands; no outcomes."""

    study = serializers.CharField()
    state = serializers.ChoiceField(choices=Study.State.choices)
    version = serializers.CharField()
    artefacts = serializers.DictField(child=serializers.IntegerField())
    precomputed = serializers.BooleanField()
    problem = serializers.CharField(allow_blank=True)
    failed = FailureShape(many=True)
    items = serializers.IntegerField()
    sheets = SheetsShape()
    jobs = JobShape(many=True)


class InviteShape(serializers.ModelSerializer[Invite]):
    """One link for one annotator."""

    url = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()

    class Meta:
        model = Invite
        fields = ["number", "label", "url", "state"]

    def get_url(self, invite: Invite) -> str:
        """As it is sent to a person."""
        return invite_url(invite)

    def get_state(self, invite: Invite) -> str:
        """unclaimed, claimed or revoked."""
        return "revoked" if invite.revoked else "claimed" if invite.sheets.all() else "unclaimed"


class EntryShape(serializers.ModelSerializer[AuditEntry]):
    """One act."""

    class Meta:
        model = AuditEntry
        fields = ["number", "at", "act", "actor", "details", "previous", "sha256"]


class AuditShape(serializers.Serializer[Any]):
    """The log, and whether its chain of hashes holds."""

    intact = serializers.BooleanField()
    broken = serializers.ListField(child=serializers.IntegerField())
    entries = EntryShape(many=True)


class PeekShape(serializers.Serializer[Any]):
    """Until when outcomes may be fetched; null where they may be at any time."""

    until = serializers.DateTimeField(allow_null=True)


class BuildingShape(serializers.Serializer[Any]):
    """A worker is at it: ask again in a few seconds."""

    state = serializers.CharField()

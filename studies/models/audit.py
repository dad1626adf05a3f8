"""The audit log: who did what to a study, each entry chained to the one before by its hash."""

from __future__ import annotations

import hashlib
import json

from django.db import models

from studies.models.study import Study


class AuditEntry(models.Model):
    """One act (freeze, open, close, peek, unblind, ...). Written by services/audit.py only."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="audit")
    number = models.PositiveIntegerField()
    act = models.CharField(max_length=30)
    actor = models.CharField(max_length=150)
    details = models.JSONField(default=dict)
    at = models.DateTimeField()
    previous = models.CharField(max_length=64, blank=True, default="")
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="audit_number_once_per_study")]

    def __str__(self) -> str:
        return f"{self.number} {self.act}"

    def expected_sha256(self) -> str:
        """The hash of this entry's content and of the entry before it."""
        content = [self.study.slug, self.number, self.act, self.actor, self.details, self.at.isoformat(), self.previous]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

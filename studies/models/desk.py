"""The researcher's desk: work that a button asks for and a worker does, and counters of failed attempts."""

from __future__ import annotations

from django.db import models

from studies.models.study import StudyVersion


class DeskJob(models.Model):
    """Something too slow for a page: checking a study file against its data, beginning a precomputation, an export, a
    planner's simulation.

    Life: wanted -> leased(owner, until) -> done(result) | failed(reason). The database is the truth, as for artefacts.
    """

    class Kind(models.TextChoices):
        CHECK = "check"
        PRECOMPUTE = "precompute"
        EXPORT = "export"
        PLAN = "plan"

    class State(models.TextChoices):
        WANTED = "wanted"
        LEASED = "leased"
        DONE = "done"
        FAILED = "failed"

    version = models.ForeignKey(StudyVersion, on_delete=models.CASCADE, related_name="desk_jobs")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    key = models.CharField(max_length=64, blank=True, default="", help_text="what the result is about: a data hash")
    state = models.CharField(max_length=6, choices=State.choices, default=State.WANTED)
    owner = models.CharField(max_length=120, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True, default="")
    result = models.JSONField(
        default=dict, help_text="check: problems; export: the file's sha256 and type; plan: curves"
    )
    created = models.DateTimeField(auto_now_add=True)
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["version", "kind", "key"], name="desk_job_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.version}"


class FailureCount(models.Model):
    """Failed attempts (wrong password, guessed link) within one window, by a hashed address: none is stored."""

    what = models.CharField(max_length=20)
    key = models.CharField(max_length=64, help_text="HMAC of the address with the installation's key")
    window = models.BigIntegerField(help_text="number of the time window")
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["what", "key", "window"], name="failures_once_per_window")]

    def __str__(self) -> str:
        return f"{self.count} x {self.what}"

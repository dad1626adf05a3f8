"""What accompanies a sheet beside its answers: drafts, submissions, exposure, consent, identities, withdrawals."""

from __future__ import annotations

from django.db import models

from studies.models.item import Item
from studies.models.sheet import Annotator, Sheet
from studies.models.study import Study


class ConsentText(models.Model):
    """One version of a study's consent text, kept when the first person agrees to it."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="consent_texts")
    sha256 = models.CharField(max_length=64)
    text = models.TextField()
    first_agreed = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["study", "sha256"], name="consent_text_once_per_study")]

    def __str__(self) -> str:
        return f"consent {self.sha256[:12]} of {self.study}"


class PlatformIdentity(models.Model):
    """Who somebody is on a recruitment platform: apart from the annotator, so that it can be erased alone.

    `key` is an HMAC of the study's secret: it finds the person again and says nothing by itself.
    """

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="identities")
    annotator = models.OneToOneField(Annotator, on_delete=models.CASCADE, related_name="identity")
    platform = models.CharField(max_length=20)
    key = models.CharField(max_length=64)
    participant = models.CharField(
        max_length=200, blank=True, default="", help_text="as the platform sent it; erasable"
    )
    external_study = models.CharField(max_length=200, blank=True, default="")
    external_session = models.CharField(max_length=200, blank=True, default="")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "key"], name="identity_once_per_study")]

    def __str__(self) -> str:
        return f"identity of {self.annotator}"


class SpentIdentity(models.Model):
    """That a person of a recruitment platform has withdrawn from a study, so that nobody takes part in two conditions.

    Apart from who it was and from the sheet; without time or number, whose order would lead back to both.
    """

    key = models.CharField(max_length=64, primary_key=True)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="spent_identities")

    def __str__(self) -> str:
        return f"spent identity in {self.study}"


class Draft(models.Model):
    """What is filled in and not yet submitted, per sheet and item. Mutable; never data."""

    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="drafts")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="drafts")
    values = models.JSONField(default=dict, help_text="form field -> text; empty once submitted")
    sequence = models.BigIntegerField(help_text="the browser's clock in ms: what is older never replaces what is newer")
    saved = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sheet", "item"], name="draft_once_per_sheet_and_item")]

    def __str__(self) -> str:
        return f"draft of {self.item} by {self.sheet.annotator}"


class Submission(models.Model):
    """One action of a browser that was carried out: sent again, it changes nothing."""

    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="submissions")
    submission = models.UUIDField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sheet", "submission"], name="submission_once_per_sheet")]

    def __str__(self) -> str:
        return f"submission {self.submission}"


class ExposureEvent(models.Model):
    """How long something lasted on one item's page: active, idle, away, or one panel being open."""

    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="exposures")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="exposures")
    what = models.CharField(max_length=20, help_text="active, idle, away, overview, features, feature-3")
    milliseconds = models.PositiveIntegerField()
    batch = models.UUIDField(help_text="of the browser's report: sent again, it is counted once")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sheet", "batch", "what"], name="exposure_once_per_batch"),
            models.CheckConstraint(condition=models.Q(milliseconds__gt=0), name="exposure_lasts"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.milliseconds} ms"


class Withdrawal(models.Model):
    """That somebody withdrew, and when. The database lets a sheet's answers be deleted only where this row exists."""

    sheet = models.OneToOneField(Sheet, on_delete=models.CASCADE, related_name="withdrawal")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"withdrawal from {self.sheet}"

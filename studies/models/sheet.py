"""Annotators, their invites, sheets and append-only answers."""

from __future__ import annotations

from typing import Any

from django.db import models

from studies.models.item import Item
from studies.models.study import Condition, Study, StudyVersion


class Kind(models.TextChoices):
    """Only live data counts; pilot (previews) and simulated data never enter a report unasked."""

    LIVE = "live"
    PILOT = "pilot"
    SIMULATED = "simulated"


class Invite(models.Model):
    """One link to a study. A live invite is claimed once; a pilot one previews its condition any number of times."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="invites")
    number = models.PositiveIntegerField()
    token = models.CharField(max_length=40, help_text="HMAC of the study's secret and the number")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.LIVE)
    condition = models.ForeignKey(Condition, null=True, blank=True, on_delete=models.CASCADE)
    label = models.CharField(max_length=120, blank=True, default="")
    revoked = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="invite_number_once_per_study"),
            models.UniqueConstraint(fields=["study", "token"], name="invite_token_once_per_study"),
        ]

    def __str__(self) -> str:
        return f"invite {self.number} of {self.study}"


class Annotator(models.Model):
    """One anonymous person in one study."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="annotators")
    pseudonym = models.CharField(max_length=20)
    consented = models.DateTimeField(null=True, blank=True)
    consent_sha256 = models.CharField(max_length=64, blank=True, default="", help_text="of the text agreed to")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "pseudonym"], name="pseudonym_once_per_study")]

    def __str__(self) -> str:
        return self.pseudonym


class Sheet(models.Model):
    """One annotator's answer sheet: the items in this person's order, and where they are."""

    class Step(models.TextChoices):
        CONSENT = "consent"
        QUIZ = "quiz"
        INSTRUCTIONS = "instructions"
        ITEM = "item"
        REVIEW = "review"
        POST = "post"
        DONE = "done"
        SCREENED_OUT = "screened_out"
        FULL = "full"
        WITHDRAWN = "withdrawn"

    version = models.ForeignKey(StudyVersion, on_delete=models.CASCADE, related_name="sheets")
    annotator = models.OneToOneField(Annotator, on_delete=models.CASCADE, related_name="sheet")
    invite = models.ForeignKey(Invite, null=True, blank=True, on_delete=models.SET_NULL, related_name="sheets")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.LIVE)
    condition = models.ForeignKey(Condition, null=True, blank=True, on_delete=models.PROTECT, related_name="sheets")
    step = models.CharField(max_length=12, choices=Step.choices, default=Step.CONSENT)
    position = models.PositiveIntegerField(default=0, help_text="the front: the first item not answered yet")
    item_order = models.JSONField(default=list, help_text="primary keys of items, practice first")
    choice_orders = models.JSONField(default=dict, help_text="item -> canonical letters in screen order")
    quiz_attempts = models.PositiveSmallIntegerField(default=0)
    post = models.JSONField(default=dict)
    seen = models.DateTimeField(auto_now_add=True, help_text="last sign of life")
    finished = models.DateTimeField(null=True, blank=True)
    is_late = models.BooleanField(default=False, help_text="came back after the time-out")
    resume_token = models.CharField(
        max_length=40, unique=True, help_text="HMAC of the study's secret, made with the sheet"
    )
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invite"], condition=models.Q(kind="live"), name="live_invite_claimed_once"
            ),
        ]

    def __str__(self) -> str:
        return f"sheet of {self.annotator}"

    @property
    def is_over(self) -> bool:
        """Whether nothing can be answered any more."""
        return self.step in (self.Step.DONE, self.Step.SCREENED_OUT, self.Step.FULL, self.Step.WITHDRAWN)

    def has_reached(self, position: int) -> bool:
        """Whether there is an item at this position and it may be looked at."""
        return 0 <= position <= self.position and position < len(self.item_order)

    @property
    def is_cut_off(self) -> bool:
        """Whether its study closed before it was finished: only an open study takes live answers."""
        state = self.version.study.state
        is_closed = state == Study.State.DELETING or (self.kind == Kind.LIVE and state != Study.State.OPEN)
        return is_closed and not self.is_over


class Answer(models.Model):
    """One stored response to one question of one item. Append-only: a change is a new revision."""

    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="answers")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="answers")
    question = models.CharField(max_length=40, help_text="choice, confidence, helpful, comment or an own id")
    revision = models.PositiveSmallIntegerField(default=0)
    replaces = models.OneToOneField("self", null=True, blank=True, on_delete=models.CASCADE)
    submission = models.UUIDField()
    value = models.JSONField(help_text='choice: {"letter": "B", "classes": [3]}; confidence: 4; helpful: "overview"')
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "item", "question", "revision"], name="answer_revision_once"),
            models.UniqueConstraint(fields=["sheet", "submission", "question"], name="answer_submission_once"),
        ]

    def __str__(self) -> str:
        return f"{self.question} of {self.item} by {self.sheet.annotator}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """raises: TypeError when a stored answer would be changed"""
        if self.pk is not None:
            raise TypeError("answers are append-only: store a new revision")
        super().save(*args, **kwargs)

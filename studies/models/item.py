"""Items (what one answer is about) and artefacts (what was computed about them)."""

from __future__ import annotations

from django.db import models

from studies.models.study import StudyVersion


class Item(models.Model):
    """One datapoint that annotators answer about.

    `prediction` and `truth` are the key of the experiment: studies/pages.py hands out neither, except in practice
    feedback. `choices` lists [{"letter": "A", "label": "red", "classes": [3], "type": "color"}] in canonical letter
    order; the answer type only where the dataset tells it and items differ in their choices. It is for the report: no
    page hands it out.
    `explained` lists, per explained class, [{"class": 3, "features": [41, 7], "weights": [...]}].
    """

    version = models.ForeignKey(StudyVersion, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    is_practice = models.BooleanField(default=False)
    split = models.CharField(max_length=100)
    index = models.PositiveIntegerField(help_text="row of the split")
    datapoint = models.CharField(max_length=200, help_text="the dataset's own id")
    prediction = models.PositiveIntegerField(help_text="class that the model predicts")
    truth = models.IntegerField(null=True, blank=True)
    choices = models.JSONField()
    explained = models.JSONField(default=list)
    explanation = models.TextField(blank=True, default="", help_text="shown as practice feedback")
    expected = models.CharField(
        max_length=1, blank=True, default="", help_text="attention check: the letter that its text asks for, else empty"
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="item_position_once_per_version"),
            models.UniqueConstraint(fields=["version", "split", "index"], name="datapoint_once_per_version"),
        ]

    def __str__(self) -> str:
        return f"item {self.position}"

    @property
    def subject(self) -> str:
        """The artefact subject of this item's datapoint."""
        return f"{self.split}:{self.index}"

    def letter_of(self, class_index: int) -> str | None:
        """The canonical letter of the choice that stands for a class."""
        return next((c["letter"] for c in self.choices if class_index in c["classes"]), None)

    def type_of(self, class_index: int) -> str | None:
        """The answer type of the choice that stands for a class, where it was noted."""
        return next((c.get("type") for c in self.choices if class_index in c["classes"]), None)

    @property
    def is_check(self) -> bool:
        """Whether this is an attention check, which says what to choose and is never counted."""
        return bool(self.expected)

    @property
    def model_is_right(self) -> bool:
        """Whether the predicted choice is the true one (with merged classes: the same choice)."""
        return self.truth is not None and self.letter_of(self.prediction) == self.letter_of(self.truth)


class Artefact(models.Model):
    """One computed result of one stage for one subject and target; shared by every study that asks for the same.

    Life: wanted -> leased(owner, until) -> ready(sha256) | failed(reason). Rows of one subject are leased together,
    because one set of perturbations serves all their targets.
    """

    class State(models.TextChoices):
        WANTED = "wanted"
        LEASED = "leased"
        READY = "ready"
        FAILED = "failed"

    class SubjectKind(models.TextChoices):
        SPLIT = "split"
        DATAPOINT = "datapoint"
        FEATURE = "feature"

    subject_kind = models.CharField(max_length=10, choices=SubjectKind.choices)
    subject = models.CharField(max_length=120, help_text="val, val:17 or feature 41")
    stage = models.CharField(max_length=12, help_text="predictions, path, input, U, C, Rl, Rg, P")
    target = models.CharField(max_length=60, blank=True, default="", help_text="logit:3, feature:41 or empty")
    params = models.JSONField(help_text="everything that determines the result")
    params_hash = models.CharField(max_length=64)

    state = models.CharField(max_length=6, choices=State.choices, default=State.WANTED)
    owner = models.CharField(max_length=120, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.TextField(blank=True, default="")
    done = models.PositiveIntegerField(default=0, help_text="progress inside a long row")
    total = models.PositiveIntegerField(default=0)

    sha256 = models.CharField(max_length=64, blank=True, default="", help_text="of the manifest: numbers and files")
    numbers = models.JSONField(null=True, blank=True)
    files = models.JSONField(default=dict, help_text="name -> {sha256, type}")
    seconds = models.FloatField(null=True, blank=True)
    forwards = models.PositiveIntegerField(null=True, blank=True)
    device = models.CharField(max_length=40, blank=True, default="")
    published = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject", "stage", "target", "params_hash"], name="artefact_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="ready") | ~models.Q(sha256=""), name="ready_artefact_has_a_hash"
            ),
        ]
        indexes = [models.Index(fields=["state", "subject_kind", "subject"], name="artefact_due")]

    def __str__(self) -> str:
        return " ".join(filter(None, (self.stage, self.subject_kind, self.subject, self.target)))

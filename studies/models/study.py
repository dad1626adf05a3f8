"""A study, its immutable versions, their conditions, and the runs that precompute them."""

from __future__ import annotations

import secrets
from functools import cached_property

from django.conf import settings
from django.db import models

from studies.config import StudyConfig, from_values


def new_secret() -> bytes:
    """32 random bytes: every public id and order of a study derives from them."""
    return secrets.token_bytes(32)


class Study(models.Model):
    """One experiment. What it consists of stands in its versions; the newest one counts."""

    class State(models.TextChoices):
        DRAFT = "draft"
        FROZEN = "frozen"
        OPEN = "open"
        CLOSED = "closed"
        UNBLINDED = "unblinded"
        DELETING = "deleting"  # from study_delete on: the one state in which answers and audit entries may go

    slug = models.SlugField(unique=True, max_length=60)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    secret = models.BinaryField(default=new_secret, max_length=32, editable=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "frozen", "open", "closed", "unblinded", "deleting"]),
                name="study_state_is_known",
            )
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def version(self) -> StudyVersion:
        """The newest version; looked up each time, except in lists (selectors.with_newest_versions)."""
        brought: list[StudyVersion] = getattr(self, "newest_versions", [])
        return brought[0] if brought else self.versions.latest("number")

    @property
    def is_unblinded(self) -> bool:
        return self.state == self.State.UNBLINDED


class Membership(models.Model):
    """Somebody beside the owner who works on a study: a coder sees its texts to code, never arms or outcomes."""

    class Role(models.TextChoices):
        CODER = "coder"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.CODER)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "user"], name="member_once_per_study")]

    def __str__(self) -> str:
        return f"{self.user} of {self.study}"


class StudyVersion(models.Model):
    """One immutable definition of a study, and the freeze of it."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    sha256 = models.CharField(max_length=64)
    plan_sha256 = models.CharField(
        max_length=64, blank=True, default="", help_text="set at the freeze: definition, items, choices and artefacts"
    )
    artefacts = models.ManyToManyField("studies.Artefact", related_name="versions")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="version_number_once_per_study"),
        ]

    def __str__(self) -> str:
        return f"{self.study.slug} v{self.number}"

    @cached_property
    def config(self) -> StudyConfig:
        """The definition as the study file's schema."""
        return from_values(self.definition)


class Condition(models.Model):
    """One arm: the stages that its annotators see."""

    version = models.ForeignKey(StudyVersion, on_delete=models.CASCADE, related_name="conditions")
    name = models.CharField(max_length=60)
    position = models.PositiveIntegerField()
    stages = models.JSONField()
    quota = models.PositiveIntegerField(help_text="annotators wanted")
    is_open = models.BooleanField(default=True, help_text="an arm closed by hand takes no new annotators")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "name"], name="condition_name_once_per_version"),
            models.CheckConstraint(condition=models.Q(quota__gte=1), name="condition_has_annotators"),
        ]

    def __str__(self) -> str:
        return self.name


class Run(models.Model):
    """One precomputation of a version: with which settings, device, code and checkpoint it was made."""

    version = models.ForeignKey(StudyVersion, on_delete=models.CASCADE, related_name="runs")
    snapshot = models.JSONField(help_text="config, seed, device, checkpoint hash, package versions")
    problem = models.TextField(blank=True, default="", help_text="why no items could be drawn")
    started = models.DateTimeField(auto_now_add=True)
    finished = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"run {self.pk} of {self.version}"

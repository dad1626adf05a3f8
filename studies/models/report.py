"""Reports, built once per state of the data and stored."""

from __future__ import annotations

from django.db import models

from studies.models.study import StudyVersion


class StoredReport(models.Model):
    """The report object of one version for one state of its answers."""

    version = models.ForeignKey(StudyVersion, on_delete=models.CASCADE, related_name="reports")
    data_sha256 = models.CharField(max_length=64)
    body = models.JSONField()
    charts = models.JSONField(default=list, help_text="its drawings, made by the worker that built it")
    built = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "data_sha256"], name="report_once_per_data")]

    def __str__(self) -> str:
        return f"report of {self.version}"

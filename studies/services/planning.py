"""Plans that a page has asked for: one desk job per set of parameters, the newest few of a study kept."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from studies.models import DeskJob, Study, StudyVersion
from studies.services.desk_jobs import desk_job_request
from studies.services.holding import DONE, LEASED

#: How many plans of a study are kept. Each can be computed again from the address of its page.
KEPT = 10


@transaction.atomic
def plan_request(*, version: StudyVersion, request: dict[str, Any], key: str, anew: bool = False) -> DeskJob:
    """Want a plan; one that is there already stays as it is, unless it is wanted anew (it cannot be read any more).

    request: what the worker reads; key: its hash
    """
    if anew:
        plans_of(version.study).filter(version=version, key=key, state=DONE).delete()
    job = desk_job_request(version=version, kind=DeskJob.Kind.PLAN, key=key, result={"request": request})
    _keep_newest(version.study)
    return job


def plans_of(study: Study) -> QuerySet[DeskJob]:
    """A study's plans, the newest first."""
    return DeskJob.objects.filter(version__study=study, kind=DeskJob.Kind.PLAN).order_by("-pk")


def _keep_newest(study: Study) -> None:
    """Delete plans beyond the newest; what a worker is computing stays until the next time."""
    kept = plans_of(study).values_list("pk", flat=True)[:KEPT]
    plans_of(study).exclude(state=LEASED).exclude(pk__in=list(kept)).delete()

"""Whose answers a plan's standard deviations may be taken from, and what such a plan is known by. No numpy.

The page and the worker ask here; the estimates are made in studies/reports/plan_pilot.py.
"""

from __future__ import annotations

import hashlib
import json

from studies.models import Sheet, Study
from studies.models.sheet import Kind
from studies.reports.plan_request import PlanRequest
from studies.reports.ratings import ratings_of

#: kind of sheet -> what the form calls it
SOURCES = {
    Kind.PILOT.value: "from this study's pilot sheets",
    Kind.SIMULATED.value: "from its simulated sheets",
    Kind.LIVE.value: "from people's answers",
}


def offered_sources(study: Study) -> tuple[tuple[str, str], ...]:
    """The kinds of finished sheets that a plan may learn from, with their names."""
    done = Sheet.objects.filter(version=study.version, step=Sheet.Step.DONE, condition__isnull=False)
    there = set(done.values_list("kind", flat=True).distinct())
    return tuple((kind, name) for kind, name in SOURCES.items() if kind in there and not hidden_until(study, kind))


def hidden_until(study: Study, kind: str) -> str:
    """Why sheets of a kind may not be learnt from yet, as a sentence; "" where they may. Reads no answer."""
    if kind != Kind.LIVE or study.is_unblinded:
        return ""
    return (
        f"The study {study.slug} is {study.state}: what people answered is looked at after unblinding. A plan may"
        " use its pilot or simulated sheets."
    )


def source_problem(study: Study, kind: str) -> str:
    """Why a plan cannot be made from sheets of this kind, as a sentence; "" where it can."""
    if hidden := hidden_until(study, kind):
        return hidden
    if kind not in dict(offered_sources(study)):
        return f"The study {study.slug} has no finished {kind} sheets to learn from."
    return ""


def plan_key(request: PlanRequest, study: Study) -> str:
    """What a plan is known by: its parameters and, where it learns from sheets, which answers there were right.

    Sheets that may not be looked at are not read: without them the key is that of the parameters.
    """
    if not request.pilot or hidden_until(study, request.pilot):
        return request.sha256
    tables = ratings_of(study.version, request.pilot).tables
    content = json.dumps([request.sha256, [(table.condition, table.correct) for table in tables]])
    return hashlib.sha256(content.encode()).hexdigest()

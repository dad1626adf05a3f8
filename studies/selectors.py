"""Reads that span tables."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from studies.models import Answer, Artefact, ExposureEvent, Item, Sheet, Study, StudyVersion


def current_answers(sheet: Sheet, item: Item) -> QuerySet[Answer]:
    """The newest revision of each question's answer to one item."""
    answers: QuerySet[Answer] = Answer.objects.filter(sheet=sheet, item=item)
    return answers.exclude(Exists(Answer.objects.filter(replaces=OuterRef("pk"))))


def exposure_sums(version: StudyVersion, kind: str) -> dict[tuple[int, int], dict[str, int]]:
    """Milliseconds by (sheet, item), each by name: active, idle, away, and the panels that were open."""
    events = ExposureEvent.objects.filter(sheet__version=version, sheet__kind=kind)
    sums: dict[tuple[int, int], dict[str, int]] = {}
    rows = events.values_list("sheet_id", "item_id", "what").annotate(total=Sum("milliseconds")).order_by("what")
    for sheet, item, what, total in rows:
        sums.setdefault((sheet, item), {})[what] = total
    return sums


def artefact_progress(version: StudyVersion) -> dict[str, int]:
    """How many of a version's artefacts are wanted, leased, ready and failed."""
    counts = dict.fromkeys(Artefact.State.values, 0)
    counts.update(version.artefacts.values_list("state").annotate(n=Count("pk")).values_list("state", "n"))
    return counts


def is_precomputed(version: StudyVersion) -> bool:
    """Whether every artefact that the version's conditions show is ready."""
    run = version.runs.last()
    return run is not None and run.finished is not None and not version.artefacts.exclude(state="ready").exists()


def sheets_per_condition(version: StudyVersion, kind: str) -> list[dict[str, int | str]]:
    """Per condition: sheets finished, under way, withdrawn. No outcomes."""
    finished = Q(sheets__step=Sheet.Step.DONE)
    gone = Q(sheets__step=Sheet.Step.WITHDRAWN)
    of_kind = Q(sheets__kind=kind)
    rows = version.conditions.annotate(
        finished=Count("sheets", filter=of_kind & finished),
        active=Count("sheets", filter=of_kind & ~finished & ~gone),
        withdrawn=Count("sheets", filter=of_kind & gone),
    )
    return [
        {
            "name": row.name,
            "quota": row.quota,
            "finished": row.finished,
            "active": row.active,
            "withdrawn": row.withdrawn,
        }
        for row in rows
    ]


def status_facts(study: Study) -> dict[str, Any]:
    """Where a study stands, for scripts: `study status --json` and the API. No outcomes."""
    version = study.version
    run = version.runs.last()
    return {
        "study": study.slug,
        "state": study.state,
        "version": version.sha256,
        "artefacts": artefact_progress(version),
        "precomputed": is_precomputed(version),
        "problem": run.problem if run else "",
        "failed": [{"artefact": str(row), "reason": row.reason} for row in version.artefacts.filter(state="failed")],
        "items": version.items.filter(is_practice=False, expected="").count(),
        "sheets": {kind: sheets_per_condition(version, kind) for kind in ("live", "simulated")},
        "jobs": version.desk_jobs.all(),
    }

"""Reads that span tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum

from studies.models import Answer, Artefact, Condition, ExposureEvent, Item, Run, Sheet, Study, StudyVersion


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


def with_newest_versions(studies: QuerySet[Study]) -> QuerySet[Study]:
    """The same studies for a list: the `version` of all of them comes along in one query."""
    newest = StudyVersion.objects.filter(study=OuterRef("study")).order_by("-number").values("pk")[:1]
    versions = StudyVersion.objects.filter(pk=Subquery(newest))
    return studies.prefetch_related(Prefetch("versions", versions, to_attr="newest_versions"))


def artefact_progress(version: StudyVersion) -> dict[str, int]:
    """How many of a version's artefacts are wanted, leased, ready and failed."""
    return artefact_progress_of([version])[version.pk]


def artefact_progress_of(versions: Iterable[StudyVersion]) -> dict[int, dict[str, int]]:
    """The same of several versions, by their keys."""
    found = {version.pk: dict.fromkeys(Artefact.State.values, 0) for version in versions}
    shown = StudyVersion.artefacts.through.objects.filter(studyversion__in=found)
    for row in shown.values("studyversion", "artefact__state").annotate(n=Count("pk")):
        found[row["studyversion"]][row["artefact__state"]] = row["n"]
    return found


def newest_runs(versions: Iterable[StudyVersion]) -> dict[int, Run]:
    """The newest run of each version that has one, by the version's key."""
    of_versions = Run.objects.filter(version__in=[version.pk for version in versions])
    newest = of_versions.order_by().values("version").annotate(newest=Max("pk")).values("newest")
    return {run.version_id: run for run in Run.objects.filter(pk__in=newest).defer("snapshot")}


def is_precomputed(version: StudyVersion) -> bool:
    """Whether every artefact that the version's conditions show is ready."""
    run = version.runs.last()
    return run is not None and run.finished is not None and not version.artefacts.exclude(state="ready").exists()


def sheets_per_condition(version: StudyVersion, kind: str) -> list[dict[str, int | str]]:
    """Per condition: sheets finished, under way, withdrawn. No outcomes."""
    return sheets_per_condition_of([version], kind)[version.pk]


def sheets_per_condition_of(versions: Iterable[StudyVersion], kind: str) -> dict[int, list[dict[str, int | str]]]:
    """The same of several versions, by their keys."""
    finished = Q(sheets__step=Sheet.Step.DONE)
    gone = Q(sheets__step=Sheet.Step.WITHDRAWN)
    of_kind = Q(sheets__kind=kind)
    found: dict[int, list[dict[str, int | str]]] = {version.pk: [] for version in versions}
    rows = Condition.objects.filter(version__in=found).annotate(
        finished=Count("sheets", filter=of_kind & finished),
        active=Count("sheets", filter=of_kind & ~finished & ~gone),
        withdrawn=Count("sheets", filter=of_kind & gone),
    )
    for row in rows:
        found[row.version_id].append(
            {
                "name": row.name,
                "quota": row.quota,
                "finished": row.finished,
                "active": row.active,
                "withdrawn": row.withdrawn,
            }
        )
    return found


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

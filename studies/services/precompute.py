"""From a study's definition to its artefact rows, phase by phase: predictions -> path -> items -> explanations.

`precompute_advance` looks where a version stands and makes the next phase's rows; it may be called at any time, by any
process, any number of times.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable
from importlib.metadata import version as package_version
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils import timezone

from analysis_core import models as analysis_models
from studies import engine
from studies.config import StudyConfig
from studies.models import Artefact, Item, Run, Study, StudyVersion
from studies.services.drawing import DrawingRefused, items_draw
from studies.services.leasing import artefacts_retry

PACKAGES = ("torch", "transformers", "scikit-learn", "numpy", "django")
#: Rows that a worker has in hand or will take up.
OPEN = (Artefact.State.WANTED, Artefact.State.LEASED)


class PrecomputeRefused(Exception):
    """What a version's items were drawn from is no longer there, or is computed in another way now."""


def precompute_start(*, version: StudyVersion) -> Run:
    """Begin, or continue, the precomputation of a version: its first rows are wanted after this.

    A draft that was begun on other data or under other methods begins anew.
    raises: PrecomputeRefused (data, checkpoint or methods changed, and the study is frozen or has sheets)
    """
    # Hashing data, checkpoint and code takes a while: annotators must not wait for it behind a lock.
    _run_begin(version, _snapshot(version))
    artefacts_retry(rows=version.artefacts.all())
    _phases_begin(version, version.runs.latest("pk"))
    return version.runs.latest("pk")


def precompute_advance(*, version: StudyVersion) -> None:
    """Make the rows of the next phase when those of the phases before are all ready.

    While rows of a phase are open nothing is looked through but its predictions: workers ask after every group, and a
    phase's rows are tied to the version all at once. A run that began under other methods stops.
    """
    run = version.runs.last()
    if run is None or run.problem:
        return
    try:
        engine.require_methods(run.snapshot["source"])
    except engine.OtherMethods as error:
        run_stop(version=version, problem=str(error))
        return
    predictions = version.artefacts.filter(stage="predictions")
    _want_lost_predictions(row for row in predictions if row.params["source"] == run.snapshot["source"])
    if not version.artefacts.filter(state__in=OPEN).exists():
        _phases_begin(version, run)


def _phases_begin(version: StudyVersion, run: Run) -> None:
    """Make the rows of every phase up to the first that is not ready; the run is finished where there is none."""
    config, source = version.config, run.snapshot["source"]
    for phase in (_prediction_rows, _path_rows):
        rows = _want(version, phase(config, source))
        _want_lost_predictions(rows)
        if any(row.state != Artefact.State.READY for row in rows):
            return
    if not version.items.exists():
        try:
            items = items_draw(version=version, source=source)
        except DrawingRefused as error:
            Run.objects.filter(pk=run.pk).update(problem=str(error))
            return
        _items_store(version, items)
    rows = _want(version, _explanation_rows(config, source, version.items.all()))
    if all(row.state == Artefact.State.READY for row in rows):
        # The setting says what was wanted; a worker without a GPU computes on its CPU, and the run must say so.
        devices = sorted(set(version.artefacts.values_list("device", flat=True)) - {""})
        Run.objects.filter(pk=run.pk, finished=None).update(
            finished=timezone.now(), snapshot={**run.snapshot, "computed_on": devices}
        )


def stalled_versions() -> QuerySet[StudyVersion]:
    """Versions whose run is under way though none of their rows is open: the next phase was never begun."""
    newest = Run.objects.filter(version=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    under_way = StudyVersion.objects.annotate(newest_run=Subquery(newest)).filter(
        runs__pk=F("newest_run"), runs__finished=None, runs__problem=""
    )
    return under_way.exclude(artefacts__state__in=[*OPEN, Artefact.State.FAILED])


def run_stop(*, version: StudyVersion, problem: str) -> None:
    """Say why a version's run cannot go on; beginning it again clears that."""
    Run.objects.filter(version=version, finished=None).update(problem=problem)


@transaction.atomic
def _run_begin(version: StudyVersion, snapshot: dict[str, Any]) -> None:
    study = Study.objects.select_for_update().get(pk=version.study_id)
    run = version.runs.last()
    if run is not None and run.snapshot["source"] != snapshot["source"]:
        if version.items.exists() and (study.state != Study.State.DRAFT or version.sheets.exists()):
            not_ready = version.artefacts.exclude(state=Artefact.State.READY).count()
            raise PrecomputeRefused(_changed(run.snapshot["source"], snapshot["source"], not_ready))
        # Nobody has answered anything: the draft begins anew on what is there now.
        version.items.all().delete()
        version.artefacts.clear()
        run = None
    if run is None or run.finished is not None:
        Run.objects.create(version=version, snapshot=snapshot)
    elif run.problem:
        Run.objects.filter(pk=run.pk).update(problem="")


def _changed(before: dict[str, Any], now: dict[str, Any], not_ready: int) -> str:
    """Why a study whose items are fixed is not computed again, and what to do."""
    if before.get("methods") != now["methods"]:
        rest = f"; {not_ready} not ready: only the release that the study was computed with can make them"
        return (
            f"this study was computed under methods {before.get('methods')} and this release has methods"
            f" {now['methods']}: the study keeps the artefacts that it has and goes on working with them; to have the"
            f" new methods, make a study of another name{rest if not_ready else ''}"
        )
    return (
        "the dataset's folder or the checkpoint changed since this study's items were drawn: put them back, or"
        " make a study of another name"
    )


@transaction.atomic
def _items_store(version: StudyVersion, items: list[Item]) -> None:
    """Two workers may have drawn the same items: the first one stores them."""
    Study.objects.select_for_update().get(pk=version.study_id)
    if not version.items.exists():
        Item.objects.bulk_create(items)


def _want_lost_predictions(rows: Iterable[Artefact]) -> None:
    """Predictions live in a store on disk: where it is gone, the row is wanted again."""
    for row in rows:
        is_lost = row.stage == "predictions" and row.state == Artefact.State.READY
        if is_lost and not engine.has_predictions(row.params["source"], row.subject):
            row.state = Artefact.State.WANTED
            row.attempts = 0
            row.save(update_fields=["state", "attempts"])


def _snapshot(version: StudyVersion) -> dict[str, Any]:
    """What the run depends on: data, checkpoint, seed, device, and the code and packages it was made with."""
    config = version.config
    # Before the folder is hashed: generated later, they would make it another one than the run began with.
    engine.make_missing(config.dataset.root, _splits(config))
    described = analysis_models.describe(config.model.name, checkpoint=settings.BASE_DIR / config.model.checkpoint)
    return {
        "source": {
            "dataset": config.dataset.name,
            "root": config.dataset.root,
            "data_sha256": engine.fingerprint(config.dataset.root),
            "model": config.model.name,
            "checkpoint": config.model.checkpoint,
            "checkpoint_sha256": described.sha256,
            "methods": engine.METHODS,
        },
        "seed": config.seed,
        "device": settings.DEVICE,
        "python": platform.python_version(),
        "code_sha256": _code_sha256(),
        "packages": {name: package_version(name) for name in PACKAGES},
        "training_record": described.record,
    }


def _code_sha256() -> str:
    """The source of the computing half and of the seam, as one hash."""
    digest = hashlib.sha256()
    for folder in ("analysis_core", "studies/engine"):
        for path in sorted((settings.BASE_DIR / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _row(kind: str, subject: str, stage: str, target: str, **params: Any) -> Artefact:
    text = json.dumps(params, sort_keys=True)
    return Artefact(
        subject_kind=kind,
        subject=subject,
        stage=stage,
        target=target,
        params=params,
        params_hash=hashlib.sha256(text.encode()).hexdigest(),
    )


def _prediction_rows(config: StudyConfig, source: dict[str, Any]) -> Iterable[Artefact]:
    return [_row("split", split, "predictions", "", source=source) for split in _splits(config)]


def _splits(config: StudyConfig) -> list[str]:
    splits = [config.dataset.split]
    if config.needs_features and config.dataset.train not in (None, config.dataset.split):
        splits.append(str(config.dataset.train))
    return splits


def _path_rows(config: StudyConfig, source: dict[str, Any]) -> Iterable[Artefact]:
    if not config.needs_features:
        return []
    options = config.stages.P.model_dump(include={"family", "fit", "max_features"})
    return [_row("split", str(config.dataset.train), "path", "", source=source, options=options)]


def _explanation_rows(config: StudyConfig, source: dict[str, Any], items: Iterable[Item]) -> Iterable[Artefact]:
    """The union of all conditions' stages: conditions share artefacts, they differ in what they reveal."""
    stages, parts = config.shown_stages, config.stages
    rows: dict[tuple[str, ...], Artefact] = {}
    items = list(items)
    unimodal = {"method": parts.U.method, "samples": parts.U.samples, "seed": config.seed}
    local = {"method": parts.R.method, "samples": parts.U.samples, "seed": config.seed, "layer": parts.R.layer}
    crossmodal = {**parts.C.model_dump(), "seed": config.seed}
    shared = {
        **local,
        "pool_split": config.dataset.train,
        "pool": parts.R.pool,
        "top": parts.R.top,
        "bottom": parts.R.bottom,
        # Study items never serve as examples of a feature.
        "exclude": sorted(i.index for i in items) if config.dataset.train == config.dataset.split else [],
    }

    def add(row: Artefact) -> None:
        rows[(row.subject_kind, row.subject, row.stage, row.target, row.params_hash)] = row

    for item in items:
        add(_row("datapoint", item.subject, "input", "", source=source))
        for entry in item.explained:
            logit = f"logit:{entry['class']}"
            if "U" in stages:
                add(_row("datapoint", item.subject, "U", logit, source=source, options=unimodal))
            if "C" in stages:
                add(_row("datapoint", item.subject, "C", logit, source=source, options=crossmodal))
            if "P" in stages:
                drawn = [{"feature": j, "weight": w} for j, w in zip(entry["features"], entry["weights"], strict=True)]
                add(_row("datapoint", item.subject, "P", logit, source=source, options={"features": drawn}))
            for j in entry["features"]:
                if "Rl" in stages:
                    add(_row("datapoint", item.subject, "Rl", f"feature:{j}", source=source, options=local))
                if "Rg" in stages:
                    add(_row("feature", str(j), "Rg", "", source=source, options=shared))
    return rows.values()


def _want(version: StudyVersion, rows: Iterable[Artefact]) -> list[Artefact]:
    """Make the rows that do not exist yet, and tie all of them to the version."""
    rows = list(rows)
    Artefact.objects.bulk_create(rows, ignore_conflicts=True)
    keys = {(r.subject_kind, r.subject, r.stage, r.target, r.params_hash) for r in rows}
    hashes = {row.params_hash for row in rows}
    stored = [
        row
        for row in Artefact.objects.filter(params_hash__in=hashes)
        if (row.subject_kind, row.subject, row.stage, row.target, row.params_hash) in keys
    ]
    version.artefacts.add(*stored)
    return stored

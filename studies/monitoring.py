"""What the run monitor shows: how far the computing and the annotators are. No answers and no outcomes.

Reads only; called by the researchers' pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from studies.models import Artefact, Condition, DeskJob, ExposureEvent, Sheet, StudyVersion
from studies.models.sheet import Kind

Step = Sheet.Step
#: The phases in the order in which they are computed.
PHASES = (
    ("predictions", "Predictions", "the model's answers and features over whole splits"),
    ("path", "Sparse model", "from features to classes, on the training split"),
    ("input", "Datapoints", "the pictures and words themselves"),
    ("U", "U", "unimodal importance"),
    ("C", "C", "cross-modal interactions"),
    ("Rl", "Rl", "features on the datapoint"),
    ("Rg", "Rg", "examples of each feature"),
    ("P", "P", "from features to the answer"),
)
#: A worker that did something within this time is there.
SEEN_SECONDS = 60
#: From the assignment on, in order: who stands at one has reached those before.
ASSIGNED_STEPS = (Step.INSTRUCTIONS, Step.ITEM, Step.REVIEW, Step.POST, Step.DONE)
UNDER_WAY = ASSIGNED_STEPS[:-1]


@dataclass(frozen=True)
class Phase:
    """One phase of the precomputation: numbers of artefacts; `inside` is how far the row in hand is, or ""."""

    stage: str
    name: str
    about: str
    ready: int
    failed: int
    total: int
    inside: str


@dataclass(frozen=True)
class ArmFill:
    """One arm's live sheets. `away`: under way, but silent for longer than the time-out; `late`: came back after it."""

    name: str
    is_open: bool
    quota: int
    finished: int
    under_way: int
    away: int
    late: int
    withdrawn: int
    minutes: float | None

    @property
    def is_full(self) -> bool:
        """Whether as many have finished as are wanted."""
        return self.finished >= self.quota


@dataclass(frozen=True)
class Unassigned:
    """Live sheets that have no arm: on their way to one, or ended before."""

    consent: int
    quiz: int
    screened_out: int
    full: int
    withdrawn: int


@dataclass(frozen=True)
class DropOff:
    """How many of one arm's sheets got how far: (what, number, share of those who were assigned)."""

    name: str
    assigned: int
    reached: tuple[tuple[str, int, float], ...]


def phases(version: StudyVersion) -> list[Phase]:
    """The phases that the version needs, as far as their rows exist."""
    counted: dict[str, dict[str, int]] = {}
    for stage, state, n in version.artefacts.values_list("stage", "state").annotate(n=Count("pk")):
        counted.setdefault(stage, {})[state] = n
    inside = _inside(version)
    return [
        Phase(
            stage,
            name,
            about,
            ready=counted[stage].get(Artefact.State.READY, 0),
            failed=counted[stage].get(Artefact.State.FAILED, 0),
            total=sum(counted[stage].values()),
            inside=inside.get(stage, ""),
        )
        for stage, name, about in PHASES
        if stage in counted
    ]


def _inside(version: StudyVersion) -> dict[str, str]:
    """Stage -> what is being computed of it now."""
    leased = version.artefacts.filter(state=Artefact.State.LEASED).order_by("stage", "pk")
    words = {}
    for stage, rows in groupby(leased, key=lambda row: str(row.stage)):
        row = next(rows)
        share = f": {row.done:,} of {row.total:,}" if row.total else ""
        words[stage] = f"{row.subject}{share}"
    return words


def fill(version: StudyVersion) -> list[ArmFill]:
    """The arms in order, with their live sheets."""
    limit = timezone.now() - timedelta(minutes=version.config.annotators.timeout_minutes)
    live, minutes = Q(sheets__kind=Kind.LIVE), median_minutes(version)
    active = live & Q(sheets__step__in=UNDER_WAY)
    counted = version.conditions.order_by("position").annotate(
        finished=Count("sheets", filter=live & Q(sheets__step=Step.DONE)),
        active=Count("sheets", filter=active & Q(sheets__seen__gte=limit)),
        away=Count("sheets", filter=active & Q(sheets__seen__lt=limit)),
        late=Count("sheets", filter=live & Q(sheets__is_late=True)),
        gone=Count("sheets", filter=live & Q(sheets__step=Step.WITHDRAWN)),
    )
    return [_arm(row, minutes.get(row.name)) for row in counted]


def _arm(row: Any, minutes: float | None) -> ArmFill:
    return ArmFill(
        name=row.name,
        is_open=row.is_open,
        quota=row.quota,
        finished=row.finished,
        under_way=row.active,
        away=row.away,
        late=row.late,
        withdrawn=row.gone,
        minutes=minutes,
    )


def unassigned(version: StudyVersion) -> Unassigned:
    """Live sheets without an arm."""
    counts = dict(_live(version).filter(condition=None).values_list("step").annotate(n=Count("pk")))
    steps = (Step.CONSENT, Step.QUIZ, Step.SCREENED_OUT, Step.FULL, Step.WITHDRAWN)
    return Unassigned(*(counts.get(step, 0) for step in steps))


def drop_off(version: StudyVersion) -> list[DropOff]:
    """Per arm, how many live sheets reached each step and answered each item, in the order of their own sheet."""
    places = version.items.count()
    rows = _live(version).exclude(condition=None).values_list("condition_id", "step", "position")
    by_arm: dict[int, list[tuple[str, int]]] = {}
    for condition, step, position in rows.iterator():
        by_arm.setdefault(condition, []).append((step, position))
    return [_drop_off(arm, by_arm.get(arm.pk, []), places) for arm in version.conditions.order_by("position")]


def _drop_off(arm: Condition, sheets: list[tuple[str, int]], places: int) -> DropOff:
    practice = arm.version.config.items.practice
    names = [f"Practice {i + 1}" if i < practice else f"Item {i + 1 - practice}" for i in range(places)]
    begun = sum(position > 0 or step not in (Step.INSTRUCTIONS, Step.WITHDRAWN) for step, position in sheets)
    numbers = [("Began", begun)]
    numbers += [(name, sum(position > i for _, position in sheets)) for i, name in enumerate(names)]
    numbers += [("Reviewed", sum(step in (Step.POST, Step.DONE) for step, _ in sheets))]
    numbers += [("Finished", sum(step == Step.DONE for step, _ in sheets))]
    total = len(sheets)
    return DropOff(arm.name, total, tuple((name, n, n / total if total else 0.0) for name, n in numbers))


def median_minutes(version: StudyVersion) -> dict[str, float]:
    """Arm -> the median over (annotator, counted item) of active minutes, where browsers reported any."""
    events = ExposureEvent.objects.filter(
        sheet__version=version, sheet__kind=Kind.LIVE, what="active", item__is_practice=False
    ).exclude(sheet__condition=None)
    rows = events.values("sheet__condition__name", "sheet_id", "item_id").annotate(ms=Sum("milliseconds"))
    times: dict[str, list[int]] = {}
    for row in rows.iterator():
        times.setdefault(row["sheet__condition__name"], []).append(row["ms"])
    return {name: median(values) / 60_000 for name, values in times.items()}


def _live(version: StudyVersion) -> QuerySet[Sheet]:
    return version.sheets.filter(kind=Kind.LIVE)


def is_worker_missing(version: StudyVersion) -> bool:
    """Whether something is to be done and no worker has been seen: none holds work, none gave a sign of life."""
    waits = version.artefacts.filter(state=Artefact.State.WANTED).exists()
    waits |= version.desk_jobs.filter(state=DeskJob.State.WANTED).exists()
    return waits and not _is_worker_seen()


def _is_worker_seen() -> bool:
    now = timezone.now()
    since = now - timedelta(seconds=SEEN_SECONDS)
    holding = [Artefact.objects.filter(lease_until__gte=now), DeskJob.objects.filter(lease_until__gte=now)]
    just_done = [Artefact.objects.filter(published__gte=since), DeskJob.objects.filter(finished__gte=since)]
    return any(rows.exists() for rows in (*holding, *just_done)) or _has_beaten(since.timestamp())


def _has_beaten(since: float) -> bool:
    """Whether a worker of this machine touched its file lately."""
    for file in (Path(settings.STATE_DIR) / "heartbeats").glob("*"):
        try:
            if file.stat().st_mtime >= since:
                return True
        except FileNotFoundError:
            continue
    return False


def run_facts(version: StudyVersion) -> list[tuple[str, str]]:
    """What the latest run was made with, in words: device, seed, hashes of data, checkpoint and code, packages."""
    run = version.runs.last()
    if run is None:
        return []
    snapshot, source = run.snapshot, run.snapshot.get("source", {})
    done = version.artefacts.filter(state=Artefact.State.READY)
    devices = sorted({device for device in done.values_list("device", flat=True) if device})
    spent = done.aggregate(seconds=Sum("seconds"), forwards=Sum("forwards"))
    facts = [
        ("Began", f"{run.started:%Y-%m-%d %H:%M} UTC"),
        ("Finished", f"{run.finished:%Y-%m-%d %H:%M} UTC" if run.finished else "not yet"),
        ("Device", ", ".join(devices) or f"none yet (setting: {snapshot.get('device', 'unknown')})"),
        ("Computing time", f"{(spent['seconds'] or 0) / 60:.1f} min, {spent['forwards'] or 0:,} forward passes"),
        ("Seed", str(snapshot.get("seed", ""))),
        ("Data", str(source.get("data_sha256", ""))[:16]),
        ("Checkpoint", str(source.get("checkpoint_sha256", ""))[:16]),
        ("Code", str(snapshot.get("code_sha256", ""))[:16]),
        ("Packages", ", ".join(f"{name} {number}" for name, number in snapshot.get("packages", {}).items())),
    ]
    return [(name, value) for name, value in facts if value]

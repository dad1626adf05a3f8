"""Where a study stands, in words and numbers: the precomputation, the sheets, and what its researcher does next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from studies.models import Artefact, DeskJob, Item, Run, Sheet, Study, StudyVersion
from studies.models.sheet import Kind
from studies.selectors import artefact_progress, artefact_progress_of, newest_runs, sheets_per_condition_of

State = Study.State
# The pace is that of the newest results, so that a first, slow phase does not spoil the estimate of a later one.
PACE_RESULTS, PACE_MINUTES = 50, 10


@dataclass(frozen=True)
class Progress:
    """How far the precomputation is: numbers of artefacts, and the same in words."""

    ready: int
    failed: int
    total: int
    text: str
    is_done: bool
    is_moving: bool

    def as_json(self) -> dict[str, object]:
        """What the page polls."""
        return asdict(self)


@dataclass(frozen=True)
class Standing:
    """One line of the list of studies: finished, wanted and simulated are sheets."""

    study: Study
    title: str
    progress: Progress
    finished: int
    wanted: int
    simulated: int
    next_step: str
    next_url: str


def standing(study: Study) -> Standing:
    """Everything that a list of studies says about one."""
    return standings([study])[0]


def standings(studies: Sequence[Study]) -> list[Standing]:
    """The same of several studies: the number of queries is that of one, but for what is being computed now."""
    versions = [study.version for study in studies]
    artefacts, runs, drawn = artefact_progress_of(versions), newest_runs(versions), _drawn(versions)
    live = sheets_per_condition_of(versions, Kind.LIVE)
    simulated, asked_for = _simulated(versions), _asked_for(versions)
    return [
        _standing(
            study,
            version,
            progress=_progress(version, artefacts[version.pk], runs.get(version.pk), is_drawn=version.pk in drawn),
            live=live[version.pk],
            simulated=simulated.get(version.pk, 0),
            is_asked_for=version.pk in asked_for,
        )
        for study, version in zip(studies, versions, strict=True)
    ]


def progress_of(version: StudyVersion) -> Progress:
    """How far a version's precomputation is."""
    return _progress(version, artefact_progress(version), version.runs.last(), is_drawn=version.items.exists())


def _standing(
    study: Study,
    version: StudyVersion,
    *,
    progress: Progress,
    live: list[dict[str, int | str]],
    simulated: int,
    is_asked_for: bool,
) -> Standing:
    finished, wanted = sum(int(row["finished"]) for row in live), sum(int(row["quota"]) for row in live)
    next_step, where, *rest = _next_step(study, progress, finished, wanted)
    if is_asked_for and study.state == State.DRAFT:
        next_step = "Wait for the worker: the precomputation is about to begin."
    return Standing(
        study=study,
        title=version.config.title,
        progress=progress,
        finished=finished,
        wanted=wanted,
        simulated=simulated,
        next_step=next_step,
        next_url=reverse(where, args=[study.slug, *rest]),
    )


def _drawn(versions: list[StudyVersion]) -> set[int]:
    """The keys of versions whose items are drawn."""
    return set(Item.objects.filter(version__in=versions).order_by().values_list("version", flat=True).distinct())


def _asked_for(versions: list[StudyVersion]) -> set[int]:
    """The keys of versions whose precomputation was asked for and has not begun."""
    waiting = DeskJob.objects.filter(
        version__in=versions, kind=DeskJob.Kind.PRECOMPUTE, state__in=[DeskJob.State.WANTED, DeskJob.State.LEASED]
    )
    return set(waiting.values_list("version", flat=True))


def _simulated(versions: list[StudyVersion]) -> dict[int, int]:
    """Finished simulated sheets of the versions that have some, by their keys."""
    done = Sheet.objects.filter(version__in=versions, kind=Kind.SIMULATED, step=Sheet.Step.DONE)
    return dict(done.order_by().values("version").annotate(n=Count("pk")).values_list("version", "n"))


def _progress(version: StudyVersion, counts: dict[str, int], run: Run | None, *, is_drawn: bool) -> Progress:
    total, ready, failed = sum(counts.values()), counts["ready"], counts["failed"]
    is_done = total > 0 and ready == total and (run is None or run.finished is not None)
    # Between two phases nothing is open for a moment, and a worker is about to begin the next.
    is_open = total > ready + failed or (run is not None and run.finished is None and 0 < total == ready)
    is_moving = not is_done and is_open and not (run and run.problem)
    return Progress(ready, failed, total, _words(version, run, counts, is_drawn=is_drawn), is_done, is_moving)


def _words(version: StudyVersion, run: Run | None, counts: dict[str, int], *, is_drawn: bool) -> str:
    total, ready, failed = sum(counts.values()), counts["ready"], counts["failed"]
    if run is not None and run.problem:
        return f"Stopped: {run.problem}"
    if not total:
        return "Nothing is precomputed yet."
    if ready == total and is_drawn:
        return f"All {total:,} artefacts are ready."
    parts = [f"{ready:,} of {total:,} artefacts are ready"]
    if failed:
        parts.append(f"{failed:,} failed")
    if ready + failed < total:
        parts.append(_pace(version, run, open_rows=total - ready - failed, leased=counts["leased"]))
    return ", ".join(filter(None, parts)) + "."


def _pace(version: StudyVersion, run: Run | None, *, open_rows: int, leased: int) -> str:
    """What is being computed, and how long the rest will take at the pace of the newest results."""
    long_row = version.artefacts.filter(state=Artefact.State.LEASED, total__gt=0).first()
    if long_row is not None:
        return f"{long_row.stage} of {long_row.subject}: {long_row.done:,} of {long_row.total:,}"
    now = timezone.now()
    since = max(run.started, now - timedelta(minutes=PACE_MINUTES)) if run else now
    newest = version.artefacts.filter(published__gte=since).order_by("-published").values_list("published", flat=True)
    times = [time for time in newest[:PACE_RESULTS] if time is not None]
    if len(times) >= 3:
        return f"{_duration(_rest(times, now, open_rows))} left"
    return "" if leased else "waiting for a worker"


def _rest(times: list[datetime], now: datetime, open_rows: int) -> float:
    """Seconds. Measured until now and not until the last result: a stalled worker makes the estimate grow."""
    return (now - times[-1]).total_seconds() / (len(times) - 1) * open_rows


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(5, round(seconds / 5) * 5)} s"
    return f"about {round(seconds / 60)} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def _next_step(study: Study, progress: Progress, finished: int, wanted: int) -> tuple[str, ...]:
    """What the researcher does next, and the name and arguments of the page where it is done."""
    if study.state == State.DRAFT:
        return _next_of_draft(progress)
    done = f"{finished} of {wanted} sheets are finished"
    return {
        State.FROZEN: ("Open it for annotators.", "study"),
        State.OPEN: (f"{done}: send out links, and close it when you have enough.", "study_links"),
        State.CLOSED: ("Unblind it to see outcomes by condition.", "study_confirm", "unblind"),
        State.UNBLINDED: ("Read the report.", "study_report"),
        State.DELETING: ("Deleting it was interrupted: delete it again.", "study_delete"),
    }[State(study.state)]


def _next_of_draft(progress: Progress) -> tuple[str, ...]:
    if progress.is_done:
        return "Preview it as each condition, then freeze it.", "study"
    if progress.is_moving:
        return "Wait until everything is precomputed.", "study_run"
    if progress.failed:
        return "Look at the failed artefacts.", "study_run"
    if progress.total:
        return "See why the precomputation stopped.", "study_run"
    return "Precompute it.", "study_run"

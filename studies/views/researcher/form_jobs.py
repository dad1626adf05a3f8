"""How far the desk's work on a design is: the check against its data, and the precomputation."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from studies.models import DeskJob, Study, StudyVersion
from studies.views.researcher.standing import Progress, progress_of
from studies.yaml_strict import Problem

_MOVING = (DeskJob.State.WANTED, DeskJob.State.LEASED)


@dataclass(frozen=True)
class Work:
    """One bar of the design page. refused: why its button cannot be pressed, or "" """

    id: str
    text: str
    done: int
    total: int
    is_moving: bool
    refused: str = ""

    def as_json(self) -> dict[str, object]:
        """What the page polls."""
        return asdict(self)


@dataclass(frozen=True)
class Desk:
    """Both, and what the check found."""

    check: Work
    precompute: Work
    problems: list[Problem]
    progress: Progress

    @property
    def is_moving(self) -> bool:
        """Whether the page should ask again."""
        return self.check.is_moving or self.precompute.is_moving


def desk_of(study: Study, version: StudyVersion) -> Desk:
    """What the desk does for the newest version."""
    jobs = {job.kind: job for job in version.desk_jobs.filter(key="")}
    checked, begun = jobs.get(DeskJob.Kind.CHECK), jobs.get(DeskJob.Kind.PRECOMPUTE)
    problems, progress = _problems(checked), progress_of(version)
    check = _check(checked, problems)
    return Desk(check, _precompute(study, begun, progress, check, problems), problems, progress)


def _problems(job: DeskJob | None) -> list[Problem]:
    found = job.result.get("problems", []) if job is not None else []
    return [Problem(problem["path"], problem["message"]) for problem in found]


def _check(job: DeskJob | None, problems: list[Problem]) -> Work:
    if job is None:
        return Work("check", "Not checked against its data yet.", 0, 1, is_moving=False)
    is_moving = job.state in _MOVING
    refused = "It is being checked now." if is_moving else ""
    return Work("check", _check_words(job, problems), job.done, job.total or 1, is_moving, refused)


def _check_words(job: DeskJob, problems: list[Problem]) -> str:
    if job.state == DeskJob.State.FAILED:
        return f"The check itself failed: {job.reason}"
    if job.state == DeskJob.State.DONE:
        said = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}: see the fields."
        return said if problems else "The study fits its data and its checkpoint."
    if job.total:
        return f"Reading the data: {job.done:,} of {job.total:,}."
    return "Waiting for a worker." if job.state == DeskJob.State.WANTED else "Being checked."


def _precompute(study: Study, job: DeskJob | None, progress: Progress, check: Work, problems: list[Problem]) -> Work:
    is_begun = job is not None and job.state in _MOVING
    text = progress.text
    if is_begun and job is not None:
        text = (
            "Waiting for a worker." if job.state == DeskJob.State.WANTED else "Beginning: the data are read once more."
        )
    elif job is not None and job.state == DeskJob.State.FAILED and not progress.is_moving:
        text = f"Not begun: {job.reason}"
    is_moving = is_begun or progress.is_moving
    refused = _refusal(study, progress, check, problems, is_moving=is_moving)
    return Work("precompute", text, progress.ready, progress.total or 1, is_moving, refused)


def _refusal(study: Study, progress: Progress, check: Work, problems: list[Problem], *, is_moving: bool) -> str:
    if study.state != Study.State.DRAFT:
        return f"The study is {study.state}."
    if is_moving:
        return "It is running."
    if progress.is_done:
        return "Everything is there."
    if check.is_moving:
        return "Wait for the check."
    return "The check found problems: correct them first." if problems else ""

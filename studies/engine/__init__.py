"""THE SEAM: the only package that imports analysis_core's torch side. Plain values in, plain values out; workers only.

Importing it loads no torch; its functions do. Models, datasets and feature stores stay loaded between rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studies.computed import Computed, Job, Source, Tick
from studies.engine import examples, explanations, splits
from studies.engine.loading import device, fingerprint, has_predictions
from studies.engine.splits import Facts, Point, facts, features_of, rankings

__all__ = [
    "Facts",
    "Job",
    "Point",
    "Source",
    "Tick",
    "compute",
    "device",
    "facts",
    "features_of",
    "fingerprint",
    "has_predictions",
    "rankings",
]


def compute(jobs: Sequence[Job], tick: Tick) -> Iterator[tuple[int, Computed]]:
    """Compute jobs of one subject and source; yields (number of the job, result) as each is done.

    tick: called with (done, total) while a long job goes on
    """
    stages = {job.stage for job in jobs}
    if "predictions" in stages:
        yield 0, splits.predict(jobs[0], tick)
    elif "path" in stages:
        yield 0, splits.path(jobs[0])
    elif "Rg" in stages:
        for i, job in enumerate(jobs):
            yield i, examples.compute(job)
    else:
        yield from explanations.compute(jobs)

"""THE SEAM: the only package that imports analysis_core's torch side. Plain values in, plain values out; workers only.

Importing it loads no torch; its functions do. Models, datasets and feature stores stay loaded between rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from studies.computed import Computed, Job, Source, Tick, attempt
from studies.engine import examples, explanations, splits
from studies.engine.loading import device, fingerprint, has_predictions, make_missing
from studies.engine.splits import Facts, Point, facts, features_of, rankings

#: Part of every artefact's parameters. Raise it with each change of analysis_core or of this folder that changes
#: results or pictures, once per release: a study never mixes results of two numbers (`require_methods`).
METHODS = 3

__all__ = [
    "METHODS",
    "Facts",
    "Job",
    "OtherMethods",
    "Point",
    "Source",
    "Tick",
    "compute",
    "device",
    "facts",
    "features_of",
    "fingerprint",
    "has_predictions",
    "make_missing",
    "rankings",
    "require_methods",
]


class OtherMethods(Exception):
    """Results that were begun under another `METHODS` and cannot be gone on with here; says what to do."""


def require_methods(source: Source) -> None:
    """See that results of a source are this release's to compute. raises: OtherMethods"""
    begun = source.get("methods", METHODS)
    if begun != METHODS:
        raise OtherMethods(
            f"this was begun under methods {begun}, and this release computes under methods {METHODS}, which a study"
            " never mixes: start the precomputation again, and a draft begins anew; a frozen study needs the release"
            " that it was computed with"
        )


def compute(jobs: Sequence[Job], tick: Tick) -> Iterator[tuple[int, Computed | Exception]]:
    """Compute jobs of one subject and source; yields (number of the job, result or what prevented it), one per job.

    tick:   called with (done, total) while a long job goes on
    raises: OtherMethods, for all jobs alike
    """
    for job in jobs:
        require_methods(job.source)
    alone: dict[str, Callable[[Job], Computed]] = {
        "predictions": partial(splits.predict, tick=tick),
        "path": splits.path,
        "Rg": examples.compute,
    }
    together = [i for i, job in enumerate(jobs) if job.stage not in alone]
    for i, job in enumerate(jobs):
        if job.stage in alone:
            yield i, attempt(partial(alone[job.stage], job))
    if together:
        for i, result in explanations.compute([jobs[i] for i in together]):
            yield together[i], result

"""Real work for a worker beside the load: the demo's study, precomputed. Import after Django is set up."""

from __future__ import annotations

from benchmarks.load.study import FILE
from studies.config import read
from studies.models import Artefact
from studies.processes import Processes
from studies.services.authoring import study_create
from studies.services.precompute import precompute_start

NICENESS = 19


class Work:
    """A worker that has begun."""

    def __init__(self, processes: Processes) -> None:
        self._version = study_create(config=read(FILE.read_text(encoding="utf-8")), owner=None)
        precompute_start(version=self._version)
        processes.start_worker(niceness=NICENESS)

    def computed(self) -> int:
        """Artefacts that are ready: 0 says that the worker was no load."""
        return self._version.artefacts.filter(state=Artefact.State.READY).count()

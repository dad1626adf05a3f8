"""What every run starts from: a tiny study, half computed or ready and open. Made once, copied per run."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.faults import publications
from tests.faults.installation import SLUG, Installation
from tests.faults.private import Postgres, Redis
from tests.terminal import RECIPE, STUDY

#: Prediction run and sparse path are done, items are drawn, explanations are wanted.
HALF = f"""
import django; django.setup()
from studies.models import StudyVersion
from studies.services.precompute import precompute_start
from studies.watch import Watch
from studies.worker import work_until_idle
version = StudyVersion.objects.get(study__slug="{SLUG}")
precompute_start(version=version)
work_until_idle(version=version, watch=Watch(stop=version.items.exists))
"""
_KEY = "subject_kind, subject, stage, target, params_hash"


@dataclass
class Templates:
    """Prepared folders on SQLite and, with a server, prepared databases on PostgreSQL."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="faults-")))
    postgres: Postgres | None = None
    redis: Redis | None = None  # without append-only file, as it comes
    kept_redis: Redis | None = None
    reference: dict[tuple[Any, ...], str] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: count(1))

    def prepare(self) -> None:
        """Compute the study once, undisturbed: its hashes are what every disturbed run must end with."""
        half = Installation(self.folder / "half")
        self._make_half(half)
        shutil.copytree(half.folder, self.folder / "whole")
        whole = Installation(self.folder / "whole")
        self._open(whole)
        self.reference = hashes(whole)
        publications.record(half)
        if self.postgres is None:
            return
        for name in ("half", "whole"):
            # Features and files are there already: what is computed again here must have the same hashes.
            there = Installation(self.folder / name, database=self.postgres.create(name))
            if name == "half":
                self._make_half(there)
            else:
                self.postgres.do(f'DROP DATABASE "{name}"')
                self.postgres.create(name, template="half")
                self._open(there)
        publications.record(Installation(self.folder / "half", database=self.postgres.address("half")))

    def half(self, *, production: bool = False, kept: bool = False) -> Installation:
        """An installation whose explanations are wanted."""
        return self._copy("half", production, kept)

    def whole(self, *, production: bool = False) -> Installation:
        """An installation whose study is open, with invites."""
        return self._copy("whole", production, False)

    def remove(self) -> None:
        """Stop the services and delete everything."""
        for service in (self.postgres, self.redis, self.kept_redis):
            if service is not None:
                service.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def forget(self, installation: Installation) -> None:
        """After a run."""
        installation.stop()
        if installation.database and self.postgres is not None:
            self.postgres.do(f'DROP DATABASE "{installation.folder.name}" WITH (FORCE)')
        shutil.rmtree(installation.folder, ignore_errors=True)

    def _copy(self, name: str, production: bool, kept: bool) -> Installation:
        folder = self.folder / f"run{next(self._numbers)}"
        shutil.copytree(self.folder / name, folder)
        if not production:
            return Installation(folder)
        redis = self.kept_redis if kept else self.redis
        assert self.postgres is not None
        assert redis is not None
        redis.client().flushall()
        return Installation(folder, self.postgres.create(folder.name, template=name), redis.url)

    def _make_half(self, there: Installation) -> None:
        root = self.folder / "scenes"
        root.mkdir(exist_ok=True)
        (root / "recipe.json").write_text(json.dumps(RECIPE))
        file = self.folder / "small.yaml"
        file.write_text(STUDY.format(root=root).replace("count: 4, practice: 1", "count: 2, practice: 0"))
        there.folder.mkdir(exist_ok=True)
        there.manage("migrate", "-v0")
        there.manage("study", "create", str(file))
        there.run("-c", HALF)

    @staticmethod
    def _open(there: Installation) -> None:
        there.manage("study", "precompute", SLUG, "--wait")
        for verb in ("freeze", "open"):
            there.manage("study", verb, SLUG)
        there.manage("study", "invite", SLUG, "--count", "10")


def hashes(there: Installation) -> dict[tuple[Any, ...], str]:
    """Every published artefact with its hash."""
    found = there.rows(f"SELECT {_KEY}, sha256 FROM studies_artefact WHERE state = 'ready'")  # noqa: S608
    return {tuple(row[:-1]): str(row[-1]) for row in found}

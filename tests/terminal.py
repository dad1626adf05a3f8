"""A researcher's terminal for tests of whole studies: commands in processes of their own, on a small study."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STUDY = """
study: small
kind: simulation
title: What does the model answer?
seed: 7
dataset: {{name: clevr, root: {root}, split: val, train: train}}
model: {{name: cnn_lstm_sa, checkpoint: fixtures/checkpoints/clevr_cnn_lstm_sa}}
items: {{count: 4, practice: 1, where: {{answer_type_not: [boolean]}}}}
answers: {{choices: 4}}
target_class_policy: predicted
stages:
  U: {{method: lime, samples: 40}}
  C: {{words: 2}}
  R: {{features: 2, method: lime, top: 2, pool: 200}}
conditions: multiviz-ablation
questions: [confidence, helpful_page]
"""
RECIPE = {
    "generator": "scenes",
    "seed": 5,
    "size": 96,
    "splits": {
        "val": {"scenes": 20, "questions_per_scene": 6},
        "train": {"scenes": 60, "questions_per_scene": 6},
    },
}


@dataclass
class Terminal:
    """One state folder and its environment."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The small study's file; its dataset is generated on first use."""
        root = self.folder / "scenes"
        root.mkdir(exist_ok=True)
        (root / "recipe.json").write_text(json.dumps(RECIPE))
        path = self.folder / "small.yaml"
        path.write_text(STUDY.format(root=root))
        return path

    def start(self, *arguments: object, module: bool = False) -> subprocess.Popen[str]:
        """Start `manage.py ...` (or `python -m ...`) without waiting."""
        command = [sys.executable, "-m" if module else "manage.py", *map(str, arguments)]
        return subprocess.Popen(
            command, cwd=ROOT, env=self._env(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, *arguments: object, code: int = 0) -> tuple[str, str]:
        """Run `manage.py ...` to its end: (stdout, stderr). The exit code must be `code`."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        assert process.returncode == code, f"{arguments} ended with {process.returncode}\n{out}\n{err}"
        return out, err

    def json(self, *arguments: object) -> Any:
        """What a verb prints with --json."""
        return json.loads(self.run(*arguments)[0])

    def status(self) -> Any:
        """`study status small --json`."""
        return self.json("study", "status", "small", "--json")

    def wait_until(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        """Look every 50 ms until the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            time.sleep(0.05)

    def _env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "CELERY_BROKER_URL")}
        own = {"STATE_DIR": str(self.folder / "state"), "OMP_NUM_THREADS": "1", "LOG_LEVEL": "ERROR"}
        return {**kept, **own, **self.environment}

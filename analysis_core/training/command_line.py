"""The command line of models that generated scenes train: a part that sees from pictures, then a part that reasons."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import Field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import torch


class ScenesPlan(Protocol):
    """What plans of such models share: a dataclass with these fields."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def seed(self) -> int: ...

    @property
    def pictures(self) -> int: ...

    @property
    def scenes(self) -> int: ...

    @property
    def steps(self) -> int: ...


P = TypeVar("P", bound=ScenesPlan)


def run(
    model: str,
    train: Callable[[P, Path, Path], dict[str, Any]],
    plan: P,
    *,
    description: str | None,
    sees: str,
    reasons: str,
) -> None:
    """Parse the arguments, train, print the held-out accuracy as JSON and exit.

    train:         plan, folder of the checkpoint, folder that is kept between runs -> training record
    plan:          the defaults
    sees, reasons: names of the two parts for the help
    raises: SystemExit (always)
    """
    parser = argparse.ArgumentParser(prog=f"python -m analysis_core.training.{model}", description=description)
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--pictures", type=int, default=plan.pictures, help=f"scenes that train the {sees}")
    parser.add_argument("--scenes", type=int, default=plan.scenes, help=f"scenes that train the {reasons}")
    parser.add_argument("--steps", type=int, default=plan.steps, help=f"steps of the {reasons}")
    parser.add_argument("--work", type=Path, default=Path("var/training") / model, help="kept between runs")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    wanted = replace(plan, seed=given.seed, pictures=given.pictures, scenes=given.scenes, steps=given.steps)
    record = train(wanted, given.out, given.work)
    parser.exit(0, json.dumps(record["held_out"]["overall"]) + "\n")

"""`python -m analysis_core.evaluation.alignment.paper clevr --root FOLDER --model NAME --checkpoint FOLDER`.

The paper's two experiments with all controls, as a table; --json keeps the pairs and the scores of every question.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch

from analysis_core import datasets, models
from analysis_core.datasets.flickr30k import Flickr30k
from analysis_core.errors import AnalysisError
from analysis_core.evaluation.alignment.clevr_experiment import clevr
from analysis_core.evaluation.alignment.experiment import AlignmentExperiment, drawn_again
from analysis_core.evaluation.alignment.flickr30k_experiment import flickr30k
from analysis_core.evaluation.alignment.readouts import READOUTS
from analysis_core.targets import AllLogits, PredictedLogit

TARGETS = {"all": AllLogits(), "predicted": PredictedLogit()}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m analysis_core.evaluation.alignment.paper", description=__doc__)
    parser.add_argument("experiment", choices=("clevr", "flickr30k"))
    parser.add_argument("--root", type=Path, required=True, help="folder of the dataset")
    parser.add_argument("--split", default="val")
    parser.add_argument("--model", required=True, help="a registered name")
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--n", type=int, help="pairs per group (CLEVR, 52) or pictures (Flickr30k, 20)")
    parser.add_argument("--all-answers", action="store_true", help="CLEVR: questions that are answered wrong as well")
    parser.add_argument("--target", choices=TARGETS, default="all", help="the sum of all logits, or the predicted one")
    parser.add_argument("--readouts", nargs="+", default=tuple(READOUTS), choices=READOUTS)
    parser.add_argument("--projections", type=int, default=8, help="random directions of hutchinson")
    parser.add_argument("--seed", type=int, default=0, help="of the pairs, projections and random scores")
    parser.add_argument("--again", type=Path, help="report of an earlier run: the same pairs are read")
    parser.add_argument("--json", type=Path, help="file for the report with pairs and scores")
    given = parser.parse_args()
    torch.set_num_threads(1)
    try:
        found = _run(given)
    except AnalysisError as error:
        parser.exit(1, f"{error}\n")
    if given.json is not None:
        given.json.write_text(json.dumps(found.as_dict(), allow_nan=False) + "\n", encoding="utf-8")
    sys.stdout.write(f"{found}\n")


def _run(given: argparse.Namespace) -> AlignmentExperiment:
    dataset = datasets.load(given.experiment, root=given.root, split=given.split)
    model = models.load(given.model, checkpoint=given.checkpoint)
    how: dict[str, Any] = {
        "readouts": given.readouts,
        "target": TARGETS[given.target],
        "projections": given.projections,
        "seed": given.seed,
    }
    if given.again is not None:
        earlier = AlignmentExperiment.from_dict(json.loads(given.again.read_text(encoding="utf-8")))
        how["again"] = drawn_again(dataset, earlier)
    if given.experiment == "clevr":
        found = clevr(model, dataset, pairs=given.n or 52, only_right=not given.all_answers, **how)
    else:
        found = flickr30k(model, cast(Flickr30k, dataset), pictures=given.n or 20, **how)
    weights = models.describe(given.model, checkpoint=given.checkpoint).sha256
    return replace(found, config={**found.config, "split": given.split, "model": given.model, "weights": weights})


if __name__ == "__main__":
    main()

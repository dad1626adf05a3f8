"""`python -m analysis_core.evaluation.alignment --model lxmert --checkpoint FOLDER`: docs/methods/alignment.md's table.

Questions are two-object questions on generated scenes, drawn in memory from the seed; the model must answer them right.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import islice
from pathlib import Path

import torch
from tqdm import tqdm

from analysis_core import models
from analysis_core.datasets.scenes.two_objects import FAMILIES, two_object_questions
from analysis_core.evaluation.alignment import READOUTS, answered_right, evaluate


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m analysis_core.evaluation.alignment", description=__doc__)
    parser.add_argument("--model", default="lxmert", help="a registered model that reads pictures with boxes")
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--n", type=int, default=200, help="questions that the model answers right")
    parser.add_argument("--families", nargs="+", default=FAMILIES, choices=FAMILIES, help="kinds of questions")
    parser.add_argument("--readouts", nargs="+", default=tuple(READOUTS), choices=READOUTS)
    parser.add_argument("--projections", type=int, default=8, help="random directions of hutchinson")
    parser.add_argument("--seed", type=int, default=0, help="of the questions, projections and random scores")
    parser.add_argument("--json", type=Path, help="file for the report with the scores of every question")
    given = parser.parse_args()
    torch.set_num_threads(1)
    model = models.load(given.model, checkpoint=given.checkpoint)
    right = answered_right(model, two_object_questions(seed=given.seed, families=given.families))
    questions = tqdm(islice(right, given.n), total=given.n, desc="questions", disable=None)
    report = evaluate(model, questions, readouts=given.readouts, projections=given.projections, seed=given.seed)
    if given.json is not None:
        given.json.write_text(json.dumps(report.as_dict(), allow_nan=False) + "\n", encoding="utf-8")
    # Not parser.exit: it writes to the error stream.
    sys.stdout.write(f"{len(report.questions)} questions\n\n{report}\n")


if __name__ == "__main__":
    main()

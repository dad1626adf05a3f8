"""The part of a methods paragraph about explanations: what was shown of each stage, and how that was computed.

Each sentence speaks of the stages that were shown, and only of what went into those: for Rl, Rg and P the sparse model
that chose the features, for LIME and random directions the rows or draws and their seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studies.config import StudyConfig
from studies.config_parts import FEATURE_STAGES, STAGES, Stage
from studies.reports.figures import counted, listed
from studies.reports.ratings import Ratings, stages_by
from studies.reports.shape import ConditionReport

DESIGNS = {
    "apart": ", shared equally among the modalities, one perturbed at a time (the other whole)",
    "joint": ", each of which perturbs the modalities together",
    "": "",
}
#: What C differentiates with respect to the picture; "hutchinson" has numbers of its own.
DERIVED = {
    "norm": "the norm of the word's gradient",
    "l1": "the sum of the absolute components of the word's gradient",
    "grad_x_input": "the product of the word's gradient and its input",
    "sum": "the sum of the components of the word's gradient",
}


def stages(config: StudyConfig, ratings: Ratings, conditions: Sequence[ConditionReport]) -> Iterator[str]:
    """conditions: those that somebody answered in; what only others show was seen by nobody"""
    shown = [stage for stage in STAGES if any(stage in condition.stages for condition in conditions)]
    words = listed([_shown(config, stage) for stage in shown])
    yield f"By condition they saw {words}." if len(conditions) > 1 else f"They saw {words}."
    if FEATURE_STAGES & set(shown):
        yield _features(config)
    if "Rg" in shown:
        yield _pool(config)
    by_lime = [stage for stage in stages_by(config, "lime") if stage in shown]
    if by_lime:
        yield (
            f"LIME ({listed(by_lime)}) is that of Ribeiro, Singh & Guestrin, 2016, with"
            f" {counted(config.stages.U.samples, 'sample')} of each datapoint (itself among them), perturbed with seed"
            f" {config.seed}{DESIGNS[ratings.lime_rows]}."
        )
    by_gradient = [stage for stage in stages_by(config, "gradient") if stage in shown]
    if by_gradient:
        yield f"Gradients ({listed(by_gradient)}) are norms over the components of each word or part of the picture."
    if "C" in shown:
        yield _crossmodal(config, ratings)
    is_drawn = bool(by_lime) or ("C" in shown and config.stages.C.direction == "hutchinson")
    yield f"No {'other ' if is_drawn else ''}explanation is computed from random draws."


def _shown(config: StudyConfig, stage: Stage) -> str:
    u, r = config.stages.U, config.stages.R
    least = f" and {r.bottom} of its lowest" if r.bottom else ""
    return {
        "U": f"unimodal importance (U, {_method(u.method)})",
        "C": "cross-modal interactions (C, second-order gradients)",
        "Rl": f"what sets off each feature on the datapoint (Rl, {_method(r.method)})",
        "Rg": f"for each feature {counted(r.top, 'datapoint')} of its highest{least} activations, with what sets it off"
        f" there (Rg, {_method(r.method)})",
        "P": "the weights of a sparse linear model from features to classes (P)",
    }[stage]


def _method(name: str) -> str:
    return {"lime": "LIME", "gradient": "gradients"}[name]


def _features(config: StudyConfig) -> str:
    r, p = config.stages.R, config.stages.P
    strongest = {"coefficient": "weights", "contribution": "contributions (weight times z-score) at the datapoint"}
    fitted = {"predictions": "the model's predictions", "labels": "the true answers"}
    return (
        f"Features are those of the {r.layer} layer; shown are up to {r.features} per class, with the largest positive"
        f" {strongest[p.rank]} in a sparse linear model of {fitted[p.fit]} on the split {config.dataset.train}."
    )


def _pool(config: StudyConfig) -> str:
    others = ", without the study's own items" if config.dataset.train == config.dataset.split else ""
    return (
        f"The datapoints of Rg come from the first {config.stages.R.pool} of the split {config.dataset.train} (all,"
        f" where it has fewer){others}; no two of a feature have one picture or the same words, as long as there are"
        " others."
    )


def _crossmodal(config: StudyConfig, ratings: Ratings) -> str:
    c = config.stages.C
    if c.direction == "hutchinson":
        number = f"{ratings.projections} " if ratings.projections else ""
        derived = (
            f"the word's gradient along {number}random directions (root mean square), drawn with seed {config.seed}"
        )
    else:
        derived = DERIVED[c.direction]
    return (
        f"C is, for up to {counted(c.words, 'word')} with the largest gradients, the derivative of {derived}, with"
        " respect to the picture."
    )

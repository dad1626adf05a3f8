"""Model debugging: from features that go with errors to targeted data and a better last layer (studies of that kind).

The steps, in order: `error_features` on a labelled set V, a human vote on what they stand for, `affected` subsets fixed
before anything is trained, `choose` points of an unlabelled set U per arm, and `debug`, which fine-tunes the last layer
on cached features and compares the arms on a test set T. Source: Liang et al. 2023, sections 3.4 and D.5.
"""

from __future__ import annotations

from analysis_core.evaluation.debugging.affected import Subset, by_answer, by_words
from analysis_core.evaluation.debugging.arms import ARMS, choose
from analysis_core.evaluation.debugging.error_features import ErrorFeature, error_features
from analysis_core.evaluation.debugging.experiment import ArmResult, Debugging, Difference, Split, debug
from analysis_core.evaluation.debugging.last_layer import LastLayer, fine_tune

__all__ = [
    "ARMS",
    "ArmResult",
    "Debugging",
    "Difference",
    "ErrorFeature",
    "LastLayer",
    "Split",
    "Subset",
    "by_answer",
    "by_words",
    "choose",
    "debug",
    "error_features",
    "fine_tune",
]

"""Alignment: do interactions between words and picture find the boxes that the words name? For any model with boxes.

The paper, appendix D.2 (Liang et al. 2023): for each phrase the boxes are ranked by the strength of a readout; counted
is how often the named box is first, or among the first two. Controls are part of the metric: docs/methods/alignment.md.
"""

from analysis_core.evaluation.alignment.clevr_experiment import clevr
from analysis_core.evaluation.alignment.evaluate import answered_right, evaluate
from analysis_core.evaluation.alignment.experiment import AlignmentExperiment, Pair, drawn_again
from analysis_core.evaluation.alignment.flickr30k_experiment import flickr30k
from analysis_core.evaluation.alignment.pointing import Pointed, point
from analysis_core.evaluation.alignment.readouts import READOUTS
from analysis_core.evaluation.alignment.report import AlignmentReport, Ranked, Rate

__all__ = [
    "READOUTS",
    "AlignmentExperiment",
    "AlignmentReport",
    "Pair",
    "Pointed",
    "Ranked",
    "Rate",
    "answered_right",
    "clevr",
    "drawn_again",
    "evaluate",
    "flickr30k",
    "point",
]

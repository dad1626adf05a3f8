"""Stage R: what a feature responds to, on one datapoint (local) and over a whole split (extremes, histograms)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from analysis_core.arguments import count, whole
from analysis_core.models.base import MultimodalModel
from analysis_core.stages import methods
from analysis_core.stages.distinct import distinct as distinct
from analysis_core.stages.distinct import left_out
from analysis_core.stages.extremes import Extremes as Extremes
from analysis_core.stages.extremes import ExtremesSoFar
from analysis_core.stages.histograms import Histograms as Histograms
from analysis_core.stages.histograms import HistogramsSoFar
from analysis_core.stages.streaming import extremes_of, layer_of, stream
from analysis_core.targets import Feature
from analysis_core.types import Attribution


def local(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    feature: int,
    *,
    method: str = "gradient",
    layer: str = "penultimate",
    samples: int | None = None,
    seed: int = 0,
    **options: Any,
) -> Attribution:
    """Unimodal importance towards one feature of the penultimate or a named layer.

    method:  any method of stage U by its name (methods.names()); "gradient" is saliency
    samples: rows of LIME, draws of SmoothGrad; None = the method's own; seed: for methods that draw
    options: the method's own, by name
    raises:  UnknownName (method, option, layer), BadInput (feature out of range), and as the method
    source:  Liang et al. 2023, section 2.3
    """
    name = "saliency" if method == "gradient" else method
    given = {"seed": seed} if "seed" in methods.options_of(name) else {}
    if samples is not None:
        given["samples"] = count("samples", samples)
    target = Feature(whole("feature", feature), layer)
    return methods.attribute(name, model, sample, [target], **given, **options)[0]


def extremes(
    store: Any,
    *,
    k: int = 3,
    exclude: Iterable[int] = (),
    pool: int | None = None,
    layer: str = "penultimate",
    resume: str | Path | None = None,
) -> Extremes:
    """Top and bottom k datapoints of every feature, in one streaming pass.

    store:   a FeatureStore, a [n, d] tensor or array, or an iterable of [c, d] chunks
    exclude: dataset indices left out (the explained points, near duplicates)
    pool:    only the first `pool` rows are considered; None = all
    layer:   a named layer of a FeatureStore in place of its penultimate features
    resume:  a file from which an interrupted pass goes on, see streaming.read
    raises:  BadFeatures (shape, NaN, bfloat16, sparse), BadInput (k, exclude, pool; fewer than k points left),
             UnknownName (layer). An index in `exclude` that does not exist is refused; of a stream that `pool` cuts
             short it is not known
    """
    ends = ExtremesSoFar(k, exclude=left_out(exclude), pool=pool)
    extremes_of(layer_of(store, layer), ends, resume=resume)
    return ends.found()


def histograms(
    store: Any, *, bins: int = 32, layer: str = "penultimate", resume: str | Path | None = None
) -> Histograms:
    """How often each feature takes which value, in one streaming pass; about half of the bins or more lie in its range.

    store, layer, resume: as for `extremes`
    raises:               BadFeatures (shape, NaN, bfloat16, sparse), BadInput (bins, no rows), UnknownName (layer)
    """
    counts = HistogramsSoFar(bins)
    stream(layer_of(store, layer), None, {"histograms": counts}, resume=resume)
    return counts.found()

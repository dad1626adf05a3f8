"""The part `stages` of a study file: how each stage of an explanation is computed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from studies.config_parts import Part


class UnimodalPart(Part):
    """U: importance of each modality's atoms."""

    method: Literal["lime", "gradient"] = "lime"
    samples: Annotated[int, Field(ge=20, le=100_000)] = 1000


class CrossmodalPart(Part):
    """C: interactions of the most important words with the other modality."""

    method: Literal["second_order"] = "second_order"
    direction: Literal["norm", "hutchinson", "l1", "grad_x_input", "sum"] = "norm"
    words: Annotated[int, Field(ge=1, le=40)] = 10


class RepresentationPart(Part):
    """R: the top features, explained on the datapoint (Rl) and by the datapoints that activate them most (Rg)."""

    features: Annotated[int, Field(ge=1, le=20)] = 5
    layer: Literal["penultimate"] = "penultimate"
    method: Literal["lime", "gradient"] = "lime"
    top: Annotated[int, Field(ge=1, le=10)] = 3
    bottom: Annotated[int, Field(ge=0, le=10)] = 0
    pool: Annotated[int, Field(ge=10)] = 5000


class PredictionPart(Part):
    """P: the sparse linear model from features to classes."""

    family: Literal["gaussian"] = "gaussian"
    fit: Literal["predictions", "labels"] = "predictions"
    rank: Literal["coefficient", "contribution"] = "coefficient"
    max_features: Annotated[int, Field(ge=1, le=500)] = 30


class StagesPart(Part):
    """How each stage is computed."""

    U: UnimodalPart = UnimodalPart()
    C: CrossmodalPart = CrossmodalPart()
    R: RepresentationPart = RepresentationPart()
    P: PredictionPart = PredictionPart()

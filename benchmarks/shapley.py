"""Claim: as many evaluations give Shapley values closer to the exact ones than shap's and captum's."""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.models.base import MultimodalModel
from analysis_core.stages import coalitions, unimodal
from analysis_core.stages.masking import Masking
from analysis_core.stages.shapley_exact import shapley_values
from analysis_core.targets import Logit, PredictedLogit, resolve
from analysis_core.types import Atoms, Encoded, Output
from benchmarks import shipped
from benchmarks.claims import Row, Scale
from benchmarks.measure import alone, interleaved, progress

#: Words and groups of superpixels: 4,096 coalitions, so that the exact values are known.
ATOMS = {"text": 6, "image": 6}
EVALUATIONS = (100, 500, 2000)
#: The time of ours is taken with these parts of the most evaluations, too.
PARTS = (4, 16)

#: f of coalitions float64 [S, 12], evaluations, seed -> estimates [12]
Way = Callable[["Lookup", int, int], Tensor]


class Grouped:
    """A model whose atoms are neighbours taken together, so that a sample has as many as ATOMS says."""

    def __init__(self, model: MultimodalModel) -> None:
        self.model, self.modalities = model, model.modalities
        self.forward, self.baseline = model.forward, model.baseline

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        """The model's own input, with larger atoms."""
        encoded = self.model.encode(sample)
        return Encoded(encoded.x, encoded.aux, {m: self._grouped(encoded, m, n) for m, n in ATOMS.items()})

    def _grouped(self, encoded: Encoded, modality: str, n: int) -> Atoms:
        atoms = encoded.atoms[modality]
        groups = leaves.leaf_groups(atoms, encoded.x[modality])
        larger = torch.where(groups >= 0, groups.clamp(min=0) * n // len(atoms), -1)
        return Atoms(tuple(f"{modality} {i}" for i in range(n)), atoms.kind, groups=larger)


class Lookup:
    """The values of all coalitions as a model of its own: all three libraries ask the same and pay nothing for it."""

    modalities = ("atoms",)

    def __init__(self, values: Tensor) -> None:
        self.values = values
        self.n = len(values).bit_length() - 1

    def __call__(self, Z: Tensor) -> Tensor:
        """[S] for [S, n]."""
        return self.values[(Z.round().long() * 2 ** torch.arange(self.n)).sum(dim=1)]

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        """Ones: every atom is there."""
        names = tuple(f"atom {i}" for i in range(self.n))
        return Encoded({"atoms": torch.ones(1, self.n, dtype=torch.float64)}, {}, {"atoms": Atoms(names, "static")})

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        """The value is the only logit and the only feature."""
        values = self(x["atoms"])[:, None]
        return Output(values, values)

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        """Zeros."""
        return {"atoms": torch.zeros_like(encoded.x["atoms"])}


def rows(scale: Scale) -> Iterator[Row]:
    """Median errors over seeds and items at three budgets, then milliseconds beside the forwards at the largest."""
    items, seeds = {"small": (1, 2), "paper": (3, 20)}[scale]
    games = [lookup(sample) for sample in shipped.scenes(items)]
    rivals = {"shap": by_shap, "captum": by_captum}
    for evaluations in EVALUATIONS:
        mine = error(ours, games, evaluations, seeds)
        for name, way in rivals.items():
            usual = error(way, games, evaluations, seeds)
            yield Row(
                f"{evaluations} evaluations, {name}", "error", usual, mine, f"relative L2; {items} x {seeds} runs"
            )
    most, repeats = EVALUATIONS[-1], {"small": 2, "paper": 7}[scale]
    for name, way in rivals.items():
        slow, fast = interleaved(
            lambda way=way: way(games[0], most, 0),  # type: ignore[misc]
            lambda: ours(games[0], most, 0),
            repeats=repeats,
            name=name,
        )
        yield Row(
            f"{most} evaluations, {name}", "ms", 1e3 * slow, 1e3 * fast, "beside the forwards, which are looked up"
        )
    yield from _growing(games[0], most, repeats)


def _growing(game: Lookup, most: int, repeats: int) -> Iterator[Row]:
    """Milliseconds of ours at parts of the evaluations above."""
    for part in (most // p for p in PARTS):
        taken = alone(partial(ours, game, part, 0), repeats=repeats, name="ours")
        note = "beside the forwards, as above; the solve takes the cube of the rows"
        yield Row(f"{part} evaluations", "ms", None, 1e3 * taken, note)


def lookup(sample: Mapping[str, Any]) -> Lookup:
    """The predicted logit of the demo's model for all 4,096 coalitions of a sample."""
    game = Masking(Grouped(shipped.scenes_model()), sample)
    target = resolve(PredictedLogit(), game.unperturbed)
    return Lookup(coalitions.evaluate(game, coalitions.every(game.n_atoms), [target])[:, 0])


def error(way: Way, games: list[Lookup], evaluations: int, seeds: int) -> float:
    """Median over games and seeds of |estimate - exact| / |exact|."""
    found = []
    with progress(f"{way.__name__} {evaluations}", len(games) * seeds) as bar:
        for game in games:
            exact = shapley_values(coalitions.every(game.n), game.values)
            for seed in range(seeds):
                found.append(float((way(game, evaluations, seed) - exact).norm() / exact.norm()))
                bar.update()
    return statistics.median(found)


def ours(game: Lookup, evaluations: int, seed: int) -> Tensor:
    """By unimodal.shap, made to sample."""
    found = unimodal.shap(game, {}, [Logit(0)], evaluations=evaluations, seed=seed, exact_up_to=0)
    return found[0].values["atoms"]


def by_shap(game: Lookup, evaluations: int, seed: int) -> Tensor:
    """By shap.KernelExplainer, which counts neither all nor none; feature selection would cost it accuracy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from shap import KernelExplainer

        np.random.seed(seed)
        explainer = KernelExplainer(lambda Z: game(torch.from_numpy(Z)).numpy(), np.zeros((1, game.n)))
        found = explainer.shap_values(np.ones((1, game.n)), nsamples=evaluations - 2, l1_reg=False, silent=True)
    return torch.from_numpy(found[0])


def by_captum(game: Lookup, evaluations: int, seed: int) -> Tensor:
    """By captum's KernelShap, all rows in one batch."""
    from captum.attr import KernelShap

    torch.manual_seed(seed)
    ones = torch.ones(1, game.n, dtype=torch.float64)
    options = {"n_samples": evaluations, "perturbations_per_eval": evaluations}
    return KernelShap(game).attribute(ones, baselines=torch.zeros_like(ones), **options)[0]

"""Rows, pairs and DIME's partners: both ways find the same, and what is counted is what is done."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from analysis_core import Logit, check_model
from analysis_core.stages.emap import emap
from analysis_core.stages.lime import lime
from analysis_core.stages.masking import Masking
from benchmarks import dime, dual_encoder, extremes, measure, perturbations, usual, whole_study
from benchmarks import emap as emap_claim
from benchmarks.emap import one_forward_per_pair
from tests.analysis_core import toys_towers


def test_dime_is_counted_beside_the_sum_that_leaves_it_out() -> None:
    # 100 rows x 2 modalities x 1 label x 100 partners; the partners among themselves once.
    counted = usual.forwards()
    assert (counted.DIME, counted.DIME_once) == (20_000, 10_000)
    assert counted.total_with_dime == counted.total + 20_000
    assert usual.forwards(modalities=3, labels=2).DIME == 60_000


def test_a_matrix_copied_and_the_closed_form_give_the_same_additive_part() -> None:
    random = torch.Generator().manual_seed(0)
    grid = torch.randn(6, 6, 3, generator=random, dtype=torch.float64)
    row, column = torch.randn(2, 5, 3, generator=random, dtype=torch.float64)
    own = torch.randn(3, generator=random, dtype=torch.float64)
    copied = dime.by_copies(grid, row, column, own)
    base = grid[:-1, :-1].sum((0, 1))
    torch.testing.assert_close(dime.by_sums(base, row.sum(0), column.sum(0), own, 5), copied, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("modalities", [["a"], ["b"], ["a", "b"]])
def test_a_forward_pass_per_row_gives_what_the_masking_engine_gives(modalities: list[str]) -> None:
    model, sample = toys_towers.Products(), toys_towers.samples(1)[0]
    Z = torch.tensor(list(itertools.product([False, True], repeat=3 * len(modalities))))
    expected = perturbations.one_forward_per_row(model, sample, Z, modalities)
    assert model.rows == len(Z)
    found = Masking(model, sample, modalities=modalities).predict_masks(Z).logits
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_pairs_are_run_one_forward_pass_each() -> None:
    model, samples = toys_towers.Products(), toys_towers.samples(4)
    one_forward_per_pair(model, samples)(9)
    assert (model.rows, model.fused) == (9, 0)


def test_rows_are_counted_whether_they_are_passed_forward_or_fused() -> None:
    class Own(toys_towers.Products):
        def tower(self, modality: str, x: torch.Tensor, aux: dict[str, torch.Tensor]) -> dict[str, Any]:
            return super().tower(modality, x, aux)

        def fuse(self, encodings: Any, aux: Any) -> Any:
            return super().fuse(encodings, aux)

        def forward(self, x: dict[str, torch.Tensor], aux: dict[str, dict[str, torch.Tensor]]) -> Any:
            # One pass: the fusion inside is not counted again.
            return self.fuse({m: self.tower(m, x[m], aux[m]) for m in self.modalities}, aux)

    model, samples = Own(), toys_towers.samples(3)
    originals = vars(Own).copy()
    with measure.forwards_of(Own) as done:
        found = emap(model, samples)
        assert done.forwards == found.quality["forwards"] == 10
        encoded = model.encode(samples[0])
        model.forward(encoded.x, encoded.aux)
    assert done.forwards == 11
    assert {name: vars(Own)[name] for name in originals} == originals


def test_rows_through_towers_are_counted_by_modality_and_the_class_is_left_as_it_was() -> None:
    class Own(toys_towers.Products):
        def tower(self, modality: str, x: torch.Tensor, aux: dict[str, torch.Tensor]) -> dict[str, Any]:
            return super().tower(modality, x, aux)

    sample, original = toys_towers.samples(1)[0], Own.tower
    with whole_study.encodings_of(Own) as counted:
        lime(Own(), sample, [Logit(0)], samples=400, design="apart")
    # All 8 states of the 3 atoms of each modality, the whole one with the sample.
    assert dict(counted) == {"a": 8, "b": 8}
    assert Own.tower is original


def test_the_dual_encoder_is_a_sound_model_with_towers() -> None:
    report = check_model(dual_encoder.DualEncoder(16), dual_encoder.inputs(1, 16)[0])
    assert report.ok, str(report)
    assert report["towers"].state == "ok"


def test_emap_at_parts_of_n_encodes_each_sample_once_and_fuses_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emap_claim, "PARTS", (1, 2, 4, 16))
    rows = list(emap_claim._growing("toy", toys_towers.Products(), toys_towers.samples(32)))
    # All 32 have their row of all pairs elsewhere; 2 samples have no 5 partners.
    ways = [(32, 5), (16, None), (16, 5), (8, None), (8, 5)]
    assert [row.name for row in rows] == [
        f"toy, n = {n}, {'all pairs' if partners is None else f'{partners} partners drawn'}" for n, partners in ways
    ]
    assert [int(row.note.split(" ")[0]) for row in rows] == [2 * n for n, _ in ways]
    fused = [int(row.note.split(", ")[1].split(" ")[0]) for row in rows]
    # And one forward pass that shows what the model gives.
    assert (fused[1], fused[3]) == (16**2 + 1, 8**2 + 1)
    # Drawn: each sample's own pair and one per partner and modality, less those that two samples share.
    assert all(n < count <= 11 * n + 1 for n, count in ((32, fused[0]), (16, fused[2]), (8, fused[4])))


def test_perturbations_and_dime_have_rows_at_a_quarter_and_a_sixteenth(monkeypatch: pytest.MonkeyPatch) -> None:
    model, samples = toys_towers.Products(), toys_towers.samples(4)
    monkeypatch.setitem(perturbations.ROWS, "small", 32)
    both = dual_encoder.DualEncoder(width=8), dual_encoder.inputs(1, width=8)[0]
    found = [row.name for row in perturbations._of("dual", *both, "small")]
    assert found[-2:] == ["dual, image and text, 8 rows", "dual, image and text, 2 rows"]
    found = [row.name for row in dime._of("toy", model, samples, 32, "small")]
    assert found[-2:] == ["toy, 8 rows", "toy, 2 rows"]


def test_extremes_are_measured_beside_a_pass_over_each_part(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def run(share: float, **options: Any) -> dict[str, Any]:
        asked.append((share, options["everything"]))
        parts = {"read": 3.0, "extremes": 1.0, "histograms": 1.0, "extremes_cpu": 1.0, "histograms_cpu": 1.0}
        return {"rows": round(443_000 * share), **parts}

    monkeypatch.setattr(extremes.sparse_at_scale, "run", run)
    monkeypatch.setitem(extremes.SHARES, "small", (1 / 256, 1 / 1024))
    rows = list(extremes.fused("small"))
    assert asked == [(1 / 256, True), (1 / 1024, True)]
    assert [row.usual is None for row in rows] == [False, True, True, True]
    assert "433 x 768" in rows[2].name

"""What `python -m benchmarks` counts, and that both ways of a claim do the same work. No time is ever asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from analysis_core.stages import homotopy, representation
from analysis_core.stages.curvature import Curvature
from analysis_core.stages.surrogate import RIDGE
from analysis_core.targets import Logit
from analysis_core.types import Output
from analysis_core.visualizations import heatmap as drawn
from benchmarks import extremes, heatmap, measure, second_order, sparse, table, usual
from benchmarks.__main__ import parser
from benchmarks.claims import CLAIMS, Row
from benchmarks.feature_matrices import correlated, one_against_rest
from tests.analysis_core import toys

ROOT = Path(__file__).resolve().parents[2]
NLVR = ROOT / "../shared/data/nlvr"


def test_the_usual_forwards_are_counted_as_speed_md_fixes_them() -> None:
    # 100 rows x 2 modalities x 1 label for U, as many for the label's features together (x 5 were each given its own);
    # Rg: 5 features x 3 examples x 2 modalities x 100 rows.
    counted = usual.forwards()
    assert (counted.U, counted.Rl, counted.Rl_per_feature, counted.Rg) == (200, 200, 1000, 3000)
    assert counted.total == 200 + 200 + counted.C + 3000


def test_the_usual_forwards_grow_with_labels_and_modalities() -> None:
    counted = usual.forwards(modalities=3, labels=4)
    assert (counted.U, counted.Rl, counted.Rl_per_feature, counted.Rg) == (1200, 1200, 6000, 18000)


def test_the_usual_lime_does_one_forward_per_row_and_is_a_lime() -> None:
    # A linear model's coefficients are the sums over each atom's components: p = 2 ones times the sample's.
    model, sample, sizes = toys.linear(torch.ones(3, 2), torch.ones(4, 5)), toys.sample(), []
    forward = model.forward

    def watched(x: dict[str, torch.Tensor], aux: Any) -> Output:
        sizes.append(len(x["a"]))
        return forward(x, aux)

    model.forward = watched  # type: ignore[method-assign]
    found = usual.lime(model, sample, Logit(0), "a")
    assert sizes == [1] * 100
    torch.testing.assert_close(found, sample["a"][0].sum(1), rtol=20 * RIDGE, atol=20 * RIDGE)


def test_forwards_are_counted_by_rows_and_the_class_is_left_as_it_was() -> None:
    class Own(toys.Toy):
        pass

    model, sample, original = Own(lambda a, b: a.sum((1, 2))[:, None]), toys.sample(), Own.forward
    with measure.forwards_of(Own) as done:
        for rows in (1, 7):
            model.forward({m: t.expand(rows, *t.shape[1:]) for m, t in sample.items()}, {})
    assert done.forwards == 8
    assert Own.forward is original


def test_both_ways_are_run_in_turn_after_one_unmeasured_run() -> None:
    calls: list[str] = []
    measure.interleaved(lambda: calls.append("usual"), lambda: calls.append("ours"), repeats=2, name="")
    assert calls == ["ours", "usual", "ours", "usual", "ours"]


def test_one_backward_per_word_and_the_batched_one_agree() -> None:
    model, sample = toys.bilinear(toys.random(6, 20)), toys.sample()
    curvature = Curvature(model, model.encode(sample), Logit(0), source="a", to="b")
    wanted = second_order.directions(curvature)
    assert wanted.shape == (3, 3, 2)
    # Each direction is a unit vector on its own word, zero elsewhere.
    assert torch.allclose(wanted.flatten(2).norm(dim=2), torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(
        second_order.per_word(curvature, wanted), second_order.at_once(curvature, wanted), rtol=1e-12, atol=1e-12
    )
    assert curvature.engine == "double_backward"


def test_the_loop_over_pixels_paints_what_the_overlay_shows() -> None:
    weights = np.random.default_rng(3).random((12, 9))
    loop = Image.open(BytesIO(heatmap.pixel_by_pixel(weights)), formats=("PNG",))
    ours = Image.open(BytesIO(drawn.overlay(weights)), formats=("PNG",)).convert("RGBA")
    assert np.array_equal(np.asarray(loop), np.asarray(ours))


def test_the_grid_ends_at_the_coefficients_of_the_exact_path() -> None:
    features, classes = correlated("small")
    data, k = sparse.moments(features, classes), int(np.bincount(classes).argmax())
    path = homotopy.solve(data.gram, data.cross[:, k], data.usable, l2=0.0, most=10)
    standardised = np.asfortranarray((features - data.mean) / data.scale)
    y = one_against_rest(classes, k)
    coefficients = sparse.on_a_grid(standardised, y, data.gram, data.cross[:, k], path.knots)
    exact = np.zeros(len(coefficients))
    exact[path.support] = path.coefficients[-1]
    # sklearn stops at a duality gap of 1e-4 |y|^2, which leaves a per cent or so of the largest coefficient.
    assert np.abs(coefficients[:, -1] - exact).max() <= 0.05 * np.abs(exact).max()


def test_sorting_and_streaming_find_the_same_datapoints() -> None:
    matrix = np.random.default_rng(5).normal(size=(200, 7)).astype(np.float32)
    top, bottom = extremes.by_sorting(matrix)
    ours = representation.extremes(matrix, k=extremes.KEPT)
    assert np.array_equal(top, ours.top.numpy())
    assert np.array_equal(bottom, ours.bottom.numpy())


def test_ratios_are_told_only_where_both_ways_were_measured() -> None:
    assert Row("a", "s", 6.0, 2.0).ratio == 3.0
    assert Row("a", "s", None, 2.0).ratio is None
    assert Row("a", "s", None, None).ratio is None
    assert [table.number(value) for value in (None, 0.0123, 3.0, 3.14159, 1234.5)] == [
        "-",
        "0.0123",
        "3",
        "3.14",
        "1,234",
    ]


def test_the_help_explains_every_claim() -> None:
    text = " ".join(parser().format_help().split())
    assert not [claim for claim, sentence in CLAIMS.items() if f"{claim} {sentence}" not in text]


def test_the_documentation_explains_every_claim() -> None:
    lines = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8").splitlines()
    assert not [claim for claim in CLAIMS if not any(line.startswith(f"**{claim}**") for line in lines)]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """Everything at the smallest scale, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--scale", "small", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_every_claim_runs_at_the_smallest_scale(report: dict[str, Any]) -> None:
    assert list(report["claims"]) == list(CLAIMS)
    rows = [row for found in report["claims"].values() for row in found]
    left_out = [row for row in rows if row["ours"] is None]
    assert all(row["note"].startswith("left out") for row in left_out)
    assert bool(left_out) is not NLVR.is_dir()
    assert all(row["ours"] > 0 for row in rows if row["ours"] is not None)
    assert report["machine"]["threads"] == 1
    assert report["machine"]["processor"]


@pytest.mark.slow
def test_the_demo_study_does_as_many_forwards_as_are_claimed(report: dict[str, Any]) -> None:
    rows = [row for row in report["claims"]["study"] if row["unit"] == "forwards"]
    ours = {row["name"]: row["ours"] for row in rows}
    usual_ways = [row["usual"] for row in rows if row["name"].startswith("U and Rl, per item")]
    # (60 + 30) scenes x 8 questions; one forward chooses the words of C and one opens its curvature.
    assert ours["predictions, both splits"] == 720
    assert ours["C, per item"] == 2
    assert usual_ways == [400, 1200]
    # The study file's 200 rows of LIME, the whole sample among them: 100 of the picture, which all differ, and 99 of
    # the words, of which short questions have fewer (4 words: 15 states beside the whole).
    assert 101 + 15 <= ours["U and Rl, per item"] <= 200
    # Rg: 3 examples per feature, 5 to 10 features for the 2 items; an example of two features is perturbed once.
    assert 3 * 116 / 2 <= ours["Rg, per item"] <= 10 * 3 * 200 / 2
    # What the artefacts say adds up to what the model was seen to do.
    stages = ("U and Rl, per item", "C, per item", "Rg, per item")
    assert ours["all explanations, per item"] == pytest.approx(sum(ours[stage] for stage in stages))
    # 101 of each set's rows have a picture of their own.
    sets = (ours["all explanations, per item, pictures"] - 2) / 101
    assert sets * 116 <= ours["U and Rl, per item"] + ours["Rg, per item"] <= sets * 200


@pytest.mark.slow
def test_a_study_of_fewer_items_computes_all_its_explanations_anew(report: dict[str, Any]) -> None:
    (row,) = [row for row in report["claims"]["study"] if row["name"] == "all explanations, per item, 1 item, CPU"]
    assert row["usual"] is None
    assert "5 features of Rg" in row["note"]
    # U and Rl from one set of rows, C's two forwards, and a set for each of Rg's examples, which features may share.
    assert 2 + 4 * 116 <= int(row["note"].split(" ")[-4].replace(",", "")) <= 2 + 16 * 200


@pytest.mark.slow
def test_one_set_of_perturbations_serves_six_targets(report: dict[str, Any]) -> None:
    counted = report["claims"]["targets"][0]
    assert (counted["usual"], counted["ours"], counted["ratio"]) == (1200, 200, 6)

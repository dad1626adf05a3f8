"""Training of cnn_lstm_sa in miniature: the phases run, resume and record; their targets are right."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from analysis_core import models
from analysis_core.training import cnn_lstm_sa, kept_phase
from analysis_core.training.cnn_lstm_sa_data import GRID, batches, cell_owner
from analysis_core.training.cnn_lstm_sa_evaluation import proportion

TINY = cnn_lstm_sa.Plan(
    pictures=8, scenes=6, questions_per_scene=10, steps=2, held_out_scenes=3, held_out_questions_per_scene=4
)


def test_a_run_writes_a_checkpoint_that_loads_with_its_record(tmp_path):
    torch.set_num_threads(1)
    record = cnn_lstm_sa.train(TINY, tmp_path / "out", tmp_path / "work")
    described = models.describe("cnn_lstm_sa", checkpoint=tmp_path / "out")
    assert described.record == record
    assert record["held_out"]["overall"]["n"] == 12
    assert models.load("cnn_lstm_sa", checkpoint=tmp_path / "out").labels == described.labels


def test_an_interrupted_run_takes_up_its_backbone_and_ends_with_the_same_weights(tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    cnn_lstm_sa.train(TINY, tmp_path / "at_once", tmp_path / "elsewhere")
    with monkeypatch.context() as patched:
        patched.setattr(cnn_lstm_sa, "gather", interrupted)
        patched.setattr(kept_phase, "perf_counter", iter([100.0, 207.5]).__next__)
        with pytest.raises(KeyboardInterrupt):
            cnn_lstm_sa.train(TINY, tmp_path / "out", tmp_path / "work")
    monkeypatch.setattr(cnn_lstm_sa, "train_backbone", lambda *a, **o: pytest.fail("the backbone is there"))
    record = cnn_lstm_sa.train(TINY, tmp_path / "out", tmp_path / "work")
    assert record["seconds"]["perception"] == 107.5
    resumed, at_once = (models.describe("cnn_lstm_sa", checkpoint=tmp_path / name) for name in ("out", "at_once"))
    assert resumed.sha256 == at_once.sha256
    assert resumed.record["perception_loss"] == at_once.record["perception_loss"]


def test_a_cell_shows_the_object_that_covers_a_quarter_of_it():
    owner = np.full((96, 96), -1, np.int8)
    owner[8:16, 16:24] = 0  # exactly the cell in row 1, column 2
    owner[8:16, 24:26] = 1  # 16 of the 64 pixels of the cell to its right: a quarter
    owner[40:43, 40:43] = 2  # 9 of 64 pixels, but all that is to be seen of object 2
    shown = cell_owner(owner).reshape(GRID, GRID)
    assert (shown[1, 2], shown[1, 3], shown[5, 5]) == (0, 1, 2)
    assert (shown >= 0).sum() == 3


def test_blurred_parts_own_nothing():
    for cells in batches(0, "test", 40, 20, blur=1.0):
        assert cells.blur.any((1, 2)).all()
        whole = cells.blur.all((1, 2))
        assert (cells.owner[whole] == -1).all()


@pytest.mark.parametrize(("right", "n"), [(95, 100), (0, 7), (12, 12)])
def test_intervals_are_wilsons(right, n):
    stated = proportion(np.arange(n) < right)
    expected = binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert stated["interval"] == pytest.approx([expected.low, expected.high], abs=1e-4)

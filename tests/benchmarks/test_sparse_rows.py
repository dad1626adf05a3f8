"""Both ways of the claims about sparse paths do the same work, and the data at VQA's size are what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import lars_path_gram

from analysis_core.stages import homotopy, prediction
from benchmarks import sparse, sparse_at_scale
from benchmarks.feature_matrices import as_large_as_vqa, correlated, one_against_rest


def test_a_stand_in_for_the_features_gives_the_grid_that_the_features_give() -> None:
    features, classes = correlated("small")
    data, k = sparse.moments(features, classes), int(np.bincount(classes).argmax())
    path = homotopy.solve(data.gram, data.cross[:, k], data.usable, l2=0.0, most=10)
    z = np.asfortranarray((features - data.mean) / data.scale)
    whole = sparse.on_a_grid(z, one_against_rest(classes, k), data.gram, data.cross[:, k], path.knots)
    y = np.sqrt(data.target_variance[k]) * np.array([1.0, -1.0])
    stand_in = sparse.on_a_grid(np.zeros((2, 512), order="F"), y, data.gram, data.cross[:, k], path.knots)
    np.testing.assert_allclose(stand_in, whole, atol=1e-9)


def test_least_angles_end_where_our_path_ends() -> None:
    features, classes = correlated("small")
    data, k = sparse.moments(features, classes), int(np.bincount(classes).argmax())
    path = homotopy.solve(data.gram, data.cross[:, k], data.usable, l2=0.0, most=10)
    n = data.n
    _, _, theirs = lars_path_gram(
        data.cross[:, k] * n, data.gram * n, n_samples=n, alpha_min=path.knots[-1], method="lasso"
    )
    ours = np.zeros(512)
    ours[path.support] = path.coefficients[-1]
    np.testing.assert_allclose(theirs[:, -1], ours, atol=1e-9)


def test_the_data_at_vqas_size_come_in_chunks_and_repeat() -> None:
    parts = list(as_large_as_vqa(1 / 100, classes=50))
    assert [len(x) for x, _ in parts] == [2730, 1700]
    assert all(x.shape[1] == 768 and x.dtype == np.float32 for x, _ in parts)
    again = list(as_large_as_vqa(1 / 100, classes=50))
    np.testing.assert_array_equal(parts[1][0], again[1][0])
    counts = np.bincount(np.concatenate([y for _, y in parts]), minlength=50)
    # In proportion to 1 / (k + 10): the first about 5.9 times as often as the last.
    assert counts[0] > 3 * counts[-1]


def test_classes_are_learnable_from_few_features() -> None:
    *fitted, held_out = as_large_as_vqa(1 / 50, classes=20)
    found = prediction.curve(prediction.sparse_path(fitted), [held_out], sizes=[0, 30])
    # Naming the most frequent class is right in 1 of 11.
    assert float(found.accuracy[0]) < 0.15
    assert float(found.accuracy[1]) > 0.5


@pytest.mark.slow
def test_a_run_in_a_process_of_its_own_tells_memory_and_optimality() -> None:
    found = sparse_at_scale.run(1 / 512, classes=60, everything=True)
    assert found["rows"] == 865
    assert found["kkt"] <= 1e-9
    assert 0 < found["extremes"] < found["read"]
    assert found["peak_mib"] is None or 50 < found["peak_mib"] < 1024


def test_the_multinomial_row_compares_objectives_at_one_level() -> None:
    row, *parts = sparse.multinomial("small")
    assert row.unit == "s CPU"
    assert "above ours" in row.note
    # saga started at 0 and has not got below the minimum.
    assert not row.note.split("objective ")[1].startswith("-")
    # Ours at a quarter and a sixteenth of its 200 datapoints.
    assert [part.name.split(", ")[1] for part in parts] == ["50 x 20", "12 x 20"]
    assert all(part.usual is None and part.unit == "s CPU" for part in parts)

"""What a pass over features cannot work on is refused by name, and what it can comes out as an oracle has it."""

import os

import numpy as np
import pytest
import torch
from scipy import sparse

from analysis_core.errors import BadData, BadFeatures, BadInput, UnknownName
from analysis_core.stages import gram, streaming
from analysis_core.stages.extremes import ExtremesSoFar
from analysis_core.stages.prediction import sparse_path


def data(n=300, d=6, seed=0):
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(n, d)) @ (np.eye(d) + 0.3 * rng.normal(size=(d, d)))).astype(np.float32)
    return x, rng.integers(0, 4, size=n)


@pytest.mark.parametrize("scale", [1e154, 1e-200])
def test_columns_whose_squares_leave_float64_are_refused_by_name(scale):
    x, y = data()
    x = x.astype(np.float64)
    x[:, 2] *= scale
    with pytest.raises(BadFeatures, match=r"feature 2 lies between .* too (small|large) to be squared: scale it"):
        streaming.read(x, y)
    one = np.eye(4)[y]
    one[:, 1] *= scale
    with pytest.raises(BadFeatures, match="target 1 lies between"):
        streaming.read(data()[0], one)


@pytest.mark.parametrize("scale", [1e-120, 1e120])
def test_columns_just_inside_give_the_path_of_any_other_scale(scale):
    x, y = data()
    plain = streaming.read(x.astype(np.float64), y).moments
    scaled = streaming.read(x.astype(np.float64) * scale, y).moments
    np.testing.assert_allclose(scaled.gram, plain.gram, rtol=0, atol=1e-13)
    assert len(sparse_path(scaled).knots[0]) == len(sparse_path(plain).knots[0])


def test_tiny_values_beside_large_ones_and_constant_columns_are_no_error():
    x, y = data()
    x = x.astype(np.float64)
    x[:100, 1] = 1e-250
    x[:, 3] = 1e-250
    x[:, 4] = 0.0
    moments = streaming.read([(x[i : i + 50], y[i : i + 50]) for i in range(0, 300, 50)]).moments
    assert moments.usable.tolist() == [True, True, True, False, False, True]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (torch.zeros(4, 2, dtype=torch.bfloat16), "float"),
        (torch.zeros(4, 2).to_sparse(), "dense"),
        (torch.zeros(4, 2, dtype=torch.complex64), "real numbers"),
        (torch.zeros(4, 2, device="meta"), "no numbers"),
        (sparse.csr_matrix(np.eye(4)), "toarray"),
        (sparse.coo_array(np.eye(4)), "toarray"),
        (np.ma.masked_less(np.arange(8.0).reshape(4, 2), 3), "filled"),
        (np.array([["a", "b"]] * 4), "real numbers"),
        ([[[1.0, 2.0], [1.0]]], "matrix of numbers"),
    ],
)
def test_what_numpy_cannot_hold_is_refused(features, message):
    for source in (features, iter([features])) if not isinstance(features, list) else (features,):
        with pytest.raises(BadFeatures, match=message):
            streaming.read(source, moments=False, extremes=1)


def test_tensors_are_cut_before_they_are_converted():
    x, y = data()
    one, two = streaming.read(torch.from_numpy(x), torch.from_numpy(y)), streaming.read(x, y)
    np.testing.assert_array_equal(one.moments.gram, two.moments.gram)
    learned = torch.from_numpy(x).requires_grad_()
    np.testing.assert_array_equal(streaming.read(learned, y).moments.gram, two.moments.gram)


def test_large_numbers_are_finite_and_what_is_not_is_found():
    # Their squares are not: only then is every entry looked at.
    x = np.full((3, 2), 3e38, dtype=np.float32)
    x[1] = -x[1]
    assert streaming.read(x, moments=False, extremes=1).extremes.top.tolist() == [[0], [0]]
    for wrong in (np.nan, np.inf, -np.inf):
        x[2, 1] = wrong
        for some in (x, np.asfortranarray(x), x.astype(np.float64)):
            with pytest.raises(BadFeatures, match="row 2, column 1"):
                streaming.read(some, moments=False, extremes=1)


@pytest.mark.parametrize("family", ["gaussian", "multinomial"])
def test_targets_of_wrong_shapes_are_refused(family):
    x, _ = data()
    for targets in (np.zeros((300, 0)), np.zeros((300, 2, 2)), np.float64(1)):
        with pytest.raises(BadFeatures, match="targets"):
            sparse_path(x, targets, family=family)
    with pytest.raises(BadFeatures, match="no targets"):
        sparse_path([(x, np.float64(3))], family=family)


def test_counts_that_are_no_whole_numbers_are_refused():
    x, _ = data()
    for options in (
        {"extremes": 2.5},
        {"extremes": -1},
        {"histograms": 8.5},
        {"histograms": 1},
        {"extremes": 1, "pool": 7.5},
        {"extremes": 1, "exclude": [3.5]},
    ):
        with pytest.raises(BadInput, match="whole number"):
            streaming.read(x, moments=False, **options)
    assert streaming.read(x, moments=False, extremes=np.int64(2)).extremes.top.shape == (6, 2)


def test_a_place_where_no_state_can_lie_is_refused_before_the_pass(tmp_path):
    def never():
        raise AssertionError("read")
        yield

    (tmp_path / "file").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "missing" / "state", tmp_path / "file" / "state", tmp_path / "pipe", "", 3):
        with pytest.raises(BadInput, match="resume must be"):
            streaming.read(never(), moments=False, extremes=1, resume=place)


@pytest.mark.parametrize("kind", ["empty", "npy", "npz", "options", "arrays"])
def test_a_file_that_is_no_state_is_refused(tmp_path, monkeypatch, kind):
    x, y = data()
    path = tmp_path / "state.npz"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "npy":
        with path.open("wb") as file:
            np.save(file, x)
    elif kind == "npz":
        np.savez(path, x=x)
    else:
        options = b"[3]" if kind == "options" else b'{"moments": {"precision": "float64"}}'
        text = b'{"options": ' + options + b', "begin": 0, "done": 50, "digest": ""}'
        np.savez(path, json=np.frombuffer(text, dtype=np.uint8))
    before = path.read_bytes()
    with pytest.raises(BadData, match="delete the file or name another one"):
        streaming.read(x, y, resume=path)
    assert path.read_bytes() == before


def test_products_in_float32_are_near_those_in_float64(monkeypatch):
    x, y = data(n=3000, d=200)
    x += 100 * np.arange(200, dtype=np.float32) % 7
    x[:, 150] = x[:, 3]
    x[:, 151] = 5
    exact, fast = streaming.read(x, y).moments, streaming.read(x, y, precision="float32").moments
    np.testing.assert_allclose(fast.gram, exact.gram, rtol=0, atol=2e-7)
    # All but products of different features are float64 sums.
    for name in ("cross", "mean", "scale", "target_mean", "target_variance", "usable"):
        np.testing.assert_allclose(getattr(fast, name), getattr(exact, name), rtol=1e-12, atol=1e-15)
    assert exact.usable.sum() == 198
    monkeypatch.setattr(gram, "_CENTRED", 8 * 200 * 7)
    monkeypatch.setattr(gram, "_PRODUCT", 4 * 200 * 31)
    np.testing.assert_allclose(streaming.read(x, y).moments.gram, exact.gram, rtol=0, atol=1e-14)
    pieces = streaming.read(x, y, precision="float32").moments
    np.testing.assert_allclose(pieces.gram, exact.gram, rtol=0, atol=2e-7)
    real = streaming.read(x, np.eye(4)[y], precision="float32").moments
    np.testing.assert_allclose(real.cross, exact.cross, rtol=0, atol=1e-12)


def test_features_that_float32_cannot_square_and_unknown_precisions_are_refused():
    x, y = data()
    with pytest.raises(UnknownName, match="float64"):
        streaming.read(x, y, precision="float23")
    for scale in (1e20, 1e-20):
        with pytest.raises(BadFeatures, match=r"standard deviation .* of feature 0"):
            streaming.read(x * np.float32(scale), y, precision="float32")
        assert streaming.read(x * np.float32(scale), y).moments.usable.all()


def test_the_state_of_another_precision_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "SAVE_EVERY", 0.0)
    x, y = data()
    parts = [(x[i : i + 50], y[i : i + 50]) for i in range(0, 300, 50)]

    def interrupted():
        yield from parts[:3]
        raise KeyboardInterrupt

    options = {"resume": tmp_path / "state", "precision": "float32"}
    whole = streaming.read(parts, **options).moments
    with pytest.raises(KeyboardInterrupt):
        streaming.read(interrupted(), **options)
    with pytest.raises(BadData, match="another moments"):
        streaming.read(parts, resume=tmp_path / "state")
    again = streaming.read(parts, **options).moments
    for name in ("gram", "cross", "scale"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))


def test_extremes_equal_a_stable_sort_however_rows_come():
    for seed in range(120):
        rng = np.random.default_rng(seed)
        n, d, k = int(rng.integers(12, 700)), int(rng.integers(1, 9)), int(rng.integers(1, 12))
        x = rng.integers(-3, 4, size=(n, d)).astype(rng.choice(["f2", "f4", "f8", "i8"]))
        if seed % 3 == 0:
            x = np.maximum(x, 0)
        elif seed % 3 == 1:
            x = rng.normal(size=(n, d)).astype(np.float32)
        if seed % 7 == 0:
            x = np.sort(x, axis=0)[:: 1 if seed % 2 else -1]
        ends, row = ExtremesSoFar(k), 0
        while row < n:
            count = int(rng.integers(1, 400))
            ends.add(row, x[row : row + count])
            row += count
        found, values = ends.found(), x.astype(np.float64)
        np.testing.assert_array_equal(found.top, np.argsort(-values, axis=0, kind="stable")[:k].T, str(seed))
        np.testing.assert_array_equal(found.bottom, np.argsort(values, axis=0, kind="stable")[:k].T, str(seed))
        np.testing.assert_array_equal(found.bottom_values, np.sort(values, axis=0)[:k].T)

"""What people hand over to stages R and P: what cannot be worked on is told in one sentence, with a way on."""

import numpy as np
import pytest
import torch
from scipy import sparse

from analysis_core.errors import BadFeatures, BadInput
from analysis_core.stages import prediction, representation
from analysis_core.stages.gram import Moments
from analysis_core.stages.streaming import read
from tests.analysis_core import toys

X = np.random.default_rng(0).normal(size=(60, 5))
Y = np.arange(60) % 3
PATH, TREE = prediction.sparse_path(X, Y), prediction.tree(X, Y)

#: Everything that reads a matrix of several rows.
READERS = {
    "extremes": lambda x: representation.extremes(x),
    "histograms": lambda x: representation.histograms(x),
    "distinct": lambda x: representation.distinct(x, lambda row: [row]),
    "gaussian": lambda x: prediction.sparse_path(x, Y),
    "multinomial": lambda x: prediction.sparse_path(x, Y, family="multinomial"),
    "curve": lambda x: prediction.curve(PATH, x, Y),
    "tree": lambda x: prediction.tree(x, Y),
    "score": lambda x: TREE.score(x, Y),
    "leaves": lambda x: TREE.leaves(x),
    "questions": lambda x: TREE.path(x),
    "contributions": lambda x: PATH.contributions(x),
    "values": lambda x: PATH.predict(x),
}
CHUNKED = ("extremes", "histograms", "distinct", "gaussian", "multinomial", "curve", "tree", "score")
CONVERTED = {
    "bfloat16": (torch.tensor(X).bfloat16(), r"no torch\.bfloat16: give the tensor's \.float\(\)"),
    "float8": (torch.tensor(X).to(torch.float8_e4m3fn), r"give the tensor's \.float\(\)"),
    "coo": (torch.tensor(X).to_sparse(), r"by \.to_dense\(\)"),
    "scipy": (sparse.csr_matrix(X), r"by \.toarray\(\)"),
    "masked": (np.ma.masked_array(X, mask=X > 1), r"by \.filled\(value\)"),
    "meta": (torch.zeros(60, 5, device="meta"), "holds no numbers"),
}


@pytest.mark.parametrize("kind", CONVERTED)
@pytest.mark.parametrize("reader", READERS)
def test_matrices_that_numpy_cannot_hold_are_refused_with_the_call_that_converts_them(reader, kind):
    given, told = CONVERTED[kind]
    with pytest.raises(BadFeatures, match=told):
        READERS[reader](given)


@pytest.mark.parametrize("reader", CHUNKED)
def test_chunks_are_looked_at_one_by_one(reader):
    chunks = [(X[:30], Y[:30]), (torch.tensor(X[30:]).bfloat16(), Y[30:])]
    work = {
        **READERS,
        "gaussian": lambda x: prediction.sparse_path(x),
        "multinomial": lambda x: prediction.sparse_path(x, family="multinomial"),
        "curve": lambda x: prediction.curve(PATH, x),
        "tree": lambda x: prediction.tree(x),
        "score": lambda x: TREE.score(x),
    }
    with pytest.raises(BadFeatures, match="bfloat16"):
        work[reader](chunks)
    work[reader]([(X[:30], Y[:30]), (torch.tensor(X[30:]), Y[30:])])


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "given",
    [
        np.where(np.arange(300).reshape(60, 5) == 7, np.nan, X),
        np.where(np.arange(300).reshape(60, 5) == 7, -np.inf, X),
        X + 0j,
        X.astype(str),
        "features.npy",
        {"features": X},
        None,
        3,
        np.zeros((60, 0)),
        X[None],
        [[1.0, 2.0], [3.0]],
    ],
    ids=["nan", "inf", "complex", "texts", "a name", "a mapping", "none", "a number", "no columns", "3d", "ragged"],
)
def test_what_is_no_finite_matrix_is_refused(reader, given):
    with pytest.raises(BadFeatures):
        READERS[reader](given)


@pytest.mark.parametrize("reader", ["curve", "score", "leaves", "contributions", "values"])
def test_another_width_is_refused_with_the_one_that_is_wanted(reader):
    with pytest.raises(BadFeatures, match="5"):
        READERS[reader](X[:, :2])


@pytest.mark.parametrize("reader", CHUNKED)
def test_no_rows_are_refused(reader):
    # Sixty targets belong to no row of these, too.
    with pytest.raises((BadFeatures, BadInput)):
        READERS[reader](np.zeros((0, 5)))


@pytest.mark.parametrize(
    "targets",
    [np.zeros((60, 0)), np.zeros((60, 2, 2)), np.full((60, 3), np.nan), -Y - 1, Y + 0.5, Y[:5], ["a"] * 60,
     np.float64(1), torch.zeros(60, 3).bfloat16(), sparse.csr_matrix(np.eye(3)[Y])],
    ids=["no columns", "3d", "nan", "negative", "fractions", "too few", "texts", "a number", "bfloat16", "sparse"],
)  # fmt: skip
@pytest.mark.parametrize(
    "fit",
    [
        lambda y: prediction.sparse_path(X, y),
        lambda y: prediction.sparse_path(X, y, family="multinomial"),
        lambda y: prediction.curve(PATH, X, y),
        lambda y: prediction.tree(X, y),
        lambda y: TREE.score(X, y),
    ],
    ids=["gaussian", "multinomial", "curve", "tree", "score"],
)
def test_targets_that_are_no_classes_and_no_numbers_are_refused(fit, targets):
    with pytest.raises(BadFeatures):
        fit(targets)


def test_one_column_of_targets_names_no_class():
    for fit in (prediction.tree, lambda x, y: prediction.curve(PATH, x, y), lambda x, y: TREE.score(x, y)):
        with pytest.raises(BadFeatures, match="at least 2 classes"):
            fit(X, np.zeros((60, 1)))


#: No whole number from the least on: fractions, truth values, texts, NaN.
NO_COUNTS = [1.5, 2.0, np.nan, np.inf, True, "3", [1], -1]


@pytest.mark.parametrize("value", NO_COUNTS, ids=repr)
@pytest.mark.parametrize(
    "ask",
    [
        lambda v: representation.extremes(X, k=v),
        lambda v: representation.extremes(X, pool=v),
        lambda v: representation.extremes(X, exclude=[v]),
        lambda v: representation.distinct(X, lambda row: [row], k=v),
        lambda v: representation.distinct(X, lambda row: [row], pool=v),
        lambda v: representation.distinct(X, lambda row: [row], exclude=[v]),
        lambda v: representation.distinct(X, lambda row: [row], features=[v]),
        lambda v: representation.histograms(X, bins=v),
        lambda v: representation.local(toys.additive(), toys.sample(), v),
        lambda v: representation.local(toys.additive(), toys.sample(), 0, method="lime", samples=v),
        lambda v: prediction.sparse_path(X, Y, max_features=v),
        lambda v: prediction.curve(PATH, X, Y, sizes=[v]),
        lambda v: prediction.tree(X, Y, depth=v),
        lambda v: prediction.tree(X, Y, smallest_leaf=v),
        lambda v: prediction.tree(X, Y, seed=v),
        lambda v: PATH.top(v),
        lambda v: PATH.top(0, v),
        lambda v: PATH.sizes(v),
        lambda v: PATH.weights(v),
        lambda v: PATH.at_most(v),
    ],
)
def test_what_is_no_count_or_index_is_refused(ask, value):
    with pytest.raises(BadInput):
        ask(value)


@pytest.mark.parametrize("value", [3, None, "17", torch.tensor(2)], ids=repr)
def test_what_is_no_list_of_indices_is_refused(value):
    with pytest.raises(BadInput, match="exclude"):
        representation.extremes(X, exclude=value)
    if value is not None:
        with pytest.raises(BadInput, match="features"):
            representation.distinct(X, lambda row: [row], features=value)
        with pytest.raises(BadInput, match="size"):
            prediction.curve(PATH, X, Y, sizes=value)


def test_whole_numbers_of_other_libraries_count():
    for two in (np.int64(2), torch.tensor(2)):
        assert representation.extremes(X, k=two).top.shape == (5, 2)
        assert len(PATH.top(two, two).indices) <= 2
        assert prediction.curve(PATH, X, Y, sizes=[two]).sizes.tolist() == [2]


@pytest.mark.parametrize("tolerance", [-0.1, 1, 1.5, np.nan, np.inf, None, "0.1", True])
def test_a_tolerance_that_is_no_share_is_refused(tolerance):
    curve = prediction.curve(PATH, X, Y)
    for ask in (curve.sparsest, PATH.select, lambda t: PATH.select(t, curve=curve)):
        with pytest.raises(BadInput, match="tolerance"):
            ask(tolerance)


@pytest.mark.parametrize("l2", [-1, np.nan, np.inf, "0.1", None, True])
def test_a_ridge_share_that_is_no_number_from_0_on_is_refused(l2):
    with pytest.raises(BadInput, match="l2"):
        prediction.sparse_path(X, Y, l2=l2)


def test_a_curve_of_another_path_is_refused():
    other = prediction.sparse_path(X, Y % 2)
    for curve in (prediction.curve(other, X, Y % 2), 3, X):
        with pytest.raises(BadInput, match="this path of 3 targets"):
            PATH.select(curve=curve)


def test_moments_bring_their_targets_themselves(tmp_path):
    moments = read(X, Y).moments
    assert isinstance(moments, Moments)
    for more in ({"targets": Y}, {"resume": tmp_path / "pass"}):
        with pytest.raises(BadInput, match="moments hold the targets"):
            prediction.sparse_path(moments, **more)


@pytest.mark.parametrize("family", prediction.FAMILIES)
def test_features_none_of_which_varies_are_told(family):
    with pytest.warns(RuntimeWarning, match="none of the 3 features varies"):
        path = prediction.sparse_path(np.ones((60, 3)), Y, family=family)
    assert path.notes == ("none of the 3 features varies: every model is its intercept alone",)
    assert not any(path.weights(k).any() for k in range(3))


@pytest.mark.parametrize("family", prediction.FAMILIES)
@pytest.mark.parametrize("rows", [X.tolist(), [X[:30], X[30:]], list(X)], ids=["lists", "chunks", "rows"])
def test_rows_in_a_list_beside_targets_are_refused_with_the_call_that_makes_a_matrix(rows, family):
    with pytest.raises(
        BadFeatures, match=r"give numpy\.asarray\(rows\), or give chunks of \(features, targets\) alone"
    ):
        prediction.sparse_path(rows, Y, family=family)


@pytest.mark.parametrize(
    "ask",
    [
        lambda x, **o: representation.extremes(x, **o),
        lambda x, **o: representation.distinct(x, lambda row: [X[row].sum()], **o),
        lambda x, **o: read(x, moments=False, extremes=3, **o),
    ],
    ids=["extremes", "distinct", "read"],
)
def test_an_excluded_datapoint_that_is_not_there_is_refused(ask):
    chunks = [X[:30], X[30:]]
    for source in (X, torch.tensor(X), chunks):
        for pool in (None, 20, 90):
            if source is chunks and pool == 20:
                continue
            with pytest.raises(BadInput, match="exclude names datapoint 60, but there are only 60, counted from 0"):
                ask(source, exclude=[3, 60], pool=pool)
        # Outside the pool, but there.
        ask(source, exclude=[3, 59], pool=20)


def test_a_stream_that_a_pool_cuts_short_may_be_longer():
    assert representation.extremes(iter([X[:30], X[30:]]), exclude=[3, 70], pool=20).top.shape == (5, 3)


def test_a_typo_costs_no_pass_where_the_length_is_known_and_a_resumed_one_counts_all_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("analysis_core.stages.streaming.SAVE_EVERY", 0.0)

    def interrupted():
        yield from (X[:30], X[30:50])
        raise KeyboardInterrupt

    options = {"exclude": [59], "resume": tmp_path / "state"}
    with pytest.raises(KeyboardInterrupt):
        representation.extremes(interrupted(), **options)
    found = representation.extremes([X[:30], X[30:50], X[50:]], **options)
    assert torch.equal(found.top, representation.extremes(X, exclude=[59]).top)
    monkeypatch.setattr("analysis_core.stages.streaming.stream", None)
    with pytest.raises(BadInput, match="exclude"):
        representation.extremes(X, exclude=[60])

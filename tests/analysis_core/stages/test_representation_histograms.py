"""Histograms of one pass are numpy's of the whole matrix, also after an interruption."""

import numpy as np
import pytest

from analysis_core import results
from analysis_core.errors import BadInput
from analysis_core.stages import representation, streaming


def data(n=700, d=6):
    """Columns of very different scales and offsets, one of them whole numbers that lie on the edges of bins."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, d)) * 10.0 ** np.arange(-2, d - 2) + np.array([0, 5, -300, 0, 1e4, 0])
    x[:, 3] = rng.integers(-8, 9, size=n)
    return x.astype(np.float32)


def chunks(x, size=50):
    return [x[i : i + size] for i in range(0, len(x), size)]


def require_numpys(found, x):
    for j in range(x.shape[1]):
        edges = found.edges(j).numpy()
        # The last bin of numpy.histogram holds its right edge too; ours are all half open, and no value lies there.
        assert x[:, j].max() < edges[-1]
        np.testing.assert_array_equal(found.counts[j], np.histogram(x[:, j].astype(np.float64), bins=edges)[0])


@pytest.mark.parametrize("bins", [2, 7, 32, 200])
def test_counts_are_numpys_on_the_same_edges(bins):
    x = data()
    found = representation.histograms(x, bins=bins)
    assert found.counts.shape == (6, bins)
    require_numpys(found, x)
    require_numpys(representation.histograms(chunks(x, 13), bins=bins), x)


def test_a_resumed_pass_has_the_edges_of_a_whole_one(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "SAVE_EVERY", 0.0)
    x = data()
    # The largest values come after the interruption: bins that were counted before it must be merged.
    x = x[np.argsort(np.abs(x[:, 0]), kind="stable")]

    def until(stop):
        for i, part in enumerate(chunks(x)):
            if i == stop:
                raise KeyboardInterrupt
            yield part

    for stop in (2, 9):
        with pytest.raises(KeyboardInterrupt):
            representation.histograms(until(stop), bins=16, resume=tmp_path / "pass")
    resumed = representation.histograms(chunks(x), bins=16, resume=tmp_path / "pass")
    assert results.dumps(resumed) == results.dumps(representation.histograms(x, bins=16))
    require_numpys(resumed, x)


def test_resumed_extremes_are_those_of_a_whole_pass_byte_for_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "SAVE_EVERY", 0.0)
    # Whole numbers: every extreme is tied, across the interruption as well.
    x = np.random.default_rng(0).integers(-3, 4, size=(700, 6)).astype(np.float32)
    options = {"k": 4, "exclude": [0, 5, 699], "resume": tmp_path / "pass"}

    def until(stop):
        yield from chunks(x)[:stop]
        raise KeyboardInterrupt

    for stop in (1, 8):
        with pytest.raises(KeyboardInterrupt):
            representation.extremes(until(stop), **options)
    resumed = representation.extremes(chunks(x), **options)
    assert results.dumps(resumed) == results.dumps(representation.extremes(x, k=4, exclude=[0, 5, 699]))
    assert not {0, 5, 699} & set(resumed.top.flatten().tolist() + resumed.bottom.flatten().tolist())


@pytest.mark.parametrize("feature", [-1, 3, 1.5, None])
def test_edges_of_no_feature_are_refused(feature):
    found = representation.histograms(np.eye(3), bins=4)
    with pytest.raises(BadInput, match=r"feature"):
        found.edges(feature)


def test_an_excluded_index_below_0_is_refused():
    with pytest.raises(BadInput, match=r"an excluded index must be a whole number of at least 0, not -1"):
        streaming.read(np.eye(3), extremes=1, exclude=[-1])

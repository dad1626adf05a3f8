"""One pass for several things, resumed where it was interrupted; histograms; extremes without repetitions."""

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from analysis_core import results
from analysis_core.errors import BadData, BadFeatures, BadInput, UnknownName
from analysis_core.stages import representation, streaming
from analysis_core.stages.histograms import HistogramsSoFar
from analysis_core.stages.prediction import sparse_path
from analysis_core.store import FeatureStore

ROOT = Path(__file__).resolve().parents[3]


def data(n=500, d=7, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)).astype(np.float32) * 10.0 ** np.arange(d, dtype=np.float32), rng.integers(
        0, 5, size=n
    )


def chunks(x, y, size=50):
    return [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]


def same(a, b):
    """Two readings are equal to the last bit."""
    for name in ("gram", "cross", "mean", "scale", "target_mean", "target_variance"):
        np.testing.assert_array_equal(getattr(a.moments, name), getattr(b.moments, name))
    assert results.dumps(a.extremes) == results.dumps(b.extremes)
    assert results.dumps(a.histograms) == results.dumps(b.histograms)


def test_one_pass_finds_what_a_pass_each_finds():
    x, y = data()
    found = streaming.read(x, y, extremes=4, histograms=8, exclude=[3, 499])
    assert found.rows == 500
    assert results.dumps(found.extremes) == results.dumps(representation.extremes(x, k=4, exclude=[3, 499]))
    assert results.dumps(found.histograms) == results.dumps(representation.histograms(x, bins=8))
    assert results.dumps(sparse_path(found.moments)) == results.dumps(sparse_path(x, y))
    assert streaming.read(x, moments=False, extremes=1).moments is None


def test_histograms_count_every_value_in_bins_of_powers_of_two():
    x, _ = data()
    x[:, 3] = 5
    found = representation.histograms(x, bins=16)
    for j in range(7):
        edges = found.edges(j).numpy()
        assert found.counts[j].tolist() == [
            int(((x[:, j] >= a) & (x[:, j] < b)).sum()) for a, b in itertools.pairwise(edges)
        ]
        assert int(found.counts[j].sum()) == 500
        width = float(found.width[j])
        assert np.log2(width) == int(np.log2(width))
        if j != 3:
            # Bins of half the width would not do.
            low, high = x[:, j].astype(float).min(), x[:, j].astype(float).max()
            assert np.floor(2 * high / width) - np.floor(2 * low / width) >= 16
    assert (found.counts[3] > 0).sum() == 1


@pytest.mark.parametrize("size", [1, 3, 64])
def test_histograms_do_not_depend_on_chunks_or_order(size):
    x, _ = data(n=200)
    x[0] = 0
    plain = results.dumps(representation.histograms(x, bins=5))
    assert results.dumps(representation.histograms([x[i : i + size] for i in range(0, 200, size)], bins=5)) == plain
    assert results.dumps(representation.histograms(x[::-1], bins=5)) == plain


def test_histograms_of_extreme_values():
    # 0 alone, then values 1e-30 apart, then 1e30: bins are merged as often as it takes.
    so_far = HistogramsSoFar(4)
    for part in ([[0.0]], [[1e-30]], [[1e30]], [[-1e30]]):
        so_far.add(0, np.array(part))
    found = so_far.found()
    assert found.counts[0].sum() == 4
    # Of width 2^98 = 3.2e29, -1e30 and 1e30 lie in bins -4 and 3; of width 2^99 in -2 and 1, and the others in 0.
    assert float(found.width[0]) == 2.0**99
    assert found.counts[0].tolist() == [1, 0, 2, 1]
    with pytest.raises(BadInput, match="at least 2"):
        representation.histograms(np.zeros((3, 1)), bins=1)
    with pytest.raises(BadInput, match="no datapoints"):
        representation.histograms(iter(()))


def test_an_interrupted_pass_goes_on_where_it_was(tmp_path, monkeypatch):
    x, y = data()
    monkeypatch.setattr(streaming, "SAVE_EVERY", 0.0)
    options = {"extremes": 2, "histograms": 8, "exclude": [7], "resume": tmp_path / "state"}
    whole, seen = streaming.read(chunks(x, y), **options), []
    assert not (tmp_path / "state").exists()

    def interrupted(stop):
        for i, part in enumerate(chunks(x, y)):
            if i == stop:
                raise KeyboardInterrupt
            seen.append(i)
            yield part

    for stop in (3, 7):
        with pytest.raises(KeyboardInterrupt):
            streaming.read(interrupted(stop), **options)
    same(streaming.read(chunks(x, y), **options), whole)
    assert not (tmp_path / "state").exists()


def test_what_has_been_read_is_not_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "SAVE_EVERY", 0.0)
    monkeypatch.setattr("analysis_core.chunks._CHUNK_BYTES", 50 * 7 * 4)
    x, _ = data()
    broken = x.copy()
    broken[321, 2] = np.nan
    with pytest.raises(BadFeatures, match="row 321, column 2"):
        representation.extremes(broken, resume=tmp_path / "state")
    # Rows 0 to 299 are done; those before the last chunk of them are not looked at again, whatever they hold.
    x[10, 0] = 1e9
    found = representation.extremes(x, resume=tmp_path / "state")
    assert 10 not in found.top[0].tolist()
    x[10, 0] = 0
    assert results.dumps(found) == results.dumps(representation.extremes(x))


def test_the_state_of_another_pass_or_other_data_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "SAVE_EVERY", 0.0)
    x, y = data()
    state = tmp_path / "state"

    def interrupt():
        def some():
            yield from chunks(x, y)[:4]
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            streaming.read(some(), extremes=2, resume=state)

    interrupt()
    with pytest.raises(BadData, match="another extremes"):
        streaming.read(chunks(x, y), extremes=3, resume=state)
    with pytest.raises(BadData, match="another extremes, histograms, moments"):
        streaming.read(chunks(x, y), moments=False, histograms=3, resume=state)
    with pytest.raises(BadData, match="other data"):
        streaming.read(chunks(x + 1, y), extremes=2, resume=state)
    with pytest.raises(BadData, match="other data"):
        streaming.read(chunks(x, y, 40), extremes=2, resume=state)
    with pytest.raises(BadData, match="farther"):
        streaming.read(chunks(x[:100], y[:100]), extremes=2, resume=state)
    state.write_bytes(b"torn")
    with pytest.raises(BadData, match="delete the file"):
        streaming.read(chunks(x, y), extremes=2, resume=state)


def test_a_killed_process_leaves_a_pass_that_is_continued(tmp_path):
    x, y = data(n=400)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    program = (
        "import os, signal, numpy as np\n"
        "from analysis_core import chunks\n"
        "from analysis_core.stages import streaming\n"
        "streaming.SAVE_EVERY = 0.0\n"
        "chunks._CHUNK_BYTES = 2800\n"
        f"x, y = (np.load(f'{tmp_path}/{{n}}.npy', mmap_mode='r') for n in 'xy')\n"
        "class Dying(streaming.Sums):\n"
        "    def add(self, start, *chunk):\n"
        "        super().add(start, *chunk)\n"
        "        if start == 300 and os.environ.get('DIE'): os.kill(os.getpid(), signal.SIGKILL)\n"
        "streaming.Sums = Dying\n"
        f"found = streaming.read(x, y, extremes=2, resume='{tmp_path}/state')\n"
        f"np.save('{tmp_path}/gram.npy', found.moments.gram)\n"
    )

    def run(**more):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **more}
        return subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=False).returncode

    assert run(DIE="1") == -signal.SIGKILL
    assert (tmp_path / "state").exists()
    assert run() == 0
    gram = np.load(tmp_path / "gram.npy")
    (tmp_path / "gram.npy").unlink()
    assert run() == 0
    np.testing.assert_array_equal(np.load(tmp_path / "gram.npy"), gram)


def test_pages_of_a_memory_map_are_given_back(tmp_path):
    # Only where the kernel tells how much of a file a process holds.
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("no /proc")
    np.save(tmp_path / "x.npy", np.ones((40_000, 256), dtype=np.float32))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")

    def held():
        return int(next(line for line in status.read_text().splitlines() if line.startswith("RssFile")).split()[1])

    before = held()
    streaming.read(mapped, moments=False, extremes=1)
    # The matrix is 40 MB.
    assert held() - before < 12_000


def test_no_two_distinct_extremes_share_a_mark():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 6)).astype(np.float32)
    pictures, words = rng.integers(0, 40, size=300), rng.integers(0, 60, size=300)
    asked = []

    def marks(row):
        asked.append(row)
        return ("picture", pictures[row]), ("words", words[row])

    found = representation.distinct(x, marks, k=5, exclude=[0, 1])
    assert len(asked) == len(set(asked))
    for values, rows in ((-x, found.top), (x, found.bottom)):
        for j in range(6):
            chosen, seen = [], {("p", pictures[i]) for i in (0, 1)} | {("w", words[i]) for i in (0, 1)}
            for row in np.argsort(values[:, j], kind="stable"):
                own = {("p", pictures[row]), ("w", words[row])}
                if len(chosen) < 5 and row > 1 and not own & seen:
                    chosen.append(int(row))
                    seen |= own
            assert rows[j].tolist() == chosen
            np.testing.assert_array_equal(
                (-values)[chosen, j] if rows is found.top else values[chosen, j],
                (found.top_values if rows is found.top else found.bottom_values)[j],
            )


def test_repeated_extremes_follow_where_there_are_not_enough_distinct_ones():
    x = np.array([[5.0], [4.0], [3.0], [2.0], [1.0]])
    found = representation.distinct(x, lambda row: ["same" if row < 4 else "other"], k=3)
    # 0 and 4 are distinct; then the best of the rest.
    assert found.top.tolist() == [[0, 4, 1]]
    assert found.bottom.tolist() == [[4, 3, 2]]
    few = representation.distinct(np.hstack([x, -x]), lambda row: [row], k=2, features=[1])
    assert few.top.tolist() == [[4, 3]]
    with pytest.raises(BadInput, match="0 to 1"):
        representation.distinct(np.hstack([x, -x]), lambda row: [row], k=2, features=[2])
    with pytest.raises(BadInput, match="only once"):
        representation.distinct(iter([x]), lambda row: [row])
    with pytest.raises(BadInput, match="only 5"):
        representation.distinct(x, lambda row: [row], k=6)


def test_a_stored_layer_is_read_by_its_name(tmp_path):
    x, _ = data()
    with FeatureStore.write(tmp_path, key={}, rows=len(x), layers=["hidden"]) as writer:
        writer.append(x, x[:, :2], [{}] * len(x), {"hidden": -x[:, :3]})
    store = FeatureStore.open(tmp_path)
    assert results.dumps(representation.extremes(store, layer="hidden")) == results.dumps(
        representation.extremes(-x[:, :3])
    )
    assert representation.histograms(store, layer="hidden").counts.shape == (3, 32)
    distinct = representation.distinct(store, lambda row: [row], layer="hidden")
    assert torch.equal(distinct.top, representation.extremes(-x[:, :3]).top)
    with pytest.raises(UnknownName, match="hidden"):
        representation.extremes(store, layer="hiden")
    with pytest.raises(UnknownName, match="penultimate"):
        representation.extremes(x, layer="penultima")

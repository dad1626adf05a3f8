"""The feature store: what is written comes back; a torn chunk is discarded; another key is refused."""

import json

import numpy as np
import pytest

from analysis_core.errors import BadData, BadFeatures, BadInput, UnknownName
from analysis_core.store import FeatureStore

KEY = {"data": "abc", "checkpoint": "def"}


def chunk(start, count):
    """Features and logits that tell their row, and the facts."""
    rows = np.arange(start, start + count, dtype=np.float32)
    return rows[:, None] + np.array([0.0, 0.25, 0.5]), -rows[:, None] * np.ones(2), [{"id": f"p{int(r)}"} for r in rows]


def write(folder, until, rows=10, size=4, key=KEY):
    with FeatureStore.write(folder, key=key, rows=rows) as writer:
        while writer.done < until:
            writer.append(*chunk(writer.done, min(size, until - writer.done)))


def test_a_store_comes_back_in_order_with_its_points(tmp_path):
    write(tmp_path, 10)
    store = FeatureStore.open(tmp_path, key=KEY)
    assert store.complete
    assert len(store) == 10
    assert store.features.dtype == np.float32
    np.testing.assert_array_equal(store.features[:, 1], np.arange(10) + 0.25)
    np.testing.assert_array_equal(np.concatenate([f for f, _ in store.chunks(3)]), store.features)
    np.testing.assert_array_equal(np.concatenate([g for _, g in store.chunks(3)]), store.logits)
    assert [p["id"] for p in store.points()] == [f"p{i}" for i in range(10)]
    assert store.key == KEY


def test_an_unfinished_store_shows_what_is_done_and_is_continued(tmp_path):
    write(tmp_path, 4)
    assert not FeatureStore.open(tmp_path).complete
    assert FeatureStore.open(tmp_path).features.shape == (4, 3)
    write(tmp_path, 10)
    np.testing.assert_array_equal(FeatureStore.open(tmp_path).features[:, 0], np.arange(10))


def test_a_chunk_torn_before_its_count_was_written_is_discarded(tmp_path):
    write(tmp_path, 4)
    # As a crash leaves it: rows and half a line of facts are there, the count is not.
    features = np.load(tmp_path / "features.npy", mmap_mode="r+")
    features[4:8] = 99
    features.flush()
    with (tmp_path / "points.jsonl").open("a") as file:
        file.write('{"id": "torn"}\n{"id": "to')
    store = FeatureStore.open(tmp_path)
    assert store.features.max() < 99
    assert [p["id"] for p in store.points()] == ["p0", "p1", "p2", "p3"]
    write(tmp_path, 10)
    store = FeatureStore.open(tmp_path)
    np.testing.assert_array_equal(store.features[:, 0], np.arange(10))
    assert [p["id"] for p in store.points()] == [f"p{i}" for i in range(10)]


def test_another_key_or_size_is_refused_and_the_difference_named(tmp_path):
    write(tmp_path, 4)
    with pytest.raises(BadData, match="checkpoint"):
        FeatureStore.open(tmp_path, key={**KEY, "checkpoint": "other"})
    with pytest.raises(BadData, match="checkpoint"):
        write(tmp_path, 10, key={**KEY, "checkpoint": "other"})
    with pytest.raises(BadData, match="10 points, not for 12"):
        write(tmp_path, 12, rows=12)
    assert len(FeatureStore.open(tmp_path)) == 4


def test_two_writers_at_once_are_refused(tmp_path):
    with FeatureStore.write(tmp_path, key=KEY, rows=10), pytest.raises(BadInput, match="another process"):
        FeatureStore.write(tmp_path, key=KEY, rows=10)
    write(tmp_path, 10)


def test_nan_features_are_refused_with_the_points_name_and_nothing_is_written(tmp_path):
    features, logits, points = chunk(0, 2)
    features[1, 2] = np.nan
    with FeatureStore.write(tmp_path, key=KEY, rows=10) as writer:
        with pytest.raises(BadFeatures, match=r"p1.*column 2"):
            writer.append(features, logits, points)
        with pytest.raises(BadFeatures, match=r"\[2, n\]"):
            writer.append(logits[:1], logits, points)
        assert writer.done == 0


def with_layers(folder, until, layers=("conv.1", "hidden")):
    with FeatureStore.write(folder, key=KEY, rows=10, layers=layers) as writer:
        while writer.done < until:
            features, logits, points = chunk(writer.done, 2)
            writer.append(features, logits, points, {"conv.1": features * 2, "hidden": logits - 1})


def test_further_layers_are_stored_beside_the_features_and_continued(tmp_path):
    with_layers(tmp_path, 4)
    with_layers(tmp_path, 10)
    store = FeatureStore.open(tmp_path, key=KEY)
    assert store.layers == ("penultimate", "conv.1", "hidden")
    np.testing.assert_array_equal(store.layer("conv.1"), 2 * store.features)
    np.testing.assert_array_equal(store.layer("hidden"), store.logits - 1)
    np.testing.assert_array_equal(store.layer("penultimate"), store.features)
    with pytest.raises(UnknownName, match="hidden"):
        store.layer("hiddn")
    (tmp_path / "layer-hidden.npy").unlink()
    with pytest.raises(BadData, match="layer-hidden"):
        FeatureStore.open(tmp_path)


def test_a_store_of_other_layers_is_not_continued_and_one_without_is_what_it_was(tmp_path):
    with_layers(tmp_path / "a", 4)
    for layers in ((), ("hidden",), ("hidden", "conv.1")):
        with pytest.raises(BadData, match=r"begun with conv\.1, hidden"):
            with_layers(tmp_path / "a", 10, layers)
    write(tmp_path / "b", 4)
    with pytest.raises(BadData, match="no further layers"):
        with_layers(tmp_path / "b", 10)
    # Stores from before there were layers have no such entry, and still open.
    assert set(json.loads((tmp_path / "b" / "meta.json").read_text())) == {
        "format",
        "key",
        "rows",
        "done",
        "points_bytes",
    }
    assert FeatureStore.open(tmp_path / "b").layers == ("penultimate",)


def test_bad_layers_are_refused_and_nothing_is_written(tmp_path):
    for name in ("../up", "", "penultimate"):
        with pytest.raises(BadInput, match="name further layers"):
            FeatureStore.write(tmp_path / "a", key=KEY, rows=10, layers=[name])
    features, logits, points = chunk(0, 2)
    with FeatureStore.write(tmp_path / "b", key=KEY, rows=10, layers=["hidden"]) as writer:
        with pytest.raises(UnknownName, match="hidden"):
            writer.append(features, logits, points, {"hiden": features})
        with pytest.raises(BadFeatures, match=r"layer-hidden .*p1.*column 2"):
            writer.append(features, logits, points, {"hidden": np.array([[0, 0, 0], [0, 0, np.nan]])})
        assert writer.done == 0


def test_damaged_stores_are_named(tmp_path):
    with pytest.raises(BadData, match="not a feature store"):
        FeatureStore.open(tmp_path)
    write(tmp_path, 10)
    (tmp_path / "features.npy").write_bytes(b"broken")
    with pytest.raises(BadData, match=r"features\.npy"):
        FeatureStore.open(tmp_path).features  # noqa: B018
    (tmp_path / "points.jsonl").write_text('{"id": 1}\nnonsense\n')
    with pytest.raises(BadData, match="line 2"):
        list(FeatureStore.open(tmp_path).points())
    meta = json.loads((tmp_path / "meta.json").read_text())
    (tmp_path / "meta.json").write_text(json.dumps({**meta, "format": 99}))
    with pytest.raises(BadData, match="format 99"):
        FeatureStore.open(tmp_path)


def test_an_empty_store_is_complete_when_nothing_was_expected(tmp_path):
    write(tmp_path, 0, rows=0)
    store = FeatureStore.open(tmp_path)
    assert store.complete
    assert list(store.chunks()) == []

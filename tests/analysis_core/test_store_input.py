"""What a feature store refuses to take in, and what it says of files that somebody has damaged."""

import json

import numpy as np
import pytest
import torch

from analysis_core.errors import BadData, BadFeatures, BadInput, UnknownName
from analysis_core.store import FeatureStore

FEATURES, LOGITS = np.arange(6.0).reshape(2, 3), np.ones((2, 2))
POINTS = [{"id": "p0"}, {"id": "p1"}]


def write(folder, **options):
    return FeatureStore.write(folder, **{"key": {}, "rows": 4, **options})


def half(folder, **options):
    with write(folder, **options) as writer:
        writer.append(FEATURES, LOGITS, POINTS)
    return folder


@pytest.mark.parametrize("rows", [-1, 1.5, 4.0, np.nan, None, "4", True])
def test_rows_are_a_whole_number_from_0_on(tmp_path, rows):
    with pytest.raises(BadInput, match="rows must be a whole number"):
        write(tmp_path / "store", rows=rows)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("size", [0, -1, 1.5, None])
def test_chunks_hold_at_least_one_point(tmp_path, size):
    with pytest.raises(BadInput, match="size must be a whole number"):
        list(FeatureStore.open(half(tmp_path)).chunks(size))


@pytest.mark.parametrize("layers", ["conv", b"conv", 3, [3], [None]])
def test_layers_are_a_list_of_names_and_no_letters_of_one(tmp_path, layers):
    with pytest.raises(BadInput, match="layers must be a list of names"):
        write(tmp_path, layers=layers)


@pytest.mark.parametrize("key", [3, {"a": np.nan}, {"a": object()}])
def test_a_key_is_json_like(tmp_path, key):
    with pytest.raises(BadInput, match="JSON-like"):
        write(tmp_path, key=key)


@pytest.mark.parametrize(
    "given",
    [None, "text", [[1.0, 2.0], [3.0]], FEATURES + 0j, torch.ones(2, 3).bfloat16(), torch.ones(2, 3).to_sparse(),
     np.zeros((2, 0)), np.zeros((1, 3)), np.zeros(2), np.zeros((2, 3, 1)), FEATURES.astype(object),
     np.full((2, 3), np.inf), np.full((2, 3), 1e300), np.array([[0, 0, 0], [0, np.nan, 0]])],
    ids=["none", "a text", "ragged", "complex", "bfloat16", "sparse", "no columns", "too few", "1d", "3d", "objects",
         "inf", "beyond float32", "nan"],
)  # fmt: skip
def test_what_is_no_finite_matrix_of_all_points_is_refused_and_nothing_is_written(tmp_path, given):
    with write(tmp_path, layers=["hidden"]) as writer:
        for features, logits, hidden in ((given, LOGITS, LOGITS), (FEATURES, given, LOGITS), (FEATURES, LOGITS, given)):
            with pytest.raises(BadFeatures):
                writer.append(features, logits, POINTS, {"hidden": hidden})
        assert writer.done == 0
        # What is sound goes on from there.
        writer.append(FEATURES, LOGITS, POINTS, {"hidden": LOGITS})
        assert writer.done == 2


@pytest.mark.parametrize("facts", [{"label": np.int64(3)}, {"label": np.nan}, {"label": {1, 2}}, 3, None])
def test_facts_are_plain_texts_and_numbers(tmp_path, facts):
    with write(tmp_path) as writer:
        with pytest.raises(BadInput, match="facts of point 1 must be a mapping to plain texts and numbers"):
            writer.append(FEATURES, LOGITS, [{}, facts])
        assert writer.done == 0


def test_more_points_than_were_announced_and_another_width_are_refused(tmp_path):
    with write(half(tmp_path)) as writer:
        with pytest.raises(BadInput, match="5 points for a store of 4"):
            writer.append(np.ones((3, 3)), np.ones((3, 2)), [{}] * 3)
        with pytest.raises(BadFeatures, match="4 wide, those before were 3 wide"):
            writer.append(np.ones((2, 4)), LOGITS, POINTS)


def test_a_layer_that_was_not_stored_is_answered_with_the_nearest(tmp_path):
    with write(tmp_path, layers=["encoder.3", "pooler"]) as writer:
        writer.append(FEATURES, LOGITS, POINTS, {"encoder.3": 2 * FEATURES, "pooler": LOGITS})
    store = FeatureStore.open(tmp_path)
    np.testing.assert_array_equal(store.layer("encoder.3"), 2 * FEATURES)
    np.testing.assert_array_equal(store.layer("pooler"), LOGITS)
    with pytest.raises(UnknownName, match=r"did you mean encoder\.3"):
        store.layer("encoder.4")
    with pytest.raises(UnknownName, match=r"known: penultimate, encoder\.3, pooler"):
        store.layer("xyz")


@pytest.mark.parametrize(
    "damaged",
    [{"done": "two"}, {"done": -1}, {"done": 9}, {"rows": None}, {"points_bytes": -3}],
    ids=json.dumps,
)
def test_counts_that_make_no_sense_are_bad_data(tmp_path, damaged):
    meta = json.loads((half(tmp_path) / "meta.json").read_text())
    (tmp_path / "meta.json").write_text(json.dumps({**meta, **damaged}))
    with pytest.raises(BadData, match="make no sense; delete the folder"):
        FeatureStore.open(tmp_path)


@pytest.mark.parametrize("array", [np.zeros((2, 3), np.float32), np.zeros(4, np.float32), np.zeros((4, 3))], ids=str)
def test_an_array_of_another_size_or_type_is_bad_data(tmp_path, array):
    np.save(half(tmp_path) / "features.npy", array)
    with pytest.raises(BadData, match=r"in place of float32 \[4, n\]"):
        FeatureStore.open(tmp_path).features  # noqa: B018
    with write(tmp_path) as writer, pytest.raises(BadData, match=r"in place of float32 \[4, n\]"):
        writer.append(FEATURES, LOGITS, POINTS)


def test_facts_that_are_fewer_than_points_are_bad_data(tmp_path):
    (half(tmp_path) / "points.jsonl").write_text('{"id": "p0"}\n')
    with pytest.raises(BadData, match="1 lines for 2 points"):
        list(FeatureStore.open(tmp_path).points())
    with pytest.raises(BadData, match=r"shorter than meta\.json says"):
        write(tmp_path)
    # Nothing was filled up, and the lock was given back.
    assert (tmp_path / "points.jsonl").read_text() == '{"id": "p0"}\n'
    (tmp_path / "points.jsonl").unlink()
    with pytest.raises(BadData, match="missing"):
        list(FeatureStore.open(tmp_path).points())

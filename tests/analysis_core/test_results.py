"""Results survive saving without loss, as equal bytes for equal results, and nothing is unpickled."""

import io
import json

import numpy as np
import pytest
import torch

from analysis_core import Attribution, Logit, results
from analysis_core.errors import BadData, BadInput, UnknownName
from analysis_core.stages import crossmodal, prediction, representation, unimodal
from tests.analysis_core import toys


def attribution():
    groups = torch.tensor([0, 0, 1, 2])
    sample = {"image": toys.random(1, 3, 2, 2, seed=1), "text": toys.random(1, 2, 3, seed=2)}
    return crossmodal.second_order(toys.Picture(groups), sample, Logit(0), source="text", to="image", pixels=True)


def path():
    x = np.random.default_rng(0).normal(size=(60, 12))
    y = np.stack([x[:, 0] - x[:, 3], np.ones(60), x[:, 5]], axis=1)
    with pytest.warns(RuntimeWarning, match="never vary"):
        return prediction.sparse_path(x, y, max_features=5).select(tolerance=0.1)


def equal(a, b):
    (facts_a, arrays_a), (facts_b, arrays_b) = results.pack(a), results.pack(b)
    assert facts_a == facts_b
    assert arrays_a.keys() == arrays_b.keys()
    for name, array in arrays_a.items():
        assert array.dtype == arrays_b[name].dtype
        np.testing.assert_array_equal(array, arrays_b[name])


def test_an_attribution_comes_back_equal(tmp_path):
    one = attribution()
    results.save(one, tmp_path / "a.npz")
    two = results.load(tmp_path / "a.npz")
    assert torch.equal(one.pairs, two.pairs)
    assert torch.equal(one.pixels, two.pixels)
    assert torch.equal(one.values["image"], two.values["image"])
    assert (one.target, one.method, one.config, one.quality) == (two.target, two.method, two.config, two.quality)
    plain = unimodal.lime(toys.bilinear(toys.random(6, 20)), toys.sample(), [Logit(0)])[0]
    again = results.loads(results.dumps(plain))
    assert list(again.values) == ["a", "b"]
    assert again.pairs is None
    equal(plain, again)


def test_a_sparse_path_comes_back_equal_with_its_selection():
    one = path()
    two = results.loads(results.dumps(one))
    equal(one, two)
    assert torch.equal(one.selected, two.selected)
    assert two.notes == one.notes
    for k in range(3):
        assert torch.equal(one.top(k).indices, two.top(k).indices)
        assert torch.equal(one.coefficients[k], two.coefficients[k])


def test_extremes_come_back_equal():
    one = representation.extremes(np.random.default_rng(0).normal(size=(50, 4)))
    equal(one, results.loads(results.dumps(one)))


def test_equal_results_give_equal_bytes_and_the_json_part_is_json():
    assert results.dumps(attribution()) == results.dumps(attribution())
    facts, _ = results.pack(attribution())
    assert json.loads(json.dumps(facts)) == facts


def test_what_is_not_a_result_is_refused_and_nothing_is_unpickled():
    with pytest.raises(BadData, match=r"x\.npz"):
        results.loads(b"nonsense", file="x.npz")
    stream = io.BytesIO()
    np.savez(stream, json=np.array([{"kind": "Attribution"}], dtype=object))
    with pytest.raises(BadData, match="pickle"):
        results.loads(stream.getvalue())
    with pytest.raises(UnknownName):
        results.unpack({"kind": "Attributoin"}, {})
    with pytest.raises(UnknownName):
        results.pack("text")


def test_incomplete_facts_are_refused_with_a_sentence():
    facts, arrays = results.pack(attribution())
    for missing in ("modalities", "config"):
        with pytest.raises(BadInput, match=r"not a whole result: KeyError: .*; give the facts and arrays that pack"):
            results.unpack({key: value for key, value in facts.items() if key != missing}, arrays)
    with pytest.raises(BadInput, match="not a whole result"):
        results.unpack(facts, {})
    with pytest.raises(BadInput, match="give the facts and the arrays"):
        results.unpack(None, {})


def test_a_path_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(BadInput, match=r"there is no folder .*missing' to save to: make it first"):
        results.save(attribution(), tmp_path / "missing" / "a.npz")
    with pytest.raises(BadInput, match="cannot be written"):
        results.save(attribution(), tmp_path)


def test_numpys_numbers_among_the_options_come_back_as_pythons():
    target, config = {"kind": "Logit", "k": np.int64(1)}, {"limit": np.float32(0.5)}
    known = Attribution({"a": torch.ones(2)}, target, "any", config, {})
    found = results.loads(results.dumps(known))
    assert (found.target["k"], found.config["limit"]) == (1, 0.5)
    with pytest.raises(BadInput, match="which JSON cannot hold"):
        results.dumps(Attribution({"a": torch.ones(2)}, {}, "any", {"limit": object()}, {}))

"""What users get wrong is told in one sentence: names, samples, a model's answers, memory, files."""

import logging
import math

import pytest
import torch
import toys

from analysis_core import Attribution, Logit, Output, leaves, results
from analysis_core.batching import Batches
from analysis_core.errors import BadData, BadInput, OutOfMemory, UnknownName
from analysis_core.stages import crossmodal, unimodal
from analysis_core.stages.masking import Masking

SAMPLE = toys.sample()


def bilinear():
    return toys.bilinear(toys.random(6, 20))


def answering(answer):
    model = bilinear()
    model.forward = lambda x, aux: answer(len(x["a"]))
    return model


@pytest.mark.parametrize("name", [None, 3, ["cat"], b"cat"])
def test_a_name_that_is_no_string_is_unknown_like_any_other(name):
    error = UnknownName("method", name, ("lime", "shap"))
    assert str(error).startswith(f"unknown method {name!r}; ")
    assert error.name == name


@pytest.mark.parametrize("size", [0, -1, 1.5])
def test_batches_of_no_rows_are_refused(size):
    with pytest.raises(BadInput, match="rows at a time must be a whole number of at least 1"):
        Batches(size)


def test_a_single_row_that_does_not_fit_says_what_to_do():
    def compute(start, stop):
        raise torch.OutOfMemoryError("CUDA out of memory")

    batches = Batches(4)
    with pytest.raises(OutOfMemory, match="smaller input") as caught:
        list(batches.run(8, compute))
    assert isinstance(caught.value, MemoryError)
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)
    # 4, 2 and 1 rows were tried.
    assert (batches.halvings, batches.size) == (2, 1)


def test_going_on_with_fewer_rows_is_said_in_the_log(caplog):
    def compute(start, stop):
        if stop - start > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return stop - start

    batches = Batches(8)
    with caplog.at_level(logging.WARNING, "analysis_core.batching"):
        assert list(batches.run(5, compute)) == [2, 2, 1]
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("WARNING", f"out of memory: going on with {rows} rows at a time") for rows in (4, 2)
    ]


def test_an_error_that_is_not_about_memory_stays_as_it_is():
    def compute(start, stop):
        raise RuntimeError("another one")

    with pytest.raises(RuntimeError, match="another one"):
        list(Batches(1).run(1, compute))


@pytest.mark.parametrize("sample", [{"a": SAMPLE["a"]}, {"a": "words", "b": None}, None])
def test_a_sample_that_encode_fails_on_is_named_with_the_cause(sample):
    with pytest.raises(
        BadInput, match=r"encode\(\) failed on this sample \((KeyError|AttributeError|TypeError)"
    ) as caught:
        leaves.encode(bilinear(), sample)
    assert isinstance(caught.value.__cause__, KeyError | AttributeError | TypeError)


@pytest.mark.parametrize("error", [BadInput("a model's own sentence"), torch.OutOfMemoryError("CUDA out of memory")])
def test_a_models_own_sentence_and_lack_of_memory_are_not_renamed(error):
    def encode(sample):
        raise error

    model = bilinear()
    model.encode = encode
    with pytest.raises(type(error)) as caught:
        leaves.encode(model, SAMPLE)
    assert caught.value is error


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda n: torch.zeros(n, 2), "not Tensor"),
        (lambda n: Output(torch.zeros(n), torch.zeros(n, 3)), r"logits must be \[B, n\], not shape \(1,\)"),
        (lambda n: Output(torch.zeros(n, 2), torch.zeros(n, 3, 4)), r"features must be .* not shape \(1, 3, 4\)"),
        (lambda n: Output(torch.zeros(n, 2), None), "features must be .* not NoneType"),
    ],
)
def test_a_forward_pass_that_returns_something_else_is_told_what_to_return(answer, told):
    with pytest.raises(BadInput, match=r"forward\(\) must return Output\(logits.*" + told):
        unimodal.gradient(answering(answer), SAMPLE, Logit(0))
    with pytest.raises(BadInput, match=r"forward\(\) must return Output\(logits.*" + told):
        unimodal.lime(answering(answer), SAMPLE, [Logit(0)])
    with pytest.raises(BadInput, match=r"forward\(\) must return Output\(logits.*" + told):
        crossmodal.second_order(answering(answer), SAMPLE, Logit(0), source="a", to="b")


def test_a_string_is_one_modality_and_a_modality_named_twice_counts_once():
    # Modality "a" has 3 atoms; by their letters "image" would be five modalities that do not exist.
    assert Masking(bilinear(), SAMPLE, modalities="a").n_atoms == 3
    assert [c.modality for c in Masking(bilinear(), SAMPLE, modalities=["b", "a", "b"]).columns] == ["b", "a"]
    picture = toys.Picture(torch.arange(36) // 9)
    words = {"image": toys.random(1, 3, 6, 6), "text": toys.random(1, 2, 3)}
    assert Masking(picture, words, modalities="image").n_atoms == 4


GAMES = {
    "lime": lambda model, sample, targets: unimodal.lime(model, sample, targets),
    "shap": lambda model, sample, targets: unimodal.shap(model, sample, targets),
    "dime": lambda model, sample, targets: crossmodal.dime(model, sample, [SAMPLE, SAMPLE], targets),
}


@pytest.mark.parametrize("method", GAMES)
def test_a_single_target_in_place_of_a_list_is_refused(method):
    with pytest.raises(BadInput, match="give a list of targets"):
        GAMES[method](bilinear(), SAMPLE, Logit(0))


PAIRS = {
    name: lambda *given, name=name: getattr(crossmodal, name)(*given, source="a", to="b") for name in ("lime", "shap")
}


@pytest.mark.parametrize("game", [*GAMES.values(), *PAIRS.values()])
def test_a_sample_that_the_model_answers_with_nan_is_not_blamed_on_the_baseline(game):
    broken = {**SAMPLE, "b": torch.full_like(SAMPLE["b"], math.nan)}
    with pytest.raises(BadInput, match="output on the sample itself is not finite") as caught:
        game(bilinear(), broken, Logit(0) if game in PAIRS.values() else [Logit(0)])
    assert "baseline" not in str(caught.value)


def test_a_baseline_that_the_model_cannot_work_on_is_still_blamed():
    model = bilinear()
    model.baseline = lambda encoded: {m: torch.full_like(t, math.nan) for m, t in encoded.x.items()}
    with pytest.raises(BadInput, match="baseline"):
        unimodal.lime(model, SAMPLE, [Logit(0)])


def test_a_result_that_is_not_there_or_no_file_is_bad_data(tmp_path):
    with pytest.raises(BadData, match=r"missing\.npz: no such file"):
        results.load(tmp_path / "missing.npz")
    with pytest.raises(BadData, match="cannot be read"):
        results.load(tmp_path)


def test_nan_in_a_results_facts_is_refused_with_its_key_and_nothing_is_written(tmp_path):
    for facts, key in (
        ({"config": {"width": math.inf}, "quality": {}}, r"config\.width is inf"),
        ({"config": {}, "quality": {"errors": {"a": [0.5, math.nan]}}}, r"quality\.errors\.a\[1\] is nan"),
    ):
        one = Attribution(values={"a": torch.zeros(2)}, target={"kind": "AllLogits"}, method="lime", **facts)
        with pytest.raises(BadInput, match=key):
            results.save(one, tmp_path / "one.npz")
    assert not list(tmp_path.iterdir())

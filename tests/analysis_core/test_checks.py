"""check_model finds what is wrong with a model and says it; capabilities says what a model can be used for."""

import pytest
import torch

from analysis_core import capabilities, check_model
from analysis_core.errors import BadInput, OutOfMemory
from analysis_core.types import Output
from tests.analysis_core import toys, toys_towers


def states(model, sample):
    return {c.name: c.state for c in check_model(model, sample).checks}


def test_a_sound_model_passes_every_check():
    report = check_model(toys.bilinear(toys.random(6, 20)), toys.sample())
    assert report.ok
    assert {c.name: c.state for c in report.checks if c.state != "ok"} == {"towers": "not applicable"}
    assert "3 of kind word" in report["atoms"].sentence
    assert "second order" in str(report)
    assert "finite differences differ by 0.0%" in report["second order"].sentence


def test_the_layer_norm_guard_says_that_sum_will_be_refused():
    report = check_model(toys.layer_norm_text(), toys.sample(p=8))
    assert report.ok
    assert report["layer norm"].state == "not applicable"
    assert "sum" in report["layer norm"].sentence


def test_relu_late_fusion_has_no_second_order_but_is_a_sound_model():
    report = check_model(toys.relu_late_fusion(), toys.sample())
    assert report.ok
    assert report["second order"].state == "not applicable"
    assert "Relu" in report["second order"].sentence


def test_rows_that_see_each_other_are_found():
    model = toys.Toy(lambda a, b: torch.stack([a.sum((1, 2)) - a.mean() + b.sum((1, 2))] * 2, dim=1))
    assert states(model, toys.sample())["batch invariance"] == "failed"


def test_randomness_in_the_forward_pass_is_found():
    plain = toys.linear(torch.ones(3, 2), torch.ones(4, 5))
    model = toys.Toy(lambda a, b: plain.function(a, b) + torch.rand(1, dtype=a.dtype))
    assert states(model, toys.sample())["determinism"] == "failed"


def test_a_modality_without_gradient_is_found_and_named():
    model = toys.Toy(lambda a, b: torch.stack([a.sum((1, 2)) + b.detach().sum((1, 2))] * 2, dim=1))
    report = check_model(model, toys.sample())
    assert report["gradient"].state == "failed"
    assert "b" in report["gradient"].sentence.split()[-1]


def test_a_baseline_that_equals_the_input_is_found():
    model = toys.bilinear(toys.random(6, 20))
    model.baseline = lambda encoded: dict(encoded.x)
    assert states(model, toys.sample())["baseline"] == "failed"


def test_broken_shapes_and_crashes_are_findings_not_exceptions():
    model = toys.bilinear(toys.random(6, 20))
    model.forward = lambda x, aux: Output(torch.zeros(2), torch.zeros(1, 2))
    assert states(model, toys.sample()) == {"atoms": "ok", "output": "failed"}
    assert states(toys.bilinear(toys.random(5, 20)), toys.sample())["output"] == "failed"
    wrong = toys.bilinear(toys.random(6, 20))
    wrong.atoms = {"a": toys.named(2)}
    report = check_model(wrong, toys.sample())
    assert not report.ok
    assert "3 leaves but 2 atoms" in report["atoms"].sentence


def test_capabilities_without_a_sample_are_what_is_declared_and_with_one_what_is_seen():
    model = toys.bilinear(toys.random(6, 20))
    assert capabilities(model).gradient is None
    seen = capabilities(model, toys.sample())
    assert (seen.gradient, seen.second_order, seen.layers, seen.pixels) == (True, True, ("doubled",), ())
    assert capabilities(toys.relu_late_fusion(), toys.sample()).second_order is False


def test_towers_that_make_up_the_forward_pass_are_found_sound():
    report = check_model(toys_towers.Products(), toys_towers.samples(1)[0])
    assert report.ok
    assert report["towers"].state == "ok"


def test_a_tower_without_a_fusion_is_found():
    class Half(toys_towers.Products):
        fuse = None

    report = check_model(Half(), toys_towers.samples(1)[0])
    assert report["towers"].state == "failed"
    assert "no fuse()" in report["towers"].sentence


def test_a_fusion_that_is_not_the_forward_pass_is_found():
    class Other(toys_towers.Products):
        def fuse(self, encodings, aux):
            output = super().fuse(encodings, aux)
            return Output(output.logits + 1e-3, output.features, output.layers)

    report = check_model(Other(), toys_towers.samples(1)[0])
    assert report["towers"].state == "failed"
    assert "1.0e-03 away from forward() with a and b present" in report["towers"].sentence


def test_a_fusion_with_other_layers_is_found():
    class Poorer(toys_towers.Products):
        def fuse(self, encodings, aux):
            output = super().fuse(encodings, aux)
            return Output(output.logits, output.features)

    assert "total" in check_model(Poorer(), toys_towers.samples(1)[0])["towers"].sentence


def test_a_tower_that_sees_another_modality_is_found():
    class Peeking(toys_towers.Products):
        def encode(self, sample):
            self.seen = sample["b"]
            return super().encode(sample)

        def tower(self, modality, x, aux):
            found = super().tower(modality, x, aux)
            return {"read": found["read"] * self.seen.sum()} if modality == "a" else found

        def fuse(self, encodings, aux):
            return super().fuse({**encodings, "a": {"read": encodings["a"]["read"] / self.seen.sum()}}, aux)

        def forward(self, x, aux):
            # The encoding of a depends on b: right for the sample, wrong once b is taken away.
            a = toys_towers.read(x["a"], aux["a"]) * x["b"].sum() / self.seen.sum()
            return toys_towers.combined([a, toys_towers.read(x["b"], aux["b"])])

    report = check_model(Peeking(), toys_towers.samples(1)[0])
    assert report["towers"].state == "failed"


def test_a_tower_that_mixes_the_rows_of_its_batch_is_found():
    class Mixing(toys_towers.Products):
        def tower(self, modality, x, aux):
            found = super().tower(modality, x, aux)
            return {"read": found["read"] - found["read"].mean(0) * (len(x) > 1)}

    assert check_model(Mixing(), toys_towers.samples(1)[0])["towers"].state == "failed"


def test_a_forward_pass_overridden_on_its_own_is_found_and_its_towers_are_not_used():
    class Changed(toys_towers.Products):
        def forward(self, x, aux):
            return super().forward(x, aux)

    assert not capabilities(Changed()).towers
    assert "override all three" in check_model(Changed(), toys_towers.samples(1)[0])["towers"].sentence


def test_towers_behind_a_wrapper_with_a_forward_pass_of_its_own_are_not_used():
    class Wrapped:
        def __init__(self, model):
            self.model = model

        def __getattr__(self, name):
            return getattr(self.model, name)

    assert capabilities(toys_towers.Products()).towers
    assert not capabilities(Wrapped(toys_towers.Products())).towers
    patched = toys_towers.Products()
    patched.forward = lambda x, aux: None
    assert not capabilities(patched).towers
    assert not capabilities(toys_towers.Whole()).towers
    assert capabilities(toys_towers.Products(), toys_towers.samples(1)[0]).towers


@pytest.mark.parametrize("member", ["encode", "forward"])
def test_a_single_row_without_room_says_what_to_do(member):
    def full(*given):
        raise torch.OutOfMemoryError("CUDA out of memory")

    model = toys.bilinear(toys.random(6, 20))
    setattr(model, member, full)
    with pytest.raises(OutOfMemory, match="take a smaller input or another device") as caught:
        capabilities(model, toys.sample())
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)
    failed = check_model(model, toys.sample()).checks[-1]
    assert failed.state == "failed"
    assert failed.sentence.startswith("memory ran out: take a smaller input or another device")


def test_two_rows_without_room_say_so_and_the_other_checks_go_on():
    model = toys.bilinear(toys.random(6, 20))
    whole = model.forward

    def forward(x, aux):
        if len(x["a"]) > 1:
            raise MemoryError
        return whole(x, aux)

    model.forward = forward
    report = check_model(model, toys.sample())
    assert "memory ran out: take a smaller input" in report["batch invariance"].sentence
    assert report["gradient"].state == "ok"


def test_what_is_no_model_has_no_capabilities():
    with pytest.raises(BadInput, match="None has no modalities, encode, forward, baseline"):
        capabilities(None)
    with pytest.raises(BadInput, match="has no baseline"):
        capabilities(type("Three", (), {"modalities": ("a",), "encode": None, "forward": None})())

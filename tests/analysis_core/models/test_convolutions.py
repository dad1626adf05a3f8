"""Stacks of convolutions with their normalisation folded in: against the same layers called one by one."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from analysis_core.models.convolutions import Convolutions
from analysis_core.stages.smooth_relu import _Softplus


def layers() -> list[nn.Module]:
    torch.manual_seed(0)
    found: list[nn.Module] = []
    for n_in, n_out, stride in ((3, 8, 2), (8, 12, 1)):
        norm = nn.BatchNorm2d(n_out)
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.2, 3)
        found += [nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), norm, nn.ReLU()]
    return found


@pytest.fixture
def stack() -> Convolutions:
    return Convolutions(*layers()).eval()


def pictures(n: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(n, 3, 20, 14, generator=torch.Generator().manual_seed(n), dtype=dtype)


def one_by_one(stack: nn.Sequential, x: Tensor) -> Tensor:
    return nn.Sequential.forward(stack, x)


def difference(stack: nn.Sequential, x: Tensor) -> float:
    with torch.no_grad():
        expected = one_by_one(stack, x)
        return float((stack(x) - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("n", [0, 1, 4, 16, 17, 40])
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-5), (torch.float64, 1e-13)])
def test_results_are_those_of_the_layers_one_by_one(stack: Convolutions, n: int, dtype: torch.dtype, bound: float):
    x = pictures(n, dtype)
    before = x.clone()
    with torch.no_grad():
        expected, found = one_by_one(stack.to(dtype), x), stack(x)
    assert found.shape == expected.shape
    assert torch.allclose(found, expected, rtol=bound, atol=bound * 10)
    assert torch.equal(x, before)


def test_a_batch_gives_what_its_rows_give_alone(stack: Convolutions):
    x = pictures(37)
    with torch.inference_mode():
        together, alone = stack(x), torch.cat([stack(row[None]) for row in x])
    assert torch.allclose(together, alone, rtol=1e-5, atol=1e-5)


def test_with_gradients_the_layers_are_called_one_by_one(stack: Convolutions):
    x, same = (pictures(6).requires_grad_() for _ in range(2))
    found, expected = stack(x), one_by_one(stack, same)
    assert torch.equal(found, expected)
    for loss, leaf in ((found, x), (expected, same)):
        loss.square().sum().backward()
        assert leaf.grad is not None
    assert torch.equal(x.grad, same.grad)


def test_names_are_those_of_a_sequence_of_layers(stack: Convolutions):
    plain = nn.Sequential(*layers())
    assert list(stack.state_dict()) == list(plain.state_dict())
    stack.load_state_dict(plain.state_dict())
    assert isinstance(stack[:3], Convolutions)


@pytest.mark.parametrize("n", [2, 24])
def test_weights_drawn_anew_are_seen_by_the_next_call(stack: Convolutions, n: int):
    x, changed = pictures(n), copy.deepcopy(stack)
    with torch.no_grad():
        before = changed(x)
        changed[0].reset_parameters()
        after_first = changed(x)
        changed[4].reset_running_stats()
        after_both = changed(x)
        assert not torch.allclose(before, after_first, atol=0.1)
        assert not torch.allclose(after_first, after_both, atol=0.1)
        assert torch.equal(stack(x), before)
    assert difference(changed, x) < 1e-5


def test_hooks_on_the_layers_are_called(stack: Convolutions):
    seen: list[int] = []
    for i, layer in enumerate(stack):
        layer.register_forward_hook(lambda *_, i=i: seen.append(i))
    handle = stack[1].register_forward_pre_hook(lambda *_: seen.append(-1))
    with torch.no_grad():
        stack(pictures(8))
    assert seen == [0, -1, 1, 2, 3, 4, 5]
    handle.remove()


def test_in_training_the_running_statistics_follow_the_batch(stack: Convolutions):
    stack[4].train()
    before = stack[4].running_mean.clone()
    with torch.no_grad():
        stack(pictures(8))
    assert not torch.equal(stack[4].running_mean, before)


def test_a_layer_of_another_kind_is_called(stack: Convolutions):
    stack[5] = nn.SiLU()
    assert difference(stack, pictures(8)) == 0
    stack.append(nn.MaxPool2d(2))
    assert difference(stack, pictures(8)) == 0


def test_bfloat16_is_not_rounded_twice(stack: Convolutions):
    assert difference(stack.to(torch.bfloat16), pictures(8, torch.bfloat16)) == 0


def test_smoothed_kinks_are_smooth_in_a_batch_too(stack: Convolutions):
    x = pictures(8)
    with torch.no_grad(), _Softplus(5.0):
        found, expected = stack(x), one_by_one(stack, x)
    assert (found > 0).all()
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_several_sets_of_weights_may_be_run_side_by_side(stack: Convolutions):
    x = pictures(5)
    weights = {name: torch.stack([w, 0.5 * w]) for name, w in stack.state_dict().items() if w.is_floating_point()}
    with torch.no_grad():
        found = torch.vmap(lambda one: torch.func.functional_call(stack, one, (x,)))(weights)
    assert torch.allclose(found[0], one_by_one(stack, x), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(found[1], found[0], atol=0.1)

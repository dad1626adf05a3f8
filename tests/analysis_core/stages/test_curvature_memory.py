"""The memory that one direction of a second derivative is expected to take, against what operations return."""

import pytest
import torch
from torch import nn

from analysis_core.batching import Allocations
from analysis_core.stages import crossmodal
from analysis_core.stages.curvature import Curvature, _nodes
from analysis_core.stages.curvature_memory import bytes_of_results
from analysis_core.targets import Logit
from tests.analysis_core import toys


def test_views_and_leaves_take_no_memory():
    x = torch.ones(4, 6, requires_grad=True)
    once = x.view(3, 8).transpose(0, 1)[:, :2].unsqueeze(0).expand(5, 8, 2) * 2.0
    assert bytes_of_results(_nodes(once)) == 5 * 8 * 2 * 4


def test_the_dtype_and_every_result_count():
    x = torch.ones(4, 6, dtype=torch.float64, requires_grad=True)
    assert bytes_of_results(_nodes(x.exp().tanh())) == 2 * 4 * 6 * 8


def test_an_empty_graph_takes_something():
    assert bytes_of_results([]) == 1


@pytest.mark.parametrize("width", [16, 128])
def test_close_to_what_the_operations_of_a_transformer_return(width):
    layer = nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.0, activation="gelu", batch_first=True)
    x = torch.randn(1, 30, width, requires_grad=True)
    with Allocations() as watched:
        y = layer(x)
    assert 0.5 < bytes_of_results(_nodes(y)) / watched.total < 1.5


def test_wide_samples_go_through_in_smaller_batches():
    def size(width):
        model = toys.Toy(lambda a, b: (a.tanh().sin().mean((1, 2)) * b.mean((1, 2))).unsqueeze(1))
        encoded = model.encode(toys.sample(n=100, p=width, dtype=torch.float32))
        return Curvature(model, encoded, Logit(0), source="a", to="b").batches.size

    # Two results of 100 rows: 400 bytes, 40 MiB.
    assert size(1) == 128
    assert size(52_429) == 2


def test_nested_tensors_on_the_way_count_as_the_largest_of_the_others():
    x = torch.ones(2, 3, 4, requires_grad=True)
    nested = torch.nested.as_nested_tensor(list(x.tanh().unbind(0)))
    y = torch.nested.to_padded_tensor(nested, 0.0).exp()
    assert bytes_of_results(_nodes(y)) >= 2 * 2 * 3 * 4 * 4


def test_a_model_with_a_nested_tensor_has_second_order_gradients():
    def f(a, b):
        nested = torch.nested.as_nested_tensor(list(a.tanh().unbind(0)))
        return (torch.nested.to_padded_tensor(nested, 0.0).sum((1, 2)) * b.sum((1, 2)))[:, None]

    found = crossmodal.second_order(toys.Toy(f), toys.sample(dtype=torch.float32), Logit(0), source="a", to="b")
    plain = toys.Toy(lambda a, b: (a.tanh().sum((1, 2)) * b.sum((1, 2)))[:, None])
    expected = crossmodal.second_order(plain, toys.sample(dtype=torch.float32), Logit(0), source="a", to="b")
    torch.testing.assert_close(found.pairs, expected.pairs)


def test_out_of_memory_halves_the_directions_and_keeps_the_engine(monkeypatch):
    model, sample, batched = toys.layer_norm_text(), toys.sample(n=5, p=8), Curvature._batched
    whole = crossmodal.second_order(model, sample, Logit(0), source="a", to="b")

    def small(self, g, directions):
        if len(directions) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return batched(self, g, directions)

    monkeypatch.setattr(Curvature, "_batched", small)
    found = crossmodal.second_order(model, sample, Logit(0), source="a", to="b")
    assert (whole.quality["halvings"], whole.quality["engine"]) == (0, "double_backward")
    assert found.quality["halvings"] > 0
    assert (found.quality["engine"], found.quality["engine_reason"]) == ("double_backward", None)
    torch.testing.assert_close(found.pairs, whole.pairs, rtol=1e-12, atol=1e-14)

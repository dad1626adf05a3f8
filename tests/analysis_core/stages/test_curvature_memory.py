"""The memory that one direction of a second derivative is expected to take, against what operations return."""

import pytest
import torch
from torch import nn

from analysis_core.batching import Allocations
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

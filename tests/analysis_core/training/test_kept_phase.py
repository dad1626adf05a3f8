"""The kept first phase: taken up where plan and shapes are the same, trained anew where they are not."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from analysis_core.training import kept_phase
from analysis_core.training.kept_phase import KeptPhase


class Eye(nn.Module):
    """Two parts to keep, one of them with a running mean and one a buffer, and one to leave alone."""

    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.seen = nn.Sequential(nn.Conv2d(2, width, 3), nn.BatchNorm2d(width))
        self.register_buffer("mean", torch.zeros(width))
        self.rest = nn.Linear(width, 2)

    def learn(self) -> float:
        """As real training does: other memory, statistics of batches, a buffer."""
        self.train().to(memory_format=torch.channels_last)
        self.seen(torch.rand(4, 2, 5, 5))
        with torch.no_grad():
            self.seen[0].weight.add_(1)
        self.mean.fill_(7)
        return 0.1


def run(network, work, *, plan=(0, 8), parts=("seen", "mean"), train=None):
    return kept_phase.kept_phase(network, parts, train or network.learn, plan=plan, work=work)


def forbidden() -> float:
    pytest.fail("the phase is there")


@pytest.fixture
def left(tmp_path, monkeypatch):
    """A trained network; the phase that it left in tmp_path took 7.25 seconds."""
    network = Eye()
    with monkeypatch.context() as patched:
        patched.setattr(kept_phase, "perf_counter", iter([1.0, 8.25]).__next__)
        assert run(network, tmp_path) == KeptPhase(loss=0.1, seconds=7.25)
    return network


def test_what_was_left_is_taken_up_with_its_loss_and_seconds_and_nothing_else_is_touched(left, tmp_path):
    network = Eye()
    rest = network.rest.weight.clone()
    assert run(network, tmp_path, train=forbidden) == KeptPhase(loss=0.1, seconds=7.25)
    for name, tensor in network.state_dict().items():
        if not name.startswith("rest"):
            assert torch.equal(tensor, left.state_dict()[name]), name
    assert network.seen[1].num_batches_tracked == 1
    assert torch.equal(network.rest.weight, rest)
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize(
    ("width", "options"), [(3, {"plan": (1, 8)}), (3, {"plan": (0, 9)}), (4, {}), (3, {"parts": ("seen",)})]
)
def test_another_plan_other_shapes_and_other_parts_are_trained(left, tmp_path, width, options):
    network = Eye(width)
    calls = []
    run(network, tmp_path, train=lambda: calls.append(1) or network.learn(), **options)
    assert calls
    assert len(list(tmp_path.iterdir())) == 2


def test_a_phase_that_was_interrupted_leaves_nothing(tmp_path):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Eye(), tmp_path / "work", train=interrupted)
    assert not (tmp_path / "work").exists()

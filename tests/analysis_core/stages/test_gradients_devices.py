"""The gradient methods give the same figures on CPU and CUDA, to 1e-4, from the same noise."""

import pytest
import torch

from analysis_core import Feature, Logit
from analysis_core.stages import methods, unimodal
from tests.analysis_core import toys, toys_kinds

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here: CPU against CUDA not run")


@pytest.mark.parametrize("method", methods.GRADIENTS)
@pytest.mark.parametrize("make", [toys.Lstm, toys.Attention])
def test_cpu_and_cuda_agree(method, make):
    sample = toys.sample(p=4, dtype=torch.float32)
    on_gpu = {m: t.cuda() for m, t in sample.items()}
    options = {"step": 0.05} if method == "perturbation" else {}
    cpu, cuda = make().eval(), make().eval().cuda()
    for target in (Logit(0), Feature(1)):
        one = unimodal.gradient(cpu, sample, target, method=method, **options)
        two = unimodal.gradient(cuda, on_gpu, target, method=method, **options)
        for m in "ab":
            torch.testing.assert_close(two.values[m], one.values[m], rtol=1e-4, atol=1e-4)
            assert two.values[m].device.type == "cpu"


@pytest.mark.parametrize("method", methods.GRADIENTS)
def test_every_kind_of_atom_agrees(method):
    sample = toys_kinds.sample(torch.float32)
    on_gpu = {m: t.cuda() for m, t in sample.items()}
    one = unimodal.gradient(toys_kinds.Kinds(), sample, Logit(0), method=method)
    two = unimodal.gradient(toys_kinds.Kinds(), on_gpu, Logit(0), method=method)
    for m in one.values:
        torch.testing.assert_close(two.values[m], one.values[m], rtol=1e-4, atol=1e-3)

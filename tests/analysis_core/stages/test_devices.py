"""The same figures on CPU and CUDA, to 1e-4."""

import pytest
import torch

from analysis_core import Logit
from analysis_core.stages import crossmodal, unimodal
from tests.analysis_core import toys

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here: CPU against CUDA not run")


@pytest.mark.parametrize("make", [toys.Lstm, toys.Attention])
def test_cpu_and_cuda_agree(make):
    sample = toys.sample(p=4, dtype=torch.float32)
    on_gpu = {m: t.cuda() for m, t in sample.items()}
    cpu, cuda = make().eval(), make().eval().cuda()
    close = {"rtol": 1e-4, "atol": 1e-4}
    for direction in ("norm", "hutchinson"):
        options = {"source": "a", "to": "b", "direction": direction}
        one = crossmodal.second_order(cpu, sample, Logit(0), **options)
        two = crossmodal.second_order(cuda, on_gpu, Logit(0), **options)
        torch.testing.assert_close(two.pairs, one.pairs, **close)
    one = unimodal.lime(cpu, sample, [Logit(0)])[0]
    two = unimodal.lime(cuda, on_gpu, [Logit(0)])[0]
    torch.testing.assert_close(two.values["a"], one.values["a"], **close)
    torch.testing.assert_close(
        unimodal.gradient(cuda, on_gpu, Logit(0)).values["b"],
        unimodal.gradient(cpu, sample, Logit(0)).values["b"],
        **close,
    )

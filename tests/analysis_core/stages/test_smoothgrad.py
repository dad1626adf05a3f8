"""SmoothGrad against the mean over the noisy copies that the model really saw."""

import numpy as np
import pytest
import torch

from analysis_core import Atoms, Logit
from analysis_core.errors import BadInput
from analysis_core.stages import unimodal
from tests.analysis_core import toys, toys_kinds

WA, WB = toys.random(3, 2, seed=7), toys.random(4, 5, seed=8)


class Seen(toys.Toy):
    """f = sum w x^2 / 2 over both modalities, so that g = w x; keeps every input it was given."""

    def __init__(self, wa, wb, **atoms):
        def function(a, b):
            f = (wa * a.square()).sum((1, 2)) / 2 + (wb * b.square()).sum((1, 2)) / 2
            return torch.stack([f, -f], dim=1)

        super().__init__(function, **atoms)
        self.seen = {"a": [], "b": []}

    def forward(self, x, aux):
        for m in "ab":
            self.seen[m].append(x[m].detach())
        return super().forward(x, aux)

    def copies(self, modality):
        """The noisy copies, without the sample itself, which is looked at first."""
        return torch.cat(self.seen[modality])[1:].numpy()


def smooth(model, sample=None, **options):
    return unimodal.gradient(
        model, toys.sample() if sample is None else sample, Logit(0), method="smoothgrad", **options
    )


def test_a_linear_model_has_its_saliency_and_no_error():
    result = smooth(toys.linear(WA, WB))
    torch.testing.assert_close(result.values["a"], WA.norm(dim=1))
    torch.testing.assert_close(result.values["b"], WB.norm(dim=1))
    assert max(result.quality["standard_error"]["b"]) < 1e-12


def test_the_norm_is_taken_of_the_mean_gradient_over_the_copies():
    model = Seen(WA, WB)
    result = smooth(model, samples=40)
    for m, w in (("a", WA), ("b", WB)):
        mean = (w.numpy() * model.copies(m)).mean(axis=0)
        np.testing.assert_allclose(result.values[m].numpy(), np.linalg.norm(mean, axis=1), rtol=1e-12)
    assert model.rows == result.quality["forwards"] == 41
    assert result.quality["evaluations"] == 40


def test_the_standard_error_of_single_entries_is_that_of_a_mean():
    # Atoms of one entry, 12 copies (each its own block): |mean g| has the standard error std(g, n - 1) / sqrt(12).
    wa, wb = toys.random(5, 1, seed=1), toys.random(6, 1, seed=2)
    model, sample = Seen(wa, wb), {"a": toys.random(1, 5, 1, seed=3) + 4, "b": toys.random(1, 6, 1, seed=4) - 4}
    result = smooth(model, sample, samples=12)
    for m, w in (("a", wa), ("b", wb)):
        expected = (w.numpy() * model.copies(m)).std(axis=0, ddof=1) / np.sqrt(12)
        np.testing.assert_allclose(result.quality["standard_error"][m], expected.flatten(), rtol=1e-9)


def test_with_blocks_of_copies_the_standard_error_is_right_on_average():
    # g = w (x + sigma e): the mean over n copies has the variance w^2 sigma^2 / n. The estimate has 15 degrees of
    # freedom; over 400 atoms its mean ratio to the truth is 1 with the standard error sqrt(2 / 15 / 400) = .018.
    wa, wb = torch.ones(400, 1, dtype=torch.float64), torch.ones(2, 1, dtype=torch.float64)
    sample = {"a": toys.random(1, 400, 1, seed=3) + 10, "b": toys.random(1, 2, 1, seed=4)}
    result = smooth(Seen(wa, wb), sample, samples=100)
    variance = np.square(result.quality["standard_error"]["a"])
    expected = result.quality["sigma"]["a"] ** 2 / 100
    assert variance.mean() / expected == pytest.approx(1, abs=4 * 0.018)


def test_noise_is_a_share_of_each_modalitys_range_and_leaves_out_cls_and_pad():
    groups = torch.tensor([0, -1, 1])
    model = Seen(WA, WB, a=Atoms(("x", "y"), "word", groups=groups))
    sample = toys.sample()
    sample["a"][0, 1] = 1000.0
    result = smooth(model, sample, samples=400, noise=0.2)
    kept = sample["a"][0, [0, 2]]
    assert result.quality["sigma"]["a"] == pytest.approx(0.2 * float(kept.max() - kept.min()))
    copies = model.copies("a") - sample["a"].numpy()
    assert not copies[:, 1].any()
    # 1,600 draws: the standard deviation is known to 1 / sqrt(3200) = 1.8 %.
    assert copies[:, [0, 2]].std() == pytest.approx(result.quality["sigma"]["a"], rel=4 * 0.018)


def test_modalities_are_moved_together_or_one_at_a_time():
    sample, together, apart = toys.sample(), Seen(WA, WB), Seen(WA, WB)
    smooth(together, samples=8)
    moved = [torch.cat(together.seen[m])[1:] != sample[m] for m in "ab"]
    assert all(bool(t.all()) for t in moved)
    result = smooth(apart, samples=8, joint=False)
    a, b = (torch.cat(apart.seen[m])[1:] != sample[m] for m in "ab")
    assert a[:8].all()
    assert not b[:8].any()
    assert not a[8:].any()
    assert b[8:].all()
    assert result.quality["evaluations"] == 16


def test_every_kind_of_atom_is_smoothed():
    # g = 2 w x is linear: without noise the saliency; with little noise close to it.
    model, sample = toys_kinds.Kinds(), toys_kinds.sample()
    plain = unimodal.gradient(model, sample, Logit(0))
    none, little = (smooth(model, sample, samples=3, noise=share) for share in (0.0, 1e-6))
    for m in model.modalities:
        torch.testing.assert_close(none.values[m], plain.values[m], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(little.values[m], plain.values[m], rtol=1e-4, atol=1e-4)
        assert not torch.equal(little.values[m], plain.values[m])


def test_another_seed_is_another_draw_and_one_copy_has_no_error():
    one, two = (smooth(Seen(WA, WB), samples=1, seed=s) for s in (1, 2))
    assert not torch.equal(one.values["a"], two.values["a"])
    assert one.quality["standard_error"] is None
    with pytest.raises(BadInput, match="samples must be a whole number of at least 1"):
        smooth(Seen(WA, WB), samples=0)
    with pytest.raises(BadInput, match="noise must be a share"):
        smooth(Seen(WA, WB), noise=-1.0)

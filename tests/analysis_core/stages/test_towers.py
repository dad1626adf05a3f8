"""Encodings on a shelf, their combinations, and samples taken apart: right whatever fits into memory, and counted."""

import itertools
from pathlib import Path

import pytest
import torch
from PIL import Image

from analysis_core import Logit, capabilities, check_model, models
from analysis_core.datasets.scenes import render
from analysis_core.errors import BadInput
from analysis_core.models.nlvr_regions import NlvrRegions
from analysis_core.stages.dime import dime
from analysis_core.stages.emap import emap
from analysis_core.stages.towers import Part
from analysis_core.stages.towers_crowd import Crowd
from analysis_core.stages.towers_grid import combinations
from analysis_core.stages.towers_shelf import Budget, Shelf
from analysis_core.types import Encoded
from tests.analysis_core import toys_towers

CHECKPOINTS = Path(__file__).resolve().parents[3] / "fixtures/checkpoints"
CPU = torch.device("cpu")


class Rows:
    """Makes row k as [k, 10 k] and remembers what was asked for."""

    def __init__(self) -> None:
        self.made = []

    def __call__(self, numbers):
        self.made += numbers.tolist()
        return Part(torch.stack([numbers, 10 * numbers], dim=1).double(), {"k": numbers.clone()}, {})


#: Two float64 and one int64.
ROW_BYTES = 24


@pytest.mark.parametrize("rows_that_fit", [0, 1, 2, 100])
def test_a_shelf_gives_the_rows_asked_for_whatever_it_can_keep(rows_that_fit):
    make = Rows()
    shelf = Shelf(make, Budget(CPU, rows_that_fit * ROW_BYTES))
    for numbers in ([0, 1, 2], [2, 2, 2], [3, 1, 3, 0], [0, 1, 2, 3]):
        part = shelf.take(torch.tensor(numbers))
        assert part.encoding[:, 0].tolist() == part.own["k"].tolist() == numbers
        assert part.encoding[:, 1].tolist() == [10 * k for k in numbers]
    # Nothing fits: 3 + 1 + 3 + 4 different rows. One (0): 3 + 1 + 2 + 3. Two (0, 1): 3 + 1 + 1 + 2. All: each once.
    assert len(make.made) == {0: 11, 1: 9, 2: 7, 100: 4}[rows_that_fit]


def test_rows_are_kept_no_longer_than_they_are_wanted():
    make, budget = Rows(), Budget(CPU, 1000)
    shelf = Shelf(make, budget, wanted=torch.tensor([2, 1, 3]))
    shelf.take(torch.tensor([0, 1, 2, 2]))
    # Number 1 will not be asked for again; 0 and 2 once more.
    assert budget.left == 1000 - 2 * ROW_BYTES
    shelf.take(torch.tensor([0, 2]))
    assert budget.left == 1000
    assert make.made == [0, 1, 2]


def test_a_row_that_all_have_in_common_takes_no_memory():
    part = Shelf(Rows(), Budget(CPU)).take(torch.tensor([7] * 50))
    assert part.encoding.shape == (50, 2)
    assert part.encoding.stride(0) == 0


@pytest.mark.parametrize("batch", [1, 2, 4, 8, 64])
def test_combinations_are_all_combinations_in_batches_of_any_size(batch):
    names = ("a", "b", "c")
    model, samples = toys_towers.Products(names), toys_towers.samples(5, names)
    crowd = Crowd(model, samples)
    crowd.fusion.fuse_batches.size = batch
    # a and b vary together over three samples, c over all five.
    axes = [crowd.axis(["a", "b"], torch.tensor([4, 0, 2])), crowd.axis(["c"])]
    seen = {}
    for (first, second), output in combinations(crowd.fusion, axes):
        for i, k, logits in zip(first.tolist(), second.tolist(), output.logits, strict=True):
            assert (i, k) not in seen
            seen[i, k] = logits
    assert set(seen) == set(itertools.product(range(3), range(5)))
    encoded = [model.encode(s) for s in samples]
    for (i, k), logits in seen.items():
        ab, c = encoded[(4, 0, 2)[i]], encoded[k]
        mixed = {"a": ab.x["a"], "b": ab.x["b"], "c": c.x["c"]}
        aux = {"a": ab.aux["a"], "b": ab.aux["b"], "c": c.aux["c"]}
        torch.testing.assert_close(logits, model.forward(mixed, aux).logits[0], rtol=1e-12, atol=1e-12)


def test_a_crowd_encodes_each_sample_once_and_again_only_what_does_not_fit():
    model = toys_towers.Products()
    crowd = Crowd(model, toys_towers.samples(6))
    axes = [crowd.axis("a"), crowd.axis("b")]
    assert sum(len(o.logits) for _, o in combinations(crowd.fusion, axes)) == 36
    assert crowd.fusion.encodings == model.towers == {"a": 6, "b": 6}
    # 36 combinations, and the sample that memory was measured with.
    assert crowd.fusion.forwards == model.fused == 37

    poor = Crowd(toys_towers.Products(), toys_towers.samples(6), budget=Budget(CPU, 0))
    found = [o.logits for _, o in combinations(poor.fusion, [poor.axis("a"), poor.axis("b")])]
    rich = [o.logits for _, o in combinations(crowd.fusion, axes)]
    torch.testing.assert_close(torch.cat(found), torch.cat(rich), rtol=1e-12, atol=1e-12)
    assert poor.fusion.encodings["a"] > 6


def test_samples_that_do_not_fit_together_are_refused_by_modality():
    samples = toys_towers.samples(3)
    longer = toys_towers.samples(1, width=4)[0]
    with pytest.raises(
        BadInput, match=r"sample 2 and sample 0 differ in modality 'b' \(shape \(1, 3, 4\) and \(1, 3, 3\)\)"
    ):
        Crowd(toys_towers.Products(), [*samples[:2], {**samples[2], "b": longer["b"]}])
    broken = {**samples[1], "a": samples[1]["a"] * torch.nan}
    with pytest.raises(BadInput, match="sample 1 has NaN or infinite values in modality 'a'"):
        Crowd(toys_towers.Products(), [samples[0], broken])
    with pytest.raises(BadInput, match="no sample"):
        Crowd(toys_towers.Products(), [])
    with pytest.raises(BadInput, match="two modalities"):
        Crowd(toys_towers.Products(("a",)), toys_towers.samples(2, ("a",)))


def test_aux_that_all_samples_share_must_be_the_same():
    class Scaled(toys_towers.Products):
        def encode(self, sample):
            e = super().encode(sample)
            aux = {**e.aux, "a": {**e.aux["a"], "scale": torch.tensor(float(sample.get("scale", 1)))}}
            return Encoded(e.x, aux, e.atoms)

    samples = toys_towers.samples(2)
    assert len(Crowd(Scaled(), samples)) == 2
    with pytest.raises(BadInput, match="aux 'scale', shared by all"):
        Crowd(Scaled(), [samples[0], {**samples[1], "scale": 2}])


def test_running_out_of_memory_halves_batches_of_encodings_and_of_fusions():
    class Greedy(toys_towers.Products):
        def tower(self, modality, x, aux):
            if len(x) > 5:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().tower(modality, x, aux)

        def fuse(self, encodings, aux):
            if len(encodings["a"]["read"]) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().fuse(encodings, aux)

    samples = toys_towers.samples(40)
    expected, found = emap(toys_towers.Products(), samples), emap(Greedy(), samples)
    torch.testing.assert_close(found.additive, expected.additive, rtol=1e-12, atol=1e-12)
    # Encodings start with 128 rows and end with 4; fusions start with one row of pairs, 40, and end with 2.
    assert found.quality["halvings"] == 5 + 4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here: CPU against CUDA not run")
def test_cpu_and_cuda_agree():
    samples = [{m: s[m].float() for m in ("a", "b")} for s in toys_towers.samples(20)]
    on_gpu = [{m: t.cuda() for m, t in s.items()} for s in samples]
    one, two = (emap(toys_towers.Products(), s) for s in (samples, on_gpu))
    torch.testing.assert_close(two.additive, one.additive, rtol=1e-4, atol=1e-4)
    (one,), (two,) = (dime(toys_towers.Products(), s[0], s[1:], [Logit(2)]) for s in (samples, on_gpu))
    for part in ("full", "unimodal", "interaction"):
        values = getattr(two, part).values["a"]
        torch.testing.assert_close(values, getattr(one, part).values["a"], rtol=1e-4, atol=1e-4)


def test_cnn_lstm_sa_has_towers_that_make_up_its_forward_pass():
    model = models.load("cnn_lstm_sa", checkpoint=CHECKPOINTS / "clevr_cnn_lstm_sa")
    scene = render.draw_scene(render.scene_generator(0, "towers", 0))
    sample = {"image": Image.fromarray(scene.image), "text": "How many red cubes are there?"}
    assert capabilities(model).towers
    assert check_model(model, sample)["towers"].state == "ok"


def test_nlvr_regions_has_towers_that_make_up_its_forward_pass():
    model = models.load("nlvr_regions", checkpoint=CHECKPOINTS / "nlvr_regions")
    assert isinstance(model, NlvrRegions)
    regions = [
        {"box": i, "colour": colour, "shape": "square", "size": 20, "x": 10 + 30 * i, "y": 40}
        for i, colour in enumerate(("yellow", "blue", "black"))
    ]
    boxes = [[r["x"] + 120 * i, 40, r["x"] + 120 * i + 20, 60] for i, r in enumerate(regions)]
    sample = {"id": "made", "text": "There is a box with a yellow square", "regions": regions, "boxes": boxes}
    assert capabilities(model).towers
    assert check_model(model, sample)["towers"].state == "ok"

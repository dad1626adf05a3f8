"""NlvrRegions: shapes, atoms, what absence means, derivatives, and the shipped checkpoint on real sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from analysis_core import models
from analysis_core.datasets.nlvr import BOX_OFFSETS, Nlvr
from analysis_core.errors import BadCheckpoint, BadInput
from analysis_core.models.base import Checkpoint
from analysis_core.models.nlvr_regions import NlvrRegions
from analysis_core.models.nlvr_regions.regions import EDGES, PRESENT, WIDTH, region_rows
from analysis_core.models.nlvr_regions.words import MASK, PAD, Vocabulary, normalise, words
from analysis_core.types import Encoded, Output

PROJECT = Path(__file__).resolve().parents[3]
CHECKPOINT = PROJECT / "fixtures/checkpoints/nlvr_regions"
DATA = PROJECT / "../shared/data/nlvr"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/nlvr is absent")

Sample = dict[str, Any]


def architecture() -> dict[str, Any]:
    sizes = {"embedding": 6, "hidden": 5, "slots": 4, "object_width": 8, "heads": 2, "units": 3, "features": 7}
    return {
        "words": [PAD, MASK, "a", "at", "black", "box", "least", "one", "there", "is", "with", "square"],
        "max_words": 12,
        "network": sizes,
    }


@pytest.fixture
def model() -> NlvrRegions:
    """A small untrained network in float64; every statement about derivatives and absence holds for any weights."""
    torch.manual_seed(0)
    model = NlvrRegions(labels=Nlvr.labels, architecture=architecture()).double().eval()
    model.network.mean_row[:] = torch.rand(WIDTH)
    return model


@pytest.fixture(scope="module")
def trained() -> NlvrRegions:
    loaded = models.load("nlvr_regions", checkpoint=CHECKPOINT)
    assert isinstance(loaded, NlvrRegions)
    return loaded


def thing(box: int, x: int, y: int, *, colour: str = "black", shape: str = "square", size: int = 20) -> dict[str, Any]:
    return {"box": box, "colour": colour, "shape": shape, "size": size, "x": x, "y": y}


def sample_of(regions: list[dict[str, Any]], text: str = "There is a box with a black square.") -> Sample:
    boxes = [(BOX_OFFSETS[r["box"]] + r["x"], r["y"], r["size"]) for r in regions]
    return {
        "id": "s",
        "text": text,
        "regions": regions,
        "boxes": np.array([(x, y, x + s, y + s) for x, y, s in boxes], dtype=np.float64).reshape(-1, 4),
    }


@pytest.fixture
def sample() -> Sample:
    return sample_of(
        [
            thing(0, 40, 80),
            thing(0, 40, 59, colour="blue"),
            thing(1, 0, 10, shape="circle", size=10),
            thing(2, 70, 70, colour="yellow", size=30),
        ]
    )


def answer(model: NlvrRegions, encoded: Encoded) -> Output:
    return model.forward(encoded.x, encoded.aux)


def stacked(encoded: list[Encoded]) -> tuple[dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    x = {m: torch.cat([e.x[m] for e in encoded]) for m in ("image", "text")}
    aux = {m: {"mask": torch.cat([e.aux[m]["mask"] for e in encoded])} for m in ("image", "text")}
    return x, aux


def test_shapes_and_atoms(model: NlvrRegions, sample: Sample) -> None:
    encoded = model.encode(sample)
    assert encoded.x["image"].shape == (1, 24, WIDTH)
    assert encoded.x["text"].shape == (1, 12, 6)
    image, text = encoded.atoms["image"], encoded.atoms["text"]
    assert (image.kind, text.kind) == ("region", "word")
    assert image.names == ("object 1", "object 2", "object 3", "object 4")
    assert text.names == ("There", "is", "a", "box", "with", "a", "black", "square.")
    # Rows 0-7 belong to the first box, 8-15 to the second, 16-23 to the third.
    assert image.groups is not None
    assert {i: int(g) for i, g in enumerate(image.groups) if g >= 0} == {0: 0, 1: 1, 8: 2, 16: 3}
    assert image.boxes is not None
    assert image.boxes.tolist()[2:] == [[150, 10, 160, 20], [370, 70, 400, 100]]
    assert text.groups is not None
    assert text.groups.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, -1, -1, -1, -1]
    output = answer(model, encoded)
    assert (output.logits.shape, output.features.shape) == ((1, 2), (1, 7))


def test_a_word_of_two_tokens_is_one_atom(model: NlvrRegions, sample: Sample) -> None:
    atoms = model.encode(sample | {"text": "There is atleast 1 box"}).atoms["text"]
    assert atoms.names == ("There", "is", "atleast", "1", "box")
    assert atoms.groups is not None
    assert atoms.groups[:7].tolist() == [0, 1, 2, 2, 3, 4, -1]


def test_features_are_the_input_of_the_last_linear_layer(model: NlvrRegions, sample: Sample) -> None:
    output = answer(model, model.encode(sample))
    assert torch.equal(model.network.answer(output.features), output.logits)


def test_rows_of_a_batch_do_not_see_each_other(model: NlvrRegions, sample: Sample) -> None:
    other = sample_of([thing(1, 5, 5)], text="There is one")
    encoded = [model.encode(s) for s in (sample, other)]
    together = model.forward(*stacked(encoded))
    for row, alone in enumerate(encoded):
        torch.testing.assert_close(together.logits[row : row + 1], answer(model, alone).logits)
        torch.testing.assert_close(together.features[row : row + 1], answer(model, alone).features)


def test_padding_is_ignored(model: NlvrRegions, sample: Sample) -> None:
    encoded = model.encode(sample)
    changed = {
        m: torch.where(encoded.aux[m]["mask"][..., None], x, torch.full_like(x, 3.0)) for m, x in encoded.x.items()
    }
    torch.testing.assert_close(model.forward(changed, encoded.aux).logits, answer(model, encoded).logits)


def test_the_same_input_gives_the_same_bits(model: NlvrRegions, sample: Sample) -> None:
    encoded = model.encode(sample)
    assert torch.equal(answer(model, encoded).logits, answer(model, encoded).logits)


def test_an_object_replaced_by_the_baseline_is_as_if_it_were_not_there(model: NlvrRegions, sample: Sample) -> None:
    encoded = model.encode(sample)
    image = encoded.x["image"].clone()
    image[0, 1] = model.baseline(encoded)["image"][0, 1]
    without = model.encode(sample_of([r for i, r in enumerate(sample["regions"]) if i != 1]))
    torch.testing.assert_close(
        model.forward(encoded.x | {"image": image}, encoded.aux).logits, answer(model, without).logits
    )


def test_the_baseline_is_mask_for_words_and_absent_mean_for_objects(model: NlvrRegions, sample: Sample) -> None:
    encoded = model.encode(sample)
    baseline = model.baseline(encoded)
    assert torch.equal(baseline["text"][0, :8], model.network.embedding.weight[1].expand(8, -1))
    assert torch.equal(baseline["text"][0, 8:], encoded.x["text"][0, 8:])
    assert torch.equal(baseline["image"][0, 0, 1:], model.network.mean_row[1:])
    assert baseline["image"][0, 0, PRESENT] == 0
    for m in ("image", "text"):
        assert not torch.equal(baseline[m], encoded.x[m])


def test_order_of_boxes_and_of_objects_does_not_matter(model: NlvrRegions, sample: Sample) -> None:
    expected = answer(model, model.encode(sample)).logits
    for order in ((1, 2, 0), (2, 1, 0)):
        moved = [r | {"box": order[r["box"]]} for r in reversed(sample["regions"])]
        torch.testing.assert_close(answer(model, model.encode(sample_of(moved))).logits, expected)


def test_gradient_reaches_every_word_and_object_and_no_padding(model: NlvrRegions, sample: Sample) -> None:
    encoded = model.encode(sample)
    x = {m: v.clone().requires_grad_() for m, v in encoded.x.items()}
    grads = torch.autograd.grad(model.forward(x, encoded.aux).logits[0, 1], (x["image"], x["text"]))
    for m, grad in zip(("image", "text"), grads, strict=True):
        size = grad[0].norm(dim=-1)
        assert (size[encoded.aux[m]["mask"][0]] > 0).all()
        assert (size[~encoded.aux[m]["mask"][0]] == 0).all()


def test_mixed_second_derivative_agrees_with_differences(model: NlvrRegions, sample: Sample) -> None:
    encoded = model.encode(sample)
    direction = torch.randn(6, dtype=torch.float64)

    def along(step: float) -> Tensor:
        """d logit / d image at the text moved along the sixth word's direction."""
        text = encoded.x["text"].clone()
        text[0, 6] += step * direction
        image = encoded.x["image"].clone().requires_grad_()
        logit = model.forward({"image": image, "text": text}, encoded.aux).logits[0, 1]
        return torch.autograd.grad(logit, image)[0]

    x = {m: v.clone().requires_grad_() for m, v in encoded.x.items()}
    logit = model.forward(x, encoded.aux).logits[0, 1]
    (first,) = torch.autograd.grad(logit, x["text"], create_graph=True)
    (mixed,) = torch.autograd.grad(first[0, 6] @ direction, x["image"])
    assert mixed[encoded.aux["image"]["mask"]].norm(dim=-1).min() > 1e-12
    torch.testing.assert_close(mixed, (along(1e-5) - along(-1e-5)) / 2e-5, rtol=1e-5, atol=1e-9)


def test_second_derivatives_of_several_words_come_in_one_batched_pass(model: NlvrRegions, sample: Sample) -> None:
    encoded = model.encode(sample)
    x = {m: v.clone().requires_grad_() for m, v in encoded.x.items()}
    logit = model.forward(x, encoded.aux).logits[0, 1]
    (first,) = torch.autograd.grad(logit, x["text"], create_graph=True)
    directions = torch.zeros(3, *first.shape, dtype=first.dtype)
    for k in range(3):
        directions[k, 0, k] = 1
    (batched,) = torch.autograd.grad(first, x["image"], directions, retain_graph=True, is_grads_batched=True)
    for k in range(3):
        (alone,) = torch.autograd.grad(first, x["image"], directions[k], retain_graph=True)
        torch.testing.assert_close(batched[k], alone)


def test_rows_of_regions_by_hand() -> None:
    # A blue circle of 10 pixels touching the right edge, 2 pixels above the bottom edge.
    row = region_rows(np.array([1]), np.array([2]), [10], [90], [88])[0]
    assert row[:10].tolist() == [1, 0, 1, 0, 0, 0, 1, 1, 0, 0]
    assert row[10:12] == pytest.approx([0.9, 0.86])  # its centre (95, 93) on a scale from -1 to 1
    assert row[EDGES] == pytest.approx([np.exp(-60), 1, np.exp(-88 / 1.5), np.exp(-2 / 1.5)])
    assert region_rows(np.array([-1]), np.array([-1]), [0], [0], [0]).sum() == 0


def test_words_keep_what_is_read_and_tokens_normalise_it() -> None:
    assert words("There are 2 , blocks ...") == ("There", "are", "2 ,", "blocks ...")
    assert normalise("Blocks.") == ("block",)
    assert normalise("2") == ("two",)
    assert normalise("atleast") == ("at", "least")
    assert normalise("colours") == ("color",)
    assert normalise("--") == ("--",)


def test_a_misspelt_word_takes_the_nearest_known_one_and_a_strange_one_is_mask() -> None:
    vocabulary = Vocabulary((PAD, MASK, "square", "blue"))
    assert vocabulary.index("sqaure") == 2
    assert vocabulary.index("helicopter") == 1
    assert vocabulary.index("blu") == 1  # too short to guess


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": "  "}, "the sentence has no word"),
        ({"text": "box " * 13}, "13 words, the model takes 12"),
        ({"regions": []}, "no object"),
        ({"regions": [thing(1, 0, 0)] * 9}, "box 1 holds more than 8 objects"),
    ],
)
def test_what_the_model_cannot_take_is_a_clear_error(
    model: NlvrRegions, sample: Sample, changes: Sample, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        model.encode(sample | changes)


def test_weights_of_another_architecture_are_refused(model: NlvrRegions, tmp_path: Path) -> None:
    other = architecture() | {"words": [PAD, MASK, "a"]}
    state = model.network.state_dict()
    Checkpoint.write(
        tmp_path, model="nlvr_regions", labels=("false", "true"), architecture=other, state=state, record={}
    )
    with pytest.raises(BadCheckpoint, match="does not fit the model nlvr_regions"):
        models.load("nlvr_regions", checkpoint=tmp_path)


def test_the_shipped_checkpoint_is_small_and_has_its_record() -> None:
    described = models.describe("nlvr_regions", checkpoint=CHECKPOINT)
    assert described.labels == ("false", "true")
    assert described.weights.stat().st_size <= 1.5e6
    assert {"seed", "seconds", "versions", "parameters", "dev", "dev_majority_class"} <= set(described.record)


def test_the_shipped_model_tells_present_from_absent(trained: NlvrRegions) -> None:
    base = [thing(0, 40, 80), thing(1, 40, 80, colour="yellow"), thing(2, 40, 80, colour="blue")]
    for colour in ("black", "yellow", "blue"):
        text = f"There is a tower with a {colour} block at the base"
        there, gone = base, [r for r in base if r["colour"] != colour]
        assert int(answer(trained, trained.encode(sample_of(there, text))).logits.argmax()) == 1
        assert int(answer(trained, trained.encode(sample_of(gone, text))).logits.argmax()) == 0


@needs_data
def test_the_shipped_model_answers_at_least_78_percent_of_dev_as_its_record_says(trained: NlvrRegions) -> None:
    data = Nlvr(DATA, "dev")
    rows = [data.row(i) for i in range(len(data))]
    right = []
    with torch.no_grad():
        for i in range(0, len(rows), 200):
            found = trained.forward(*stacked([trained.encode(row) for row in rows[i : i + 200]]))
            labels = torch.tensor([row["label"] for row in rows[i : i + 200]])
            right.append(found.logits.argmax(1) == labels)
    accuracy = float(torch.cat(right).double().mean())
    assert accuracy >= 0.78
    record = models.describe("nlvr_regions", checkpoint=CHECKPOINT).record
    assert accuracy == pytest.approx(record["dev"]["accuracy"], abs=2e-3)


@needs_data
def test_the_shipped_model_answers_alike_in_all_permutations(trained: NlvrRegions) -> None:
    data = [Nlvr(DATA, f"dev@{k}") for k in range(6)]
    with torch.no_grad():
        for i in range(5):
            logits = torch.cat([answer(trained, trained.encode(d.row(i))).logits for d in data])
            torch.testing.assert_close(logits, logits[:1].expand_as(logits), rtol=1e-4, atol=1e-4)

"""Maps against boxes, counted by hand on maps of a few pixels."""

import pytest
import torch

from analysis_core import results
from analysis_core.errors import BadInput
from analysis_core.evaluation import faithfulness

MAP = torch.tensor([[1, 2, 3, 0], [4, 5, 6, 0], [0, 0, 9, 0]], dtype=torch.float64)


def test_a_map_is_read_inside_and_outside_of_its_box():
    # Columns 1 and 2 of rows 0 and 1: 2 + 3 + 5 + 6 of 30; 4 of 12 pixels. The highest, 9, lies below. The four highest
    # pixels are 9 6 5 4: two of them inside, so 2 / (4 + 4 - 2).
    found = faithfulness.boxes(MAP, torch.tensor([[1, 0, 3, 2]]))
    assert (found.pointing, found.energy, found.iou, found.area) == (0, 16 / 30, 2 / 6, 4 / 12)


def test_the_pointing_game_allows_a_margin_and_several_boxes_are_one_region():
    assert faithfulness.boxes(MAP, torch.tensor([[1, 0, 3, 2]]), margin=1).pointing == 1
    found = faithfulness.boxes(MAP, torch.tensor([[2, 2, 3, 3], [2, 1, 3, 3]]))
    assert (found.pointing, found.energy, found.area) == (1, 15 / 30, 2 / 12)


def test_a_pixel_belongs_to_a_box_that_holds_its_centre():
    # From .5 on the centres of columns 0 and 1 lie inside, up to 1.5 that of column 0 only.
    assert faithfulness.boxes(MAP, torch.tensor([[0.5, 0, 2, 1]])).area == 2 / 12
    assert faithfulness.boxes(MAP, torch.tensor([[0.0, 0, 1.5, 1]])).area == 1 / 12


def test_a_map_that_knows_nothing_gets_the_share_of_the_area():
    # Ties: 4 of 12 equal pixels are marked, of which 4/12 x 4 = 4/3 are expected inside: 4/3 / (8 - 4/3) = .2.
    found = faithfulness.boxes(torch.ones(3, 4), torch.tensor([[1, 0, 3, 2]]))
    assert found.pointing == pytest.approx(4 / 12)
    assert found.energy == pytest.approx(4 / 12)
    assert found.iou == pytest.approx(0.2)
    nothing = faithfulness.boxes(torch.zeros(3, 4), torch.tensor([[1, 0, 3, 2]]))
    assert nothing.energy is None
    assert nothing.pointing == pytest.approx(4 / 12)


def test_the_share_of_marked_pixels_can_be_fixed():
    # The two highest, 9 and 6, against four pixels: one inside, 1 / (2 + 4 - 1).
    assert faithfulness.boxes(MAP, torch.tensor([[1, 0, 3, 2]]), share=2 / 12).iou == pytest.approx(1 / 5)


def test_a_perfect_map_scores_one():
    perfect = torch.zeros(3, 4)
    perfect[:2, 1:3] = 1
    found = faithfulness.boxes(perfect, torch.tensor([[1, 0, 3, 2]]))
    assert (found.pointing, found.energy, found.iou) == (1, 1, 1)


def test_it_is_saved_and_loaded_without_loss():
    found = faithfulness.boxes(MAP, torch.tensor([[1, 0, 3, 2]]))
    assert results.loads(results.dumps(found)) == found


@pytest.mark.parametrize(
    ("map_", "box", "options", "sentence"),
    [
        (-MAP, [[1, 0, 3, 2]], {}, "negative"),
        (MAP * float("nan"), [[1, 0, 3, 2]], {}, "finite"),
        (MAP[0], [[1, 0, 3, 2]], {}, r"\[H, W\]"),
        (MAP, [[9, 9, 10, 10]], {}, "centre"),
        (MAP, [[3, 0, 1, 2]], {}, "centre"),
        (MAP, [1, 0, 3, 2], {}, r"\[k, 4\]"),
        (MAP, [[1, 0, 3, 2]], {"share": 0}, "share"),
        (MAP, [[1, 0, 3, 2]], {"margin": float("nan")}, "margin"),
        (MAP, [[1, 0, 3, 2]], {"margin": float("inf")}, "margin"),
    ],
)
def test_maps_and_boxes_that_make_no_sense_are_refused(map_, box, options, sentence):
    with pytest.raises(BadInput, match=sentence):
        faithfulness.boxes(map_, torch.tensor(box), **options)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_box_that_is_not_finite_is_named(bad):
    gold = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, bad, 1.0]])
    with pytest.raises(BadInput, match=r"^box \[0.0, 0.0, (nan|inf), 1.0\] is not finite"):
        faithfulness.boxes(torch.ones(4, 4), gold)


def test_maps_and_boxes_of_any_library_are_read_and_what_is_none_is_refused():
    told = faithfulness.boxes([[1.0, 0.0], [0.0, 0.0]], [[0, 0, 1, 1]])
    assert (told.pointing, told.energy, told.area) == (1.0, 1.0, 0.25)
    with pytest.raises(BadInput, match="boxes must be a tensor or array of numbers"):
        faithfulness.boxes(torch.ones(2, 2), "left")
    with pytest.raises(BadInput, match=r"a map must be \[H, W\]"):
        faithfulness.boxes(torch.ones(0, 2), [[0, 0, 1, 1]])


def test_shares_are_of_double_precision_and_of_any_size():
    # Of 12 equal pixels, 4 inside: not the nearest float32 to a third.
    assert faithfulness.boxes(torch.ones(3, 4), [[1, 0, 3, 2]]).pointing == 4 / 12
    assert faithfulness.boxes(torch.full((3, 4), 1e308, dtype=torch.float64), [[1, 0, 3, 2]]).energy == 4 / 12


def test_many_boxes_on_a_large_map_need_no_mask_for_each(monkeypatch):
    largest = 0
    real = torch.Tensor.__and__

    def watched(one, two):
        nonlocal largest
        found = real(one, two)
        largest = max(largest, found.numel())
        return found

    monkeypatch.setattr(torch.Tensor, "__and__", watched)
    boxes = torch.tensor([[i, i, i + 2, i + 1] for i in range(50)])
    found = faithfulness.boxes(torch.ones(60, 80), boxes)
    assert found.area == 100 / 4800
    assert 0 < largest <= 4800

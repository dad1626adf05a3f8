"""Sparsity curves and histograms: points where their numbers say, marks, refusals."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from analysis_core.errors import BadInput
from analysis_core.visualizations import curve

SVG = "{http://www.w3.org/2000/svg}"


def parse(picture: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(picture)  # noqa: S314 - our own output


def test_points_lie_in_the_order_of_their_counts_and_the_chosen_one_is_ringed_and_named() -> None:
    root = parse(curve.sparsity([10, 0, 5], [0.9, 0.5, 0.8], 2, title="t"))
    dots = [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in root.iter(f"{SVG}circle") if c.get("r") == "2.5"]
    # From 64 to 560 - 24 over 0 to 10 features.
    assert [x for x, _ in dots] == [64.0, 300.0, 536.0]
    assert dots[0][1] > dots[1][1] > dots[2][1]
    ring = next(c for c in root.iter(f"{SVG}circle") if c.get("r") == "7")
    assert (float(ring.get("cx", "")), float(ring.get("cy", ""))) == dots[1]
    assert "chosen: 5 features, accuracy 80.0%" in [text.text for text in root.iter(f"{SVG}text")]


def test_one_point_and_scores_that_never_change_have_a_curve() -> None:
    for counts, scores in (([3], [0.5]), ([1, 2, 3], [0.25, 0.25, 0.25])):
        root = parse(curve.sparsity(counts, scores, title="t", score="R2", percent=False))
        assert len(list(root.iter(f"{SVG}circle"))) == len(counts)
        assert "nan" not in ElementTree.tostring(root).decode()


def test_bars_are_as_high_as_their_counts_and_the_mark_lies_at_its_value() -> None:
    root = parse(curve.histogram([0, 1, 2], [10, 5], title="t", mark=4.0))
    bars = [r for r in root.iter(f"{SVG}rect") if r.get("fill-opacity")]
    high, low = (float(bar.get("height", "")) for bar in bars)
    assert high == pytest.approx(2 * low, abs=0.02)
    mark = next(line for line in root.iter(f"{SVG}line") if line.get("stroke-dasharray"))
    # The range is widened to the mark, which is then its right end.
    assert float(mark.get("x1", "")) == 536.0


@pytest.mark.parametrize(
    ("edges", "counts"), [([0, 1], [1, 2]), ([0, 0, 1], [1, 2]), ([0, 1], [-1]), ([0, float("inf")], [1]), ([0], [])]
)
def test_bins_that_are_none_are_refused(edges: list[float], counts: list[float]) -> None:
    with pytest.raises(BadInput):
        curve.histogram(edges, counts, title="t")


@pytest.mark.parametrize(("counts", "scores"), [([], []), ([1, 2], [0.5]), ([1], [float("nan")])])
def test_curves_without_sound_points_are_refused(counts: list[float], scores: list[float]) -> None:
    with pytest.raises(BadInput):
        curve.sparsity(counts, scores, title="t")


def texts(picture: bytes) -> list[str]:
    return [text.text or "" for text in parse(picture).iter(f"{SVG}text")]


def test_numbers_of_an_axis_are_told_apart_and_stay_on_the_card() -> None:
    close = texts(curve.sparsity([1, 2, 3], [0.901, 0.902, 0.904], title="t"))
    assert "90.1%" in close or "90.10%" in close
    far = curve.histogram([1000, 1000.0005, 1000.001], [1, 2], title="t")
    for drawn in (close, texts(far), texts(curve.sparsity([1, 2], [123456.1, 123456.2], title="t", percent=False))):
        assert len(set(drawn)) == len(drawn)
    for label in parse(far).iter(f"{SVG}text"):
        room = float(label.get("textLength", "")) / (2 if label.get("text-anchor") == "middle" else 1)
        assert float(label.get("x", "")) + (0 if label.get("text-anchor") == "end" else room) <= 560


def test_no_share_above_one_and_no_fraction_of_a_datapoint_is_numbered() -> None:
    drawn = texts(curve.sparsity([1, 2, 3], [1, 1, 1], title="t"))
    assert "100%" in drawn
    assert not {"102%", "104%"} & set(drawn)
    assert "1.5" not in texts(curve.histogram([0, 10, 20], [3, 1], title="t"))
    assert "0.2" in texts(curve.histogram([0, 10, 20], [0.9, 0.1], title="t"))


def test_a_long_score_does_not_run_into_what_was_chosen() -> None:
    labels = {
        label.get("text-anchor"): label
        for label in parse(curve.sparsity([1, 2], [0.5, 0.6], 1, title="t", score="balanced accuracy " * 5)).iter(
            f"{SVG}text"
        )
        if label.get("y") == "22"
    }
    end = float(labels["start"].get("x", "")) + float(labels["start"].get("textLength", ""))
    begin = float(labels["end"].get("x", "")) - float(labels["end"].get("textLength", ""))
    assert end < begin - 20
    assert labels["end"].text == "chosen: 2 features, 60.0%"


@pytest.mark.parametrize("mark", [float("nan"), float("inf"), "x"])
def test_a_mark_that_is_none_is_refused(mark: float) -> None:
    with pytest.raises(BadInput, match="mark must be a finite number"):
        curve.histogram([0, 1, 2], [1, 2], title="t", mark=mark)


def test_very_large_numbers_have_an_axis_or_are_refused() -> None:
    assert "1e+18" in texts(curve.sparsity([1, 2], [1e18, 1e18], title="t", percent=False))
    with pytest.raises(BadInput, match="cannot be drawn"):
        curve.histogram([-1e308, 0, 1e308], [1, 2], title="t")

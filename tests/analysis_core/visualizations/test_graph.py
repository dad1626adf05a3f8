"""The graph of the prediction stage: widths, dashes, numbers and the masked class."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from analysis_core.errors import BadInput
from analysis_core.visualizations import graph, svg

SVG = "{http://www.w3.org/2000/svg}"


def parse(picture: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(picture)  # noqa: S314 - our own output


def texts(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def contrast(code: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""

    def luminance(colour: str) -> float:
        shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(code), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_lines_are_as_thick_as_the_coefficient_and_dashed_where_negative():
    root = parse(graph.svg([("Feature 1", 2.0), ("Feature 2", -1.0)], "blue"))
    one, two = root.findall(f"{SVG}path")
    # 1.5 + 7.5 * share of the largest: 9 and 5.25.
    assert (one.get("stroke-width"), two.get("stroke-width")) == ("9", "5.25")
    assert one.get("stroke-dasharray") is None
    assert two.get("stroke-dasharray")
    assert texts(root) == ["Feature 1", "Feature 2", "blue", "+2", "−1"]


def test_a_masked_class_is_named_nowhere_and_a_named_one_is():
    masked = graph.svg([("Feature 1", 0.5)], None)
    assert b"the predicted answer" in masked
    assert parse(masked).find(f"{SVG}title").text == "Features that count for the predicted answer"
    assert parse(graph.svg([("Feature 1", 0.5)], "blue")).find(f"{SVG}title").text == "Features that count for blue"


def test_features_keep_their_order_and_weight_zero_is_never_drawn():
    root = parse(graph.svg([("b", -3.0), ("zero", 0.0), ("a", 0.001234)], None))
    assert texts(root) == ["b", "a", "the predicted answer", "−3", "+0.00123"]


def test_without_features_the_card_says_so():
    root = parse(graph.svg([], None))
    assert texts(root) == ["No feature carries weight for the predicted answer."]
    assert root.findall(f"{SVG}path") == []


def test_labels_are_escaped_and_shortened_but_whole_in_the_node_title():
    long = "<b>&\"a feature with a name that is longer than its node's room"
    root = parse(graph.svg([(long, 1.0)], "<i>"))
    assert texts(root)[0].startswith('<b>&"a feature')
    assert texts(root)[0].endswith("…")
    assert long in [title.text for title in root.iter(f"{SVG}title")]


def test_everything_lies_on_a_light_card_with_enough_contrast():
    root = parse(graph.svg([(f"Feature {k}", 1.0 - 0.3 * k) for k in range(6)], None))
    high = float(root.get("height"))
    assert all(0 < float(text.get("y")) < high for text in root.iter(f"{SVG}text"))
    assert root.find(f"{SVG}rect").get("fill") == svg.PAPER
    for colour in (svg.INK, svg.PALE_INK, svg.POSITIVE, svg.NEGATIVE):
        assert contrast(colour, svg.PAPER) >= 4.5


def test_the_bytes_are_the_same_again():
    assert graph.svg([("a", 1.0)], None) == graph.svg([("a", 1.0)], None)


def test_a_coefficient_that_is_no_number_is_refused():
    with pytest.raises(BadInput, match="coefficient of 'a' must be a finite number, not nan"):
        graph.svg([("a", float("nan"))], None)

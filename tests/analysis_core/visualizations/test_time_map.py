"""Time x channel maps: classes of tint, marks of the sign, broken lines."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from analysis_core.errors import BadInput
from analysis_core.visualizations import colours, svg, time_map

SVG = "{http://www.w3.org/2000/svg}"


def parse(picture: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(picture)  # noqa: S314 - our own output


def cells(root: ElementTree.Element) -> dict[tuple[str, str], int]:
    """(tint, opacity) -> number of cells drawn in it."""
    paths = [path for path in root.iter(f"{SVG}path") if path.get("fill") != "none"]
    return {(p.get("fill", ""), p.get("fill-opacity", "")): p.get("d", "").count("M") for p in paths}


def lines(root: ElementTree.Element) -> list[str]:
    return [path.get("d", "") for path in root.iter(f"{SVG}path") if path.get("fill") == "none"]


def test_strength_is_told_in_five_classes_and_the_sign_by_tint_and_mark() -> None:
    # Shares of the largest: 1, .5 (class 3, .5 * 5 + .5 = 3), .2 (class 1), 0.
    root = parse(time_map.svg([[1.0, -0.5], [0.2, 0.0]], ["a", "b"], title="t"))
    assert cells(root) == {
        (colours.POSITIVE[0], "1"): 1,
        (colours.POSITIVE[0], "0.2"): 1,
        (colours.NEGATIVE[0], "0.6"): 1,
    }
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts == ["a", "b", "+", "\N{MINUS SIGN}", "0", "1"]


def test_a_line_is_broken_where_nothing_was_observed() -> None:
    values, series = np.ones((5, 2)), np.array([[0, 1], [1, 1], [np.nan, 1], [2, 1], [3, 1]], dtype=float)
    moving, constant = lines(parse(time_map.svg(values, ["a", "b"], title="t", series=series)))
    assert (moving.count("M"), moving.count("L")) == (2, 2)
    heights = re.findall(r"[ML][\d.]+ ([\d.]+)", moving)
    # The row is 34 high from 20 on: the smallest value lies at 20 + 34 - 6, the largest at 20 + 6.
    assert (heights[0], heights[-1]) == ("48", "26")
    # Constant: the middle of the second row, 20 + 34 + 17.
    assert set(re.findall(r"[ML][\d.]+ ([\d.]+)", constant)) == {"71"}


def test_thousands_of_cells_stay_a_small_file_with_an_axis_that_is_not_crowded() -> None:
    values = np.random.default_rng(0).normal(size=(200, 20))
    picture = time_map.svg(values, [f"channel {c}" for c in range(20)], title="t", steps=[f"{i} h" for i in range(200)])
    assert len(picture) < 250_000
    xs = [float(t.get("x", "0")) for t in parse(picture).iter(f"{SVG}text") if t.get("fill") == svg.PALE_INK]
    assert 5 <= len(xs) <= 20
    assert min(np.diff(xs)) > 40


def test_names_are_escaped_and_whole_in_the_title() -> None:
    name = '<b>&"a channel with a long name'
    root = parse(time_map.svg([[1.0]], [name], title="<t>"))
    assert [title.text for title in root.iter(f"{SVG}title")] == ["<t>", name]


@pytest.mark.parametrize(
    ("values", "channels", "options", "said"),
    [
        ([1.0, 2.0], ["a"], {}, "needs values"),
        ([[1.0, 2.0]], ["a"], {}, "as many names"),
        ([[1.0, float("nan")]], ["a", "b"], {}, "'b' at step 0 is nan"),
        ([[1.0]], ["a"], {"steps": ["x", "y"]}, "as many names"),
        ([[1.0]], ["a"], {"series": [[1.0, 2.0]]}, "the series are"),
    ],
)
def test_what_does_not_fit_is_refused(values: object, channels: list[str], options: dict, said: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(BadInput, match=said):
        time_map.svg(values, channels, title="t", **options)


def test_long_names_of_steps_stay_on_the_card_and_very_large_series_have_lines() -> None:
    steps = [f"2026-01-{i:02d} 12:00" for i in range(1, 11)]
    series = 1e308 * np.linspace(-1, 1, 10)[:, None]
    root = parse(time_map.svg(np.ones((10, 1)), ["a"], title="t", steps=steps, series=series))
    named = [text for text in root.iter(f"{SVG}text") if (text.text or "").startswith("2026")]
    assert len(named) > 2
    for text in named:
        assert float(text.get("x", "")) + float(text.get("textLength", "")) / 2 <= 720
    (line,) = lines(root)
    assert (line.count("M"), line.count("L")) == (1, 9)

"""Warnings in words, the gravest first, and only where they apply."""

from __future__ import annotations

import re

import pytest

from analysis_core.statistics import interval_notes
from studies.reports.build import build
from studies.reports.export import render
from studies.reports.warnings import about_widths
from tests.studies.reports.answers import make_sheet, make_version, right
from tests.studies.reports.report_values import a_condition, a_report, an_alpha

pytestmark = pytest.mark.django_db


def arms(number: int) -> str:
    """So many conditions without an order."""
    return "[" + ", ".join(f"{{name: c{i}, stages: [{'U' if i % 2 else 'C'}]}}" for i in range(number)) + "]"


def filled(number: int, per_condition: int):
    version = make_version(conditions=arms(number), slug=f"arms-{number}-{per_condition}")
    for condition in version.conditions.all():
        for count in range(per_condition):
            make_sheet(version, condition.name, right(5 + count))
    return build(version)


def test_five_per_condition_reach_the_level_and_three_do_not():
    assert not [w for w in filled(2, 5).warnings if "cannot go below" in w]
    assert [w for w in filled(2, 3).warnings if "cannot go below p = 0.10" in w]


def test_holms_limit_names_the_number_that_is_enough():
    # Three pairs of 4 per condition: 3 * 2 / 70 = .0857; of 5: 3 * 2 / 252 = .0238
    said = (
        "3 pairs: after Holm's correction no p can go below 0.086; 5 annotators per condition could reach the plan's"
        " level of 0.05."
    )
    assert said in filled(3, 4).warnings
    assert not [w for w in filled(3, 5).warnings if "Holm" in w]


def test_unequal_numbers_are_named():
    version = make_version(conditions=arms(2))
    for count in (3, 4):
        make_sheet(version, "c0", right(count))
    make_sheet(version, "c1", right(5))
    assert "Conditions differ in their numbers of annotators: c0 2, c1 1." in build(version).warnings


def test_an_alpha_without_an_interval_says_why():
    version = make_version(count=4, conditions=arms(2))
    for name, second in (("c0", "AABB"), ("c1", "AABA")):
        make_sheet(version, name, "AABB")
        make_sheet(version, name, second)
    found = build(version).warnings
    assert "Alpha of condition c0 has no interval: all agree, and nothing tells how far others would differ." in found
    assert (
        "Alpha of condition c1 has no interval: there are two annotators, and nothing tells how far another pair would"
        " differ; the one for these annotators and new items stands beside it." in found
    )


def test_intervals_of_few_annotators_and_wide_ones_are_named():
    version = make_version(conditions=arms(2))
    for letters in ("AABBCCDD", "AABBCDDC", "ABBACCDD"):
        make_sheet(version, "c0", letters)
    for count in (5, 6, 7, 8, 9):
        make_sheet(version, "c1", right(count))
    report = build(version)
    few, wide = (condition.alpha.interval for condition in report.conditions)
    # What was simulated at each size stands in the statistics, beside the table it comes from
    for annotators in (3, 5):
        assert set(interval_notes(annotators, 20)) <= set(report.warnings)
    assert any(warning.startswith("3 annotators x 20 items: alpha's interval") for warning in report.warnings)
    assert few is not None
    assert wide is not None
    hardly = [warning for warning in report.warnings if "hardly bound" in warning]
    assert bool(hardly) == (few[1] - few[0] > 1 or wide[1] - wide[0] > 1)


def scattered(count: int, row: int) -> str:
    """So many right answers at 40 items, each annotator's wrong ones elsewhere; A is right."""
    return "".join("A" if (item + 7 * row) % 40 < count else "BCD"[item % 3] for item in range(40))


def test_annotators_who_differ_more_than_items_are_told_once_in_every_form():
    version = make_version(conditions=arms(2), count=40)
    for row, count in enumerate((39, 35, 20, 5, 1)):
        make_sheet(version, "c0", scattered(count, row))
        make_sheet(version, "c1", scattered(30, row))
    report = build(version)
    (said,) = [warning for warning in report.warnings if "differ more than items" in warning]
    assert re.search(r"logits: c0 [\d.]+ against [\d.]+\)", said)
    assert "c1" not in said
    for form in ("text", "json", "latex"):
        assert "differ more than items" in render(report, form)
    assert "differ more than items" in " ".join(render(report, "html").split())


def test_two_choices_are_told_of_where_all_items_have_two():
    for choices, expected in (((2,) * 40, 1), ((2,) * 39, 0)):
        version = make_version(count=40, choices=choices, conditions=arms(1), slug=f"two-{expected}")
        for row in range(5):
            make_sheet(version, "c0", scattered(30, row).replace("C", "B").replace("D", "B"))
        assert sum("with two choices" in warning for warning in build(version).warnings) == expected


@pytest.mark.parametrize(
    ("lows", "said"),
    [
        # From each low end to .9; the second intervals are .3 and .4 wide
        ((-0.3, -0.6), "(1.2 to 1.5, every condition): more annotators or items would. Those for"),
        ((-0.3, -0.31), "(1.2 in every condition): more"),
        ((-0.3, 0.4), "(U 1.2): more annotators or items would. Those for"),
    ],
)
def test_wide_intervals_are_said_once_and_point_to_the_narrower_ones(lows: tuple[float, float], said: str):
    arms = [
        a_condition(name, [0.5], alpha={**an_alpha(0.7), "interval": (low, 0.9), "interval_items": (0.5, end)})
        for name, low, end in zip("UC", lows, (0.8, 0.9), strict=True)
    ]
    found = " ".join(about_widths(a_report(["U", "C"], conditions=arms).conditions))
    assert found.startswith("Intervals of alpha for new annotators and new items so wide")
    assert said in found
    widest = 0.3 if "(U" in said else 0.4
    assert f"these annotators and new items stand beside them (at most {widest} wide)" in found


def test_simulated_comes_first_then_the_plan_then_numbers_then_limits_then_sheets():
    version = make_version(conditions=arms(2))
    for condition in ("c0", "c1"):
        for count in (4, 5, 6):
            make_sheet(version, condition, right(count), kind="simulated")
    make_sheet(version, "c0", "A", kind="simulated", step="item")
    version.plan_sha256 = "f" * 64
    found = build(version).warnings
    beginnings = (
        "These answers come from simulated",
        "Definition, items or artefacts",
        "3 annotators per",
        "Not counted",
    )
    places = [next(i for i, warning in enumerate(found) if warning.startswith(begin)) for begin in beginnings]
    assert places == sorted(places)
    assert places[0] == 0


def note_types(version, **types: tuple[str, str]) -> None:
    """types: datapoint -> types of the predicted and the other choices; all others are colours."""
    for item in version.items.all():
        predicted, others = types.get(f"item{item.index}", ("color", "color"))
        item.choices = [{**c, "type": predicted if c["letter"] == "A" else others} for c in item.choices]
        item.save()


def test_items_whose_true_answer_is_of_another_type_are_counted():
    # The truth is another answer than the prediction at items 0 to 2; at item 2 it is of the same type.
    # The practice item (index 20) is not counted.
    version = make_version(wrong_items=(0, 1, 2, 20))
    other = ("color", "number")
    note_types(version, item0=other, item1=("boolean", "color"), item2=("shape", "shape"), item20=other)
    make_sheet(version, "U", right(8))
    said = (
        "At 2 of 20 items the true answer is of another type than the prediction (color instead of boolean: 1, number"
        " instead of color: 1): it can be ruled out by type, and guessing is easier than the chance level says."
    )
    assert said in build(version).warnings


def test_distractors_of_another_type_than_the_prediction_are_not_spoken_of():
    version = make_version()
    note_types(version, item0=("color", "number"))
    assert not [w for w in build(version).warnings if "another type" in w]


def test_items_without_types_are_not_spoken_of():
    assert not [w for w in build(make_version(wrong_items=(0, 1))).warnings if "another type" in w]

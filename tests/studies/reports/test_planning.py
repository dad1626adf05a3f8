"""A computed plan: sentences that say what the figures say, tables, curves, and a size that a database row can hold."""

from __future__ import annotations

import json

import pytest

from studies.reports import plan_tables, planning
from studies.reports.charts_plan import _apart, plan_chart_rows
from studies.reports.plan_request import PlanRequest
from studies.reports.plan_text import plan_text
from studies.reports.planning import build_plan, points


@pytest.fixture(autouse=True)
def _few_simulations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "MOST_STUDIES", 300)
    monkeypatch.setattr(planning, "TABLES", 10)
    monkeypatch.setattr(planning, "CURVE_TABLES", 3)


def test_the_answer_comes_first_and_names_what_suffices() -> None:
    plan = build_plan(PlanRequest())
    assert plan.power is not None
    often = f"{100 * plan.power:.0f} of 100 studies"
    assert plan.answer[0] == f"8 annotators per condition find .55 → .80 in {often} (20 items)."
    by_people = plan.option("power", "annotators")
    assert by_people is not None
    assert f"{by_people.number} annotators per condition with 20 items" in plan.answer[1]
    # 10 + 1.5 * 20 = 40 minutes each, 16 people: 10.7 hours, at 12 an hour 128
    assert plan.answer[3] == "One annotator needs 40 minutes, all 16 together 10.7 hours: 128 at 12.00 per hour."


def test_three_per_condition_are_told_that_they_can_never_find_a_difference() -> None:
    plan = build_plan(PlanRequest(annotators=(3,)))
    assert plan.answer[0] == (
        "3 annotators per condition can never find a difference: the test cannot go below p = 0.1."
    )
    rows = plan_tables.option_table(plan).rows
    assert rows[1][:2] == ("found in 80 %", "items")
    assert "cannot go below p = 0.1" in rows[1][2]


def test_a_trend_is_called_a_trend_and_pairs_name_the_largest_difference() -> None:
    request = PlanRequest(accuracies=(0.5, 0.8, 0.6), annotators=(5,), conditions=("U", "U+C", "P"), test="trend")
    assert "find the trend from .50 to .60 over 3 conditions" in build_plan(request).answer[0]
    pairs = build_plan(request.model_copy(update={"test": "pairs"}))
    assert "find .50 → .80 (U against U+C, the largest difference)" in pairs.answer[0]
    assert [(pair.a, pair.b) for pair in pairs.pairs] == [("U", "U+C"), ("U", "P"), ("U+C", "P")]


def test_one_condition_has_widths_and_costs_and_no_power() -> None:
    plan = build_plan(PlanRequest(accuracies=(0.7,)), draw=True)
    assert plan.answer[0].startswith("With one condition there is nothing to compare")
    assert plan.grid.power is None
    assert [chart["name"] for chart in plan.charts] == ["plan-alpha", "plan-cost"]
    assert "found" not in plan_text(plan)
    assert f"item SD 1; {plan.simulations} simulated studies\n" in plan_text(plan), "nothing of a test"


def test_one_item_is_not_items_and_accuracies_have_the_same_decimals() -> None:
    plan = build_plan(PlanRequest(accuracies=(0.1, 0.9), annotators=(40,), annotator_sd=0, item_sd=0))
    assert plan_tables.arm_table(plan).rows[1][1] == "0.90"
    assert " 1 item with" in plan.answer[1]


def test_all_parts_say_the_same_of_the_same_design() -> None:
    plan = build_plan(PlanRequest())
    column, row = plan.grid.annotators.index(8), plan.grid.items.index(20)
    assert plan.grid.power is not None
    assert plan.grid.power[row][column] == plan.power
    assert plan.grid.alpha_width[row][column] == max(arm.alpha_width or 0 for arm in plan.arms)
    assert plan.grid.money[row][column] == plan.money == pytest.approx(sum(arm.money for arm in plan.arms))
    by_people = plan.option("power", "annotators")
    assert by_people is not None
    assert by_people.number in plan.grid.annotators
    assert plan.grid.power[row][plan.grid.annotators.index(by_people.number)] == by_people.value


def test_conditions_of_different_sizes_are_planned_as_they_are() -> None:
    plan = build_plan(PlanRequest(annotators=(4, 12)), draw=True)
    assert plan.answer[0].startswith("4, 12 annotators find .55 → .80 in")
    assert [arm.annotators for arm in plan.arms] == [4, 12]
    assert "asked" not in plan.charts[0]["svg"]


def test_progress_reaches_its_end_and_the_result_stays_small() -> None:
    seen: list[tuple[int, int]] = []
    plan = build_plan(PlanRequest(annotators=(6,)), progress=lambda done, total: seen.append((done, total)), draw=True)
    assert seen == [(step, 8) for step in range(1, 9)]
    assert len(json.dumps(plan.model_dump(mode="json"))) < 200_000
    assert "charts" not in plan.as_json()


def test_curves_are_told_apart_without_colour() -> None:
    plan = build_plan(PlanRequest(annotators=(6,)), draw=True)
    assert [chart["name"] for chart in plan.charts] == ["plan-power", "plan-alpha", "plan-cost"]
    for chart in plan.charts:
        for name in ("10 items", "20 items", "40 items"):
            assert f">{name}<" in chart["svg"]
        assert "stroke-dasharray" in chart["svg"]
        assert 'role="img"' in chart["svg"]
    assert ">wanted: 80 %<" in plan.charts[0]["svg"]


def test_a_curve_that_cannot_be_drawn_leaves_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = build_plan(PlanRequest(annotators=(6,)))
    monkeypatch.setattr("studies.reports.charts_plan.plan_charts", lambda plan: 1 / 0)
    assert plan_chart_rows(plan) == [{"failed": "ZeroDivisionError: division by zero"}]


def test_names_at_the_ends_of_lines_do_not_lie_upon_each_other() -> None:
    # Of 250 pixels they lie 0, 10 and 20 below the top, and are moved to 0, 14 and 28.
    assert _apart([1.0, 0.96, 0.92]) == [0, 4, 8]
    assert _apart([0.2, 0.9, 0.5]) == [0, 0, 0]


def test_curves_have_a_point_at_the_design_and_at_what_suffices() -> None:
    assert points(2, 16, {8, 11, 90}) == (2, 3, 4, 5, 7, 8, 9, 11, 12, 16)


@pytest.mark.parametrize(
    "request_",
    [
        PlanRequest(annotators=(200,), items=2),
        PlanRequest(accuracies=(0.5,) * 10, annotators=(1,), items=2, annotator_sd=0, item_sd=0),
        PlanRequest(accuracies=(0.999, 0.001), annotators=(1, 2), pay=0),
    ],
)
def test_the_ends_of_what_may_be_asked_are_computed(request_: PlanRequest) -> None:
    plan = build_plan(request_, draw=True)
    assert plan.answer[0]
    assert "nan" not in plan_text(plan)
    assert all("failed" not in chart for chart in plan.charts)

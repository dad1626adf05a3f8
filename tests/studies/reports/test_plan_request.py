"""What a planner is asked: read from texts, with sentences; defaults from a study; one hash per set of parameters."""

from __future__ import annotations

import pytest

from studies.reports.plan_request import EXPECTED, PlanRequest, plan_of_study, plan_read
from tests.studies.reports.answers import make_config


def test_texts_take_the_place_of_defaults_and_empty_ones_do_not() -> None:
    asked, problems = plan_read({"accuracies": " .5; .6 .7,", "annotators": "5", "items": ""}, PlanRequest(items=30))
    assert problems == {}
    assert (asked.accuracies, asked.sizes, asked.items) == ((0.5, 0.6, 0.7), (5, 5, 5), 30)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("accuracies", "55, 80"),
        ("accuracies", ".5,x"),
        ("accuracies", ",".join([".5"] * 11)),
        ("annotators", "2.5"),
        ("annotators", "0"),
        ("annotators", "9" * 5000),
        ("items", "1"),
        ("items", "٢٠"),
        ("items", "1_0"),
        ("level", "5"),
        ("power", "nan"),
        ("pay", "inf"),
        ("pay", "1e3"),
        ("test", "t"),
        ("fee", "-1"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(name: str, text: str) -> None:
    asked, problems = plan_read({name: text}, PlanRequest())
    assert asked == PlanRequest()
    assert list(problems) == [name]
    assert problems[name].endswith(f"is not {EXPECTED[name]}.")
    assert len(problems[name]) < 200


@pytest.mark.parametrize(
    ("texts", "field", "said"),
    [
        ({"annotators": "3,4"}, "annotators", "2 numbers for 3 conditions"),
        ({"annotators": "200"}, "annotators", "600 people in all"),
        ({"accuracies": ".7", "test": "trend"}, "test", "one condition has no trend"),
    ],
)
def test_values_that_do_not_go_together_are_said(texts: dict[str, str], field: str, said: str) -> None:
    _, problems = plan_read(texts, PlanRequest(accuracies=(0.5, 0.6, 0.7)))
    assert list(problems) == [field]
    assert said in problems[field]


def test_the_address_holds_all_parameters_and_gives_the_same_plan_again() -> None:
    asked = PlanRequest(accuracies=(0.5, 0.625), annotators=(4, 6), test="pairs", pay=9.5, fee=33)
    texts = dict(part.split("=") for part in asked.query().split("&"))
    again, problems = plan_read(texts, PlanRequest())
    assert problems == {}
    assert again == asked
    assert again.sha256 == asked.sha256 != PlanRequest().sha256


def test_conditions_without_an_order_are_compared_in_pairs_as_their_report_does() -> None:
    config = make_config(conditions="[{name: A, stages: [U]}, {name: B, stages: [C]}]")
    assert config.plan.primary == "trend"
    assert plan_of_study(config).test == "pairs"
    assert plan_of_study(make_config()).test == "trend"


def test_a_study_says_what_its_definition_says() -> None:
    config = make_config(count=20)
    found = plan_of_study(config)
    assert found.conditions == tuple(arm.name for arm in config.arms)
    assert found.accuracies[0] == 0.55
    assert found.accuracies[-1] == 0.80
    assert found.sizes == tuple(arm.quota for arm in config.arms)
    assert (found.items, found.further_items, found.test) == (20, config.items.practice, config.plan.primary)
    # The whole sheet takes as long as annotators are told.
    whole = found.minutes_fixed + found.minutes_per_item * (found.items + found.further_items)
    assert whole == pytest.approx(config.pages.minutes, abs=0.2)


@pytest.mark.parametrize(
    ("pay", "hourly"),
    [(None, 12), ("A voucher", 12), ("£6", 9), ("9 EUR per hour", 9), ("2 to 3 EUR", 12), ("4.50", 6.75)],
)
def test_a_pay_with_one_sum_is_turned_into_one_per_hour(pay: str | None, hourly: float) -> None:
    # 40 minutes: 6 is 9 per hour, 4.50 is 6.75
    config = make_config()
    pages = config.pages.model_copy(update={"pay": pay, "minutes": 40})
    assert plan_of_study(config.model_copy(update={"pages": pages})).pay == hourly


def test_conditions_without_names_are_numbered() -> None:
    assert PlanRequest(conditions=("U",)).names == ("condition 1", "condition 2")
    assert PlanRequest(conditions=("U", "U+C")).names == ("U", "U+C")

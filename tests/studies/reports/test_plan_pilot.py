"""Which answers a plan may learn from, and what it takes from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies.models import Study
from studies.reports.plan_pilot import PilotRefused, pilot_of_file, pilot_of_study
from studies.reports.plan_request import PlanRequest, plan_of_study
from tests.studies.reports.answers import make_sheet, make_version, right

COLUMNS = {"unit": "item", "rater": "rater", "value": "answer", "truth": "truth", "group": None}


@pytest.mark.django_db
def test_pilot_sheets_come_before_simulated_ones_and_live_ones_are_not_looked_at() -> None:
    version = make_version()
    make_sheet(version, "U", right(3), kind="live")
    make_sheet(version, "U", right(5), kind="live")
    request = plan_of_study(version.config)
    with pytest.raises(PilotRefused, match="no finished pilot or simulated sheets"):
        pilot_of_study(version.study, request, wanted="any")
    for kind in ("simulated", "pilot"):
        for condition in ("U", "U+Rl"):
            make_sheet(version, condition, right(9), kind=kind)
            make_sheet(version, condition, right(14), kind=kind)
        assert pilot_of_study(version.study, request, wanted="any").notes[0].startswith(f"From {kind} sheets")


@pytest.mark.django_db
def test_live_sheets_are_refused_until_the_study_is_unblinded() -> None:
    version = make_version()
    for condition in ("U", "U+Rl"):
        make_sheet(version, condition, right(9))
        make_sheet(version, condition, right(14))
    request = plan_of_study(version.config)
    for state in ("open", "closed"):
        Study.objects.update(state=state)
        with pytest.raises(PilotRefused, match="looked at after unblinding"):
            pilot_of_study(Study.objects.get(), request, wanted="live")
    Study.objects.update(state="unblinded")
    found = pilot_of_study(Study.objects.get(), request, wanted="live")
    assert found.request.conditions == ("U", "U+Rl")
    # 23 of 40 answers are right in both.
    assert found.request.accuracies[0] == found.request.accuracies[1] > 0.5
    assert any("do not tell how much people differ" in note for note in found.notes)


@pytest.mark.django_db
def test_what_was_given_stays_as_it_is() -> None:
    version = make_version()
    for condition in ("U", "U+Rl"):
        make_sheet(version, condition, right(9), kind="pilot")
        make_sheet(version, condition, right(14), kind="pilot")
    asked = plan_of_study(version.config).model_copy(update={"accuracies": (0.5, 0.7), "item_sd": 0.25})
    found = pilot_of_study(version.study, asked, wanted="pilot", keep=frozenset({"accuracies", "item_sd"}))
    assert (found.request.accuracies, found.request.item_sd) == ((0.5, 0.7), 0.25)


def test_a_file_of_answers_is_a_pilot(tmp_path: Path) -> None:
    rows = [f"{item},r{rater},{'ab'[(item * rater) % 3 == 0]},a" for item in range(12) for rater in range(1, 7)]
    path = tmp_path / "pilot.csv"
    path.write_text("\n".join(["item,rater,answer,truth", *rows]) + "\n")
    found = pilot_of_file(path, COLUMNS, PlanRequest())
    assert found.notes[0].startswith("From pilot.csv (1 condition; 95 % intervals)")
    assert found.request.accuracies == PlanRequest().accuracies
    assert found.request.item_sd > 0.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("item,rater,answer\n1,a,x\n", "truth"),
        ("item,rater,answer,truth\n1,a,x,x\n", "1 x 1 answers tells nothing"),
        ("item,rater,answer,truth\n1,a,x,x\n1,b,x,x\n2,a,y,y\n2,b,y,y\n", "equally right"),
    ],
)
def test_a_file_that_tells_nothing_says_why(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "pilot.csv"
    path.write_text(text)
    with pytest.raises(PilotRefused, match=said):
        pilot_of_file(path, COLUMNS, PlanRequest())

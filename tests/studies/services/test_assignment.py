"""Which condition a sheet gets: quotas, time-outs, late returners, arms closed by hand, ties."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from studies.models import Condition, Sheet, Study
from studies.services.assignment import condition_close, condition_reopen, has_place, neediest_condition
from studies.services.freezing import StudyRefused, study_close
from studies.services.sheets import sheet_assign, sheet_consent, sheet_create, sheet_seen
from studies.services.withdrawing import sheet_withdraw

pytestmark = pytest.mark.django_db
ARMS = ["U", "U+C", "U+C+Rl", "U+C+Rl+Rg", "U+C+Rl+Rg+P"]
QUOTA = 3


def arrive(study: Study, kind: str = "live") -> Sheet:
    """Somebody new, who consents and is assigned."""
    return sheet_consent(sheet=sheet_create(study=study, kind=kind), text="I agree.")


def arms(study: Study) -> dict[str, int]:
    """Sheets assigned to each arm, whatever became of them."""
    names = Sheet.objects.filter(version__study=study, condition__isnull=False).values_list("condition__name")
    return dict(Counter(name for (name,) in names))


def leave(sheet: Sheet, minutes: int = 61) -> None:
    Sheet.objects.filter(pk=sheet.pk).update(seen=timezone.now() - timedelta(minutes=minutes))


def in_arm(study: Study, name: str) -> Sheet:
    return Sheet.objects.filter(condition__name=name, version__study=study)[0]


def test_arms_fill_evenly_up_to_their_quotas_and_then_the_study_is_full(scenes: Study) -> None:
    for count in range(1, len(ARMS) * QUOTA + 1):
        arrive(scenes)
        filled = [arms(scenes).get(name, 0) for name in ARMS]
        assert sum(filled) == count
        assert max(filled) - min(filled) <= 1
    assert not has_place(scenes)
    late = arrive(scenes)
    assert (late.step, late.condition) == ("full", None)


def test_an_arm_with_twice_the_quota_gets_twice_as_many(scenes: Study) -> None:
    Condition.objects.filter(name="U").update(quota=6)
    # Quotas 6, 3, 3, 3, 3. Five people fill one place in each arm; then the share of the larger one is the smallest.
    for each in (1, 2, 3):
        for _ in range(6):
            arrive(scenes)
        assert arms(scenes) == {"U": 2 * each, **dict.fromkeys(ARMS[1:], each)}


def test_a_place_is_free_again_after_the_time_out_and_not_before(scenes: Study) -> None:
    for _ in range(len(ARMS) * QUOTA):
        arrive(scenes)
    gone = in_arm(scenes, "U+C")
    leave(gone, minutes=59)
    assert not has_place(scenes)
    leave(gone, minutes=61)
    assert has_place(scenes)
    assert arrive(scenes).condition.name == "U+C"  # type: ignore[union-attr]


def test_a_finished_sheet_counts_however_long_ago(scenes: Study) -> None:
    for _ in range(len(ARMS) * QUOTA):
        arrive(scenes)
    Sheet.objects.update(step=Sheet.Step.DONE, seen=timezone.now() - timedelta(days=90))
    assert not has_place(scenes)


def test_a_late_returner_keeps_the_place_and_the_arm_counts_one_more_than_its_quota(scenes: Study) -> None:
    for _ in range(len(ARMS) * QUOTA):
        arrive(scenes)
    gone = in_arm(scenes, "U")
    leave(gone)
    arrive(scenes)
    gone.refresh_from_db()
    sheet_seen(sheet=gone)
    gone.refresh_from_db()
    assert (gone.condition.name, gone.is_late) == ("U", True)  # type: ignore[union-attr]
    assert arms(scenes)["U"] == QUOTA + 1
    # One of the four goes: the arm is full all the same.
    leave(Sheet.objects.filter(condition__name="U", is_late=False)[0])
    assert not has_place(scenes)


def test_who_was_screened_out_withdrew_met_full_or_only_consented_holds_no_place(scenes: Study) -> None:
    Condition.objects.update(quota=1)
    for _ in ARMS:
        arrive(scenes)
    for state in (Sheet.Step.SCREENED_OUT, Sheet.Step.FULL):
        Sheet.objects.filter(pk=in_arm(scenes, "U").pk).update(step=state)
        assert has_place(scenes)
    sheet_withdraw(sheet=in_arm(scenes, "U+C"))
    waiting = [sheet_create(study=scenes, kind="live") for _ in range(9)]
    assert all(sheet.condition is None for sheet in waiting)
    assert {arrive(scenes).condition.name for _ in range(2)} == {"U", "U+C"}  # type: ignore[union-attr]
    assert not has_place(scenes)


def test_previews_and_simulated_sheets_take_nobodys_place(scenes: Study) -> None:
    Condition.objects.update(quota=1)
    for kind in ("pilot", "simulated"):
        for condition in scenes.version.conditions.all():
            sheet_assign(sheet=sheet_create(study=scenes, kind=kind), condition=condition)
    assert Counter(arrive(scenes).condition.name for _ in ARMS) == dict.fromkeys(ARMS, 1)  # type: ignore[union-attr]


def test_ties_are_drawn_by_the_secret_and_the_person(scenes: Study) -> None:
    sheets = [sheet_create(study=scenes, kind="live") for _ in range(40)]
    drawn = [neediest_condition(scenes, sheet).name for sheet in sheets]  # type: ignore[union-attr]
    assert drawn == [neediest_condition(scenes, sheet).name for sheet in sheets]  # type: ignore[union-attr]
    # 40 draws among 5: a given arm is missed with probability .8^40 = .0001
    assert set(drawn) == set(ARMS)
    scenes.secret = b"another secret of thirty-two byte"
    assert drawn != [neediest_condition(scenes, sheet).name for sheet in sheets]  # type: ignore[union-attr]


def test_a_closed_arm_takes_nobody_new_and_keeps_who_is_in_it(scenes: Study) -> None:
    first = [arrive(scenes) for _ in ARMS]
    condition_close(study=scenes, name="U", actor="rosa")
    for _ in range(4 * (QUOTA - 1)):
        arrive(scenes)
    assert arms(scenes) == {"U": 1, **dict.fromkeys(ARMS[1:], QUOTA)}
    assert not has_place(scenes)
    assert Sheet.objects.get(pk=first[0].pk).step == "instructions"
    condition_reopen(study=scenes, name="U", actor="rosa")
    assert arrive(scenes).condition.name == "U"  # type: ignore[union-attr]


def test_with_its_last_open_arm_closed_a_study_is_full(scenes: Study) -> None:
    for name in ARMS:
        assert has_place(scenes)
        condition_close(study=scenes, name=name, actor="rosa")
    assert not has_place(scenes)
    assert arrive(scenes).step == "full"


def test_closing_and_reopening_an_arm_is_logged(scenes: Study) -> None:
    condition_close(study=scenes, name="U+C", actor="rosa")
    condition_reopen(study=scenes, name="U+C", actor="rosa")
    logged = [(entry.act, entry.actor, entry.details["condition"]) for entry in scenes.audit.all()]
    assert logged == [("condition_close", "rosa", "U+C"), ("condition_reopen", "rosa", "U+C")]


def test_an_arm_is_closed_only_where_there_is_something_to_close(scenes: Study) -> None:
    def reasons(name: str) -> list[str]:
        with pytest.raises(StudyRefused) as refused:
            condition_close(study=scenes, name=name, actor="rosa")
        return refused.value.reasons

    assert reasons("X") == [f"no condition 'X'; there are: {', '.join(ARMS)}"]
    condition_close(study=scenes, name="U", actor="rosa")
    assert reasons("U") == ["condition 'U' is closed already"]
    with pytest.raises(StudyRefused, match="'U\\+C' is open already"):
        condition_reopen(study=scenes, name="U+C", actor="rosa")
    study_close(study=scenes, actor="rosa")
    assert reasons("U+C") == ["the study is closed; arms are closed and reopened while it is frozen or open"]


def test_a_study_that_closed_meanwhile_assigns_nobody_and_tells_so(scenes: Study) -> None:
    sheet = sheet_create(study=scenes, kind="live")
    study_close(study=scenes, actor="rosa")
    sheet = sheet_consent(sheet=sheet, text="I agree.")
    assert (sheet.step, sheet.condition, sheet.is_cut_off) == ("consent", None, True)

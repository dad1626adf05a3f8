"""How a sheet ends: a page per outcome, its code, and the way back to a recruitment platform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from studies import pages
from studies.models import Condition, Sheet, Study
from tests import cast
from tests.cast import Annotator

pytestmark = pytest.mark.django_db

CODES = (
    "codes: {completed: DONE1, screened_out: OUT2, full: FULL3, closed: SHUT4}, return_url: 'https://x.org/?cc={code}'"
)
ENDS = {"done": "DONE1", "screened_out": "OUT2", "full": "FULL3", "closed": "SHUT4"}


def at_the_end(ann: Annotator, study: Study, end: str) -> Any:
    """The page on which a sheet ends."""
    sheet = cast.sheet_at_items(study, "U")
    ann.sit_at(sheet)
    if end == "closed":
        Study.objects.filter(pk=study.pk).update(state="closed")
    else:
        Sheet.objects.filter(pk=sheet.pk).update(step=end)
    return ann.client.get("/t/", follow=True)


@pytest.mark.parametrize("end", ENDS)
def test_each_outcome_shows_the_platforms_code_and_the_way_back_with_it(ann: Annotator, db: None, end: str) -> None:
    page = at_the_end(ann, cast.study(text=cast.recruiting(CODES)), end).content.decode()
    assert f"<code>{ENDS[end]}</code>" in page
    assert f'href="https://x.org/?cc={ENDS[end]}"' in page
    assert not [other for other in ENDS.values() if other != ENDS[end] and other in page]


def test_without_a_platform_everybody_has_a_code_of_their_own_per_outcome(scenes: Study) -> None:
    codes = set()
    for _ in range(2):
        sheet = cast.sheet_at_items(scenes, "U")
        for sheet.step in ("done", "screened_out", "full"):
            codes.add(pages.completion_code(sheet))
    assert len(codes) == 6
    assert {len(code) for code in codes} == {8}


@pytest.mark.parametrize("step", ["consent", "quiz", "instructions", "item", "review", "post", "withdrawn"])
def test_a_sheet_under_way_and_a_withdrawn_one_have_no_code(scenes: Study, step: str) -> None:
    sheet = cast.sheet_at_items(scenes, "U")
    sheet.step = step
    assert pages.completion_code(sheet) == ""


def test_prolifics_own_way_back_needs_no_writing(ann: Annotator, db: None) -> None:
    study = cast.study(text=cast.recruiting("ids: prolific, codes: {completed: C1}"))
    page = at_the_end(ann, study, "done").context["page"]
    assert page.return_url == "https://app.prolific.com/submissions/complete?cc=C1"
    other = at_the_end(ann, study, "screened_out").context["page"]
    assert (len(other.code), other.return_url) == (8, "")  # Prolific does not know a code of ours


def test_a_study_whose_arms_are_filled_says_so_before_the_start_and_keeps_the_link(
    newcomer: Callable[[], Annotator], db: None
) -> None:
    study = cast.study(text=cast.recruiting(f"open: true, {CODES}"))
    for condition in study.version.conditions.exclude(name="U"):
        Condition.objects.filter(pk=condition.pk).update(is_open=False)
    for _ in range(3):
        cast.sheet_at_items(study, "U")
    link, ann = cast.invite(study), newcomer()
    for url in (f"/s/scenes/{link.token}/", "/s/scenes/"):
        page = ann.client.get(url)
        assert "The study is complete" in page.content.decode()
        assert page.context["page"].code == "FULL3"
        assert 'href="https://x.org/?cc=FULL3"' in page.content.decode()
        assert ann.client.post(url).status_code == 409
    assert Sheet.objects.count() == 3
    Condition.objects.update(is_open=True)
    assert ann.client.post(f"/s/scenes/{link.token}/").url == "/t/"


def test_full_without_a_code_for_it_shows_none(ann: Annotator, scenes: Study) -> None:
    Condition.objects.update(is_open=False)
    page = ann.client.get(f"/s/scenes/{cast.invite(scenes).token}/")
    assert page.context["page"].code == ""
    assert b"asked for a code" not in page.content

"""The report's figures on the items that the model gets right, and on those that it gets wrong."""

from __future__ import annotations

import pytest

from studies.reports.build import build
from tests.studies.reports.answers import make_sheet, make_version

pytestmark = pytest.mark.django_db


def arm_u(version):
    return next(c for c in build(version).conditions if c.name == "U")


def test_accuracy_is_split_by_whether_the_model_was_right():
    version = make_version(count=4, wrong_items=(3,))
    make_sheet(version, "U", "AABA")
    make_sheet(version, "U", "ABBB")
    split = arm_u(version).split
    # Items 0-2 (right): 2/3 and 1/3; item 3 (wrong): 1 and 0
    assert (split.model_right.items, split.model_wrong.items) == (3, 1)
    assert split.model_right.accuracy.mean == pytest.approx(0.5)
    assert split.model_wrong.accuracy.mean == pytest.approx(0.5)
    assert split.model_wrong.accuracy.per_annotator == (1.0, 0.0)


def test_a_part_of_few_items_has_no_interval_of_alpha():
    version = make_version(count=14, wrong_items=(0, 1, 2))
    for answers in ("ABCDABCDABCDAB", "ABDDABCDABCAAA", "ABAAABCDABBDBB"):
        make_sheet(version, "U", answers)
    shown = arm_u(version).split
    assert (shown.model_right.items, shown.model_wrong.items) == (11, 3)
    assert shown.model_wrong.alpha.value is not None
    assert shown.model_wrong.alpha.interval is None
    assert shown.model_right.alpha.interval is not None


def test_a_split_side_without_items_has_nulls():
    version = make_version(count=4)
    make_sheet(version, "U", "AABA")
    wrong = arm_u(version).split.model_wrong
    assert (wrong.items, wrong.accuracy.mean, wrong.alpha.undefined) == (0, None, "no_overlap")

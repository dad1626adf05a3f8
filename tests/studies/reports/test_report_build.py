"""The report's figures, worked out by hand."""

from __future__ import annotations

import pytest

from studies.models import AuditEntry, StoredReport
from studies.reports.build import build, report_for, report_store
from studies.reports.stored import ReportRefused, stored_report
from tests.studies.reports.answers import TWO_ARMS, answer, counted, make_sheet, make_version, right

pytestmark = pytest.mark.django_db


def arm(report, name):
    return next(c for c in report.conditions if c.name == name)


def test_8_10_and_13_of_20_are_51_7_with_a_standard_deviation_of_12_6():
    version = make_version()
    for count in (13, 8, 10):
        make_sheet(version, "U", right(count))
    # mean (.40 + .50 + .65) / 3 = .51667; deviations -.11667, -.01667, .13333: squares sum to .031667, / 2, root .12583
    found = arm(build(version), "U").accuracy
    assert found.per_annotator == (0.65, 0.4, 0.5)
    assert found.mean == pytest.approx(0.516667, abs=1e-6)
    assert found.std == pytest.approx(0.125831, abs=1e-6)
    assert found.interval[0] < found.mean < found.interval[1]
    assert found.over == "both"


def test_alpha_of_a_worked_table_on_letters_and_on_identities():
    version = make_version(count=4)
    make_sheet(version, "U", "AABB")
    make_sheet(version, "U", "AABA")
    # Letters: units AA AA BB BA, 8 values, 5 A and 3 B. Observed disagreement 2 of 8 ordered pairs = .25; expected
    # 2 * 5 * 3 / (8 * 7) = .535714; alpha = 1 - .25 / .535714 = .533333.
    found = arm(build(version), "U")
    assert found.alpha.value == pytest.approx(8 / 15)
    assert (found.alpha.level, found.alpha.undefined) == ("nominal", None)
    # Identities: red red, blue blue, gray gray, red gray (items 0-3 start at red, blue, green, gray, so B of item 2 is
    # gray, B of item 3 red, A of item 3 gray): 3 red, 2 blue, 3 gray; expected 1 - (3*2 + 2*1 + 3*2) / 56 = .75;
    # alpha = 1 - .25 / .75 = 2/3.
    assert found.alpha_identity.value == pytest.approx(2 / 3)


def test_alpha_without_variation_is_null_with_its_reason():
    version = make_version(count=4)
    make_sheet(version, "U", "AAAA")
    make_sheet(version, "U", "AAAA")
    found = arm(build(version), "U").alpha
    assert (found.value, found.interval, found.undefined) == (None, None, "no_variation")


def test_one_annotator_has_no_standard_deviation_and_no_overlap():
    version = make_version(count=4)
    make_sheet(version, "U", "AABB")
    found = arm(build(version), "U")
    assert (found.accuracy.mean, found.accuracy.std) == (0.5, None)
    assert (found.alpha.value, found.alpha.undefined) == (None, "no_overlap")


def test_a_condition_without_answers_is_there_with_nulls():
    version = make_version(count=4)
    make_sheet(version, "U", "AABB")
    report = build(version)
    found = arm(report, "U+Rl")
    assert found.annotators == 0
    assert (found.accuracy.mean, found.accuracy.std, found.accuracy.per_annotator) == (None, None, ())
    assert (found.alpha.value, found.confidence.mean, found.helpful.overview) == (None, None, 0)
    assert report.comparisons == ()
    assert report.trend is None
    assert "Condition U+Rl has no finished sheet yet." in report.warnings


def test_confidence_is_over_answers_and_helpful_counts_annotators_times_items():
    version = make_version(count=4)
    make_sheet(version, "U+Rl", "AAAA", confidence=2, helpful="oooo")
    make_sheet(version, "U+Rl", "AAAA", confidence=5, helpful="offf")
    found = arm(build(version), "U+Rl")
    # 4 x 2 and 4 x 5: mean 3.5, squares sum to 8 * 1.5^2 = 18, / 7, root 1.603567
    assert found.confidence.mean == 3.5
    assert found.confidence.std == pytest.approx(1.603567, abs=1e-6)
    assert (found.helpful.overview, found.helpful.features) == (5, 3)


def test_what_is_not_asked_is_null():
    version = make_version(count=4, questions="confidence")
    make_sheet(version, "U+Rl", "AAAA")
    found = arm(build(version), "U+Rl")
    assert found.helpful is None
    assert found.categories is None
    # A condition with one page has nothing to compare
    assert arm(build(make_version(slug="other")), "U").helpful is None


def test_chance_is_the_mean_of_one_over_the_number_of_choices():
    # (1/2 + 1/4 + 1/4 + 1/3) / 4 = 1/3; the practice item, with 4 choices, does not count
    assert build(make_version(count=4, choices=(2, 4, 4, 3))).chance == pytest.approx(1 / 3)


def test_three_against_three_separated_annotators_reach_the_smallest_possible_p():
    version = make_version()
    for count in (4, 5, 6):
        make_sheet(version, "U", right(count))
        make_sheet(version, "U+Rl", right(count + 10))
    report = build(version)
    (pair,) = [pair for pair in report.comparisons if pair.statistic == "accuracy"]
    # 20 relabellings, of which this one and its mirror image are as extreme: 2 / 20
    assert (pair.a, pair.b, pair.statistic, pair.unit) == ("U", "U+Rl", "accuracy", "annotator")
    assert pair.difference == pytest.approx(0.5)
    assert pair.p == pytest.approx(0.1)
    assert pair.smallest_possible_p == pytest.approx(0.1)
    assert (
        # 2 / 70 and 2 / 252: of all ways to share 8 or 10 annotators out, two are as extreme as can be
        "3 annotators per condition: the annotator-level test cannot go below p = 0.10; with two conditions"
        " 4 per condition can reach 0.029, 5 per condition can reach 0.008." in report.warnings
    )


def test_pairs_are_adjusted_by_holm():
    three = "[{name: U, stages: [U]}, {name: C, stages: [C]}, {name: U+C, stages: [U, C]}]"
    version = make_version(conditions=three)
    for i, name in enumerate(("U", "C", "U+C")):
        for count in (1, 2, 3):
            make_sheet(version, name, right(count + 5 * i))
    report = build(version)
    # All three pairs have p = .1; Holm: 3 * .1 for each
    accuracy = [pair.p_adjusted for pair in report.comparisons if pair.statistic == "accuracy"]
    assert accuracy == pytest.approx([0.3] * 3)
    # C does not contain U: no order, no trend
    assert report.trend is None


def test_nested_conditions_have_a_trend():
    nested = "[{name: U, stages: [U]}, {name: U+C, stages: [U, C]}, {name: U+C+Rl, stages: [U, C, Rl]}]"
    version = make_version(conditions=nested)
    for i, name in enumerate(("U", "U+C", "U+C+Rl")):
        for count in (1, 2):
            make_sheet(version, name, right(count + 5 * i))
    report = build(version)
    # 6! / (2! 2! 2!) = 90 relabellings; extreme are this one and its mirror
    assert report.trend.order == ("U", "U+C", "U+C+Rl")
    assert report.trend.p == pytest.approx(2 / 90)


def test_simulated_sheets_are_reported_as_simulated():
    version = make_version(count=4)
    make_sheet(version, "U", "AAAB", kind="simulated")
    report = build(version)
    assert report.simulated
    assert report.mark.startswith("SIMULATED")
    assert report.warnings[0].startswith("These answers come from simulated annotators")


def test_a_study_that_nobody_has_begun_is_not_marked_as_simulated():
    report = build(make_version(count=4))
    assert not report.simulated
    assert not report.mark
    assert not any("simulated" in warning for warning in report.warnings)


def test_a_live_sheet_hides_the_simulated_ones():
    version = make_version(count=4)
    make_sheet(version, "U", "AAAA", kind="simulated")
    make_sheet(version, "U", "BBBB")
    report = build(version)
    assert not report.simulated
    assert arm(report, "U").accuracy.mean == 0
    assert arm(build(version, "simulated"), "U").accuracy.mean == 1


def test_sheets_under_way_are_named_among_the_warnings():
    version = make_version(count=4)
    make_sheet(version, "U", "AAAA")
    make_sheet(version, "U", "AA", step="item")
    assert "Not counted: 1 sheet under way." in build(version).warnings


def test_an_unfrozen_study_matches_no_plan():
    assert not build(make_version(count=4)).matches_plan


@pytest.mark.parametrize(("now", "matches"), [("a" * 64, True), ("b" * 64, False)])
def test_a_frozen_study_matches_its_plan_while_the_hash_stays(monkeypatch, now, matches):
    version = make_version(count=4)
    version.plan_sha256 = "a" * 64
    version.save()
    monkeypatch.setattr("studies.services.freezing.plan_sha256", lambda version: now)
    report = build(version)
    assert report.matches_plan is matches
    assert any("does not match" in warning for warning in report.warnings) is not matches


@pytest.mark.parametrize("state", ["draft", "frozen", "open", "closed"])
def test_live_outcomes_are_refused_before_unblinding(state):
    study = make_version(count=4).study
    make_sheet(study.version, "U", "AAAA")
    study.state = state
    study.save()
    with pytest.raises(ReportRefused, match="after unblinding"):
        report_for(study, actor="ada")
    assert not AuditEntry.objects.exists()


def test_a_peek_is_logged_and_stands_in_the_report():
    study = make_version(count=4).study
    make_sheet(study.version, "U", "AAAA")
    report = report_for(study, peek=True, actor="ada")
    (entry,) = AuditEntry.objects.all()
    assert (entry.act, entry.actor) == ("peek", "ada")
    assert "Outcomes were looked at before unblinding once (see the audit log)." in report.warnings


def test_unblinded_and_simulated_outcomes_need_no_peek():
    study = make_version(count=4).study
    make_sheet(study.version, "U", "AAAA", kind="simulated")
    report_for(study, peek=True, actor="ada")
    make_sheet(study.version, "U", "AAAA")
    study.state = "unblinded"
    study.save()
    report_for(study, actor="ada")
    assert not AuditEntry.objects.exists()


def test_a_report_is_built_once_per_state_of_the_data():
    version = make_version(count=4)
    make_sheet(version, "U", "AAAB", kind="simulated")
    assert stored_report(version) is None
    first = report_store(version_pk=version.pk)
    assert report_store(version_pk=version.pk) == first
    assert stored_report(version) == build(version)
    make_sheet(version, "U", "AABB", kind="simulated")
    assert stored_report(version) is None
    report_store(version_pk=version.pk)
    assert StoredReport.objects.count() == 2


def test_arms_below_their_quota_are_named():
    version = make_version(count=4, conditions=TWO_ARMS)
    make_sheet(version, "U", "AAAB")
    make_sheet(version, "U", "AAAB")
    assert "Condition U has 2 of 3 annotators." in build(version).warnings


def test_a_study_without_items_has_a_report_that_says_so():
    version = make_version(count=4)
    version.items.all().delete()
    report = build(version)
    assert report.chance is None
    assert [condition.items for condition in report.conditions] == [0, 0]
    assert "No items have been drawn yet." in report.warnings


def test_accuracy_per_confidence_and_whether_confidence_separates():
    version = make_version(count=4)
    for letters in ("AABB", "AAAB"):
        sheet = make_sheet(version, "U", letters)
        for item, confidence in zip(counted(version), (5, 4, 4, 1), strict=True):
            answer(sheet, item, "confidence", confidence)
    found = arm(build(version), "U").calibration
    levels = {level.level: (level.answers, level.annotators, level.accuracy) for level in found.levels}
    assert levels == {1: (2, 2, 0), 2: (0, 0, None), 3: (0, 0, None), 4: (4, 2, 0.75), 5: (2, 2, 1)}
    # First: right 5 4, wrong 4 1: pairs 5>4, 5>1, 4=4, 4>1: 3.5 of 4. Second: right 5 4 4, wrong 1: all. Mean .9375
    assert (found.separation, found.undefined) == (0.9375, None)
    assert found.sentence.startswith("When people said 5 they were right in 100% of 2 answers, when they said 1 in 0%")


def test_agreement_stands_beside_alpha():
    version = make_version(count=4)
    make_sheet(version, "U", "AABB")
    make_sheet(version, "U", "AABA")
    found = arm(build(version), "U").agreement
    # Three of four items agree; pooled prevalences 5/8 and 3/8: chance 34/64, kappa (.75 - .53125) / .46875 = 7/15
    assert found.percent.value == 0.75
    assert found.fleiss.value == pytest.approx(7 / 15)
    # AC1 with four choices: chance (5/8 * 3/8 * 2) / 3 = .15625; (.75 - .15625) / .84375 = 19/27
    assert found.ac1.value == pytest.approx(19 / 27)
    nothing = arm(build(version), "U+Rl").agreement
    assert (nothing.percent.value, nothing.percent.undefined) == (None, "no_overlap")

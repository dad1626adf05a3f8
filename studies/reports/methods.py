"""A paragraph about the methods of one study, to be pasted into a paper: only sentences that hold for this study.

Spelling that differs between American and British English is avoided, so that it fits either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studies.config import StudyConfig
from studies.reports import figures
from studies.reports.figures import NEW, THESE, counted, listed
from studies.reports.methods_design import design
from studies.reports.methods_references import REFERENCES
from studies.reports.ratings import Ratings
from studies.reports.shape import STATISTICS, Comparison, Report, Trend

NOTHING = "No sheet is finished yet: there is nothing to describe."


def methods_text(config: StudyConfig, ratings: Ratings, report: Report) -> str:
    """One paragraph, and below it the references that it names. report: complete but for this text"""
    if not any(condition.annotators for condition in report.conditions):
        return NOTHING
    parts = (design(config, ratings, report), _measures(config, report), _intervals(report), _tests(report))
    sentences = [sentence for part in (*parts, _left_out(report), _record(ratings, report)) for sentence in part]
    paragraph = " ".join(sentences)
    cited = [text for named, text in REFERENCES.items() if named in paragraph]
    return paragraph + ("\n\nReferences: " + " ".join(cited) if cited else "")


def _measures(config: StudyConfig, report: Report) -> Iterator[str]:
    yield (
        "Accuracy is the share of an annotator's answers that equal the model's prediction; we report its mean and"
        " standard deviation (n - 1) over annotators."
    )
    if any(condition.annotators > 1 for condition in report.conditions):
        on = "the chosen classes" if config.answers.fixed else "the letters of the choices, which differ between items"
        also = "" if config.answers.fixed else " (on the chosen classes as well)"
        yield (
            "Agreement within a condition is Krippendorff's alpha for nominal data (Krippendorff, 2011), alpha = 1 -"
            " Do/De, where Do is the observed disagreement and De the one expected by chance, computed on"
            f" {on}{also}; beside it stand percent agreement, Fleiss' kappa (Fleiss, 1971) and AC1 (Gwet, 2008)."
        )
    undefined = {condition.alpha.undefined for condition in report.conditions if condition.annotators > 1} - {None}
    if undefined:
        reasons = {"no_variation": "all answers of a condition are the same", "no_overlap": "no item has two answers"}
        why = " or ".join(reason for name, reason in reasons.items() if name in undefined)
        yield f"Where {why}, alpha is undefined and reported as such."
    if "confidence" in config.questions:
        yield (
            "Confidence was given with each answer from 1 (guessing) to 5 (certain); we report mean and standard"
            " deviation over answers, accuracy at each level, and how often a right answer had the higher confidence"
            " than a wrong one of the same annotator."
        )
    if any(condition.helpful for condition in report.conditions):
        yield (
            "Where a condition has both, annotators said at each item whether the Overview page (U, C) or the Features"
            " pages (Rl, Rg, P) helped more."
        )


def _intervals(report: Report) -> Iterator[str]:
    has_accuracy = any(condition.accuracy and condition.accuracy.interval for condition in report.conditions)
    has_alpha = any(condition.alpha.interval for condition in report.conditions)
    if has_accuracy or has_alpha:
        yield _crossed(has_accuracy, has_alpha)
    if any(condition.alpha.interval_items for condition in report.conditions):
        yield (
            f"{'A second 95 % interval' if has_alpha else 'The 95 % interval'} of alpha holds for {THESE}: it spans the"
            " 2.5th to the 97.5th percentile of 10,000 bootstrap samples of the items (Efron & Tibshirani, 1993) and"
            " says nothing about other annotators."
        )


def _crossed(has_accuracy: bool, has_alpha: bool) -> str:
    of = listed([name for name, there in (("accuracy", has_accuracy), ("alpha", has_alpha)) if there])
    ends = ["those of accuracy have Wilson's ends (Wilson, 1927)"] if has_accuracy else []
    ends += ["those of alpha are made on the scale of log(1 - alpha)"] if has_alpha else []
    return (
        f"The 95 % intervals of {of} treat annotators and items as two crossed samples and hold for {NEW}: the"
        " jackknife variances over both are added, less the part that both contain (Cameron, Gelbach & Miller, 2011),"
        " with Student's t at Satterthwaite's degrees of freedom (Satterthwaite, 1946);"
        f" {listed(ends)}."
    )


def _tests(report: Report) -> Iterator[str]:
    tests: list[Comparison | Trend] = [*report.comparisons, *report.trends]
    if not tests:
        return
    tested = [name for name in STATISTICS if any(test.statistic == name for test in tests)]
    how = (
        "all ways of sharing the annotators out are counted"
        if all(test.exact for test in tests)
        else "all ways of sharing the annotators out are counted where they are at most 100,000, else 19,999 are drawn"
    )
    yield (
        f"Conditions are compared in {listed(tested)} by two-sided permutation tests in which whole annotators change"
        f" their condition, so that the unit is the annotator; {how}."
    )
    if "alpha" in tested:
        yield from _tests_of_alpha(report, tests)
    yield from _corrections(report.comparisons)
    yield from _trends(report.trends)
    yield from _out_of_reach(report)
    yield (
        f"The plan named {'the trend of accuracy' if report.plan.primary == 'trend' else 'accuracy by pairs'} as the"
        f" main comparison, at the level {report.plan.alpha:g}."
    )


def _tests_of_alpha(report: Report, tests: Sequence[Comparison | Trend]) -> Iterator[str]:
    of_alpha = [test for test in tests if test.statistic == "alpha"]
    named = {name for test in of_alpha for name in (test.order if isinstance(test, Trend) else (test.a, test.b))}
    numbers = [condition.annotators for condition in report.conditions if condition.name in named]
    exact = (
        "annotators change their condition with all their answers, which is exact where the condition changes nothing"
    )
    if max(numbers) > 2:
        yield (
            f"For alpha, p is the larger of two: in one, {exact}; in the other, their jackknife pseudo-values of alpha"
            " change it, and the statistic is divided by its standard error, computed anew (Janssen, 1997), so that"
            " conditions that agree as much on other answers are not told apart. It speaks of new annotators and these"
            " items."
        )
    if min(numbers) == 2:
        only = "With two annotators in a condition there is only the first"
        if max(numbers) == 2:
            only = f"For alpha, {exact}"
        yield f"{only}, so that a small p can also come from conditions that agree as much on other answers."


def _corrections(pairs: Sequence[Comparison]) -> Iterator[str]:
    numbers = {sum(pair.statistic == name for pair in pairs) for name in STATISTICS} - {0}
    if max(numbers, default=0) > 1:
        how_many = f"{min(numbers)} pairs" if len(numbers) == 1 else "pairs"
        yield f"The p-values of the {how_many} are adjusted within each measure (Holm, 1979)."


def _trends(trends: Sequence[Trend]) -> Iterator[str]:
    statistics = {trend.statistic for trend in trends}
    used = ["the correlation of this order with the annotators' scores"] if statistics - {"alpha"} else []
    used += ["the slope of the conditions' alphas over this order"] if "alpha" in statistics else []
    if used:
        yield (
            "The conditions are ordered, each showing more than the one before; the test for a trend uses"
            f" {', and for alpha '.join(used)}."
        )


def _out_of_reach(report: Report) -> Iterator[str]:
    pairs = {(pair.a, pair.b): pair.smallest_possible_p for pair in report.comparisons}
    beyond = [p for p in pairs.values() if p > report.plan.alpha]
    if beyond and len(beyond) == len(pairs):
        least = figures.least_p(min(beyond))
        yield f"With these numbers of annotators a test of two conditions cannot give a p below {least}."
    elif beyond:
        yield (
            f"With these numbers of annotators {len(beyond)} of the {len(pairs)} pairs cannot reach the level"
            f" {report.plan.alpha:g}, whatever the answers."
        )


def _left_out(report: Report) -> Iterator[str]:
    if report.exclusions:
        rules = " and ".join(rule.meaning for rule in report.exclusions.rules)
        number = sum(condition.excluded for condition in report.conditions)
        finished = number + sum(condition.annotators for condition in report.conditions)
        yield f"The plan leaves out {rules}: {number} of {counted(finished, 'finished sheet')}."
        if number:
            yield "Figures with all finished sheets are given beside."
    else:
        yield "No finished sheet is left out."
    if report.simulated:
        return
    is_over = report.state in ("closed", "unblinded")
    lost, drops = report.drop_off, [condition.drop_off for condition in report.conditions]
    before = [
        (lost.screened_out, "did not pass the quiz"),
        (lost.no_place, "found no place left"),
        (lost.left, "withdrew before the assignment"),
        (lost.unassigned, "did not come as far as the assignment"),
        (sum(drop.unfinished for drop in drops), "did not finish" if is_over else "have not finished yet"),
        (sum(drop.withdrawn for drop in drops), "withdrew (their answers are deleted)"),
    ]
    gone = [f"{number} {what}" for number, what in before if number]
    yield f"Of {counted(lost.started, 'person', 'people')} who started, {listed(gone) if gone else 'all finished'}."


def _record(ratings: Ratings, report: Report) -> Iterator[str]:
    version = f"version {report.version[:12]} of the study"
    if report.matches_plan and report.plan.sha256:
        yield (
            "Definition, items and analysis plan were frozen before data collection"
            f" (plan {report.plan.sha256[:12]}) and not changed since."
        )
    elif report.plan.sha256:
        yield f"What is analysed deviates from the plan frozen before data collection ({report.plan.sha256[:12]})."
    elif not report.simulated:
        yield "The study was not frozen before data collection."
    if ratings.peeks:
        times = "once" if ratings.peeks == 1 else f"{ratings.peeks} times"
        yield f"Outcomes were looked at {times} before unblinding."
    bootstrapped = any(condition.alpha.interval_items for condition in report.conditions)
    tests: list[Comparison | Trend] = [*report.comparisons, *report.trends]
    is_sampled = not all(test.exact for test in tests)
    draws = "; the random draws behind figures start from seed 0" if bootstrapped or is_sampled else ""
    yield f"All figures were computed with {report.software} ({version}, seed {report.seed}){draws}."

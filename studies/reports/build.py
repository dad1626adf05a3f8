"""One Report object from a version's answers, stored by the hash of its data. For workers and commands."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError

from studies.models import StoredReport, Study, StudyVersion
from studies.reports.charts import report_chart_rows
from studies.reports.declared import primary_result
from studies.reports.exclusions import kept, rules_applied
from studies.reports.methods import methods_text
from studies.reports.ratings import Ratings, ratings_of, sheet_kind
from studies.reports.shape import Exclusions, Plan, Report
from studies.reports.stored import DROPPED, FAILED, ReportRefused, report_allow, stored_row
from studies.watch import reason_of

__all__ = ["ReportRefused", "build", "report_for", "report_row_for", "report_store"]

#: How many reports of a version keep their charts, some 200 kB each; the bodies of all are kept
WITH_CHARTS = 5


def build(version: StudyVersion, kind: str | None = None) -> Report:
    """Compute the report of a version's sheets: live ones where the study has any, else simulated.

    kind: live, simulated or pilot, to ask for one
    """
    return _build(version, ratings_of(version, kind or sheet_kind(version.study)))


def report_store(*, version_pk: int, kind: str | None = None) -> StoredReport:
    """The stored report of the present data; built if there is none yet. Why it cannot be built is stored as well.

    Charts that were dropped are drawn again.
    """
    version = StudyVersion.objects.select_related("study").get(pk=version_pk)
    ratings = ratings_of(version, kind or sheet_kind(version.study))
    stored = stored_row(version, ratings.sha256)
    if stored is not None and FAILED not in stored.body:
        return _drawn_again(stored) if stored.charts == DROPPED else stored
    try:
        report = _build(version, ratings)
    except (OperationalError, InterfaceError):
        raise  # the database is away: the page rings again
    except Exception as error:
        _row(version, ratings, {FAILED: reason_of(error)})
        raise
    body, charts = report.model_dump(mode="json"), report_chart_rows(report)
    row = _row(version, ratings, body, charts)
    if FAILED in row.body:
        row.body, row.charts = body, charts
        row.save(update_fields=["body", "charts"])
    _drop_old_charts(row)
    return row


def report_for(study: Study, *, peek: bool = False, actor: str) -> Report:
    """The report of a study for someone who asks. raises: ReportRefused before unblinding, unless it is a peek"""
    return Report.model_validate(report_row_for(study, peek=peek, actor=actor).body)


def report_row_for(study: Study, *, peek: bool = False, actor: str) -> StoredReport:
    """The same as it is stored, with its charts. raises: ReportRefused"""
    report_allow(study, peek=peek, actor=actor)
    return report_store(version_pk=study.version.pk)


def _build(version: StudyVersion, ratings: Ratings) -> Report:
    # numpy is loaded here and not above: tasks.py imports this module, and the web process imports tasks.py.
    from studies.reports.between import Arm, comparisons, trends
    from studies.reports.measures import condition_report, rated_answers, unfiltered
    from studies.reports.warnings import matches_plan, warnings

    config = version.config
    tables = [kept(table, config.plan.exclude) for table in ratings.tables]
    conditions = tuple(
        condition_report(config, ratings.items, table, excluded=len(all_.annotators) - len(table.annotators))
        for all_, table in zip(ratings.tables, tables, strict=True)
    )
    arms = [Arm(c, rated_answers(config, table)) for c, table in zip(conditions, tables, strict=True)]
    pairs, ordered = comparisons(arms), trends(arms)
    exclusions = (
        Exclusions(
            rules=rules_applied(ratings.tables, config.plan.exclude),
            without=tuple(unfiltered(config, t, c) for t, c in zip(ratings.tables, conditions, strict=True)),
        )
        if config.plan.exclude
        else None
    )
    plan = Plan(
        sha256=ratings.plan or None,
        primary=config.plan.primary,
        alpha=config.plan.alpha,
        exclude=tuple(config.plan.exclude),
    )
    report = Report(
        study=ratings.study,
        title=config.title,
        version=ratings.version,
        software=_software(),
        seed=config.seed,
        matches_plan=matches_plan(ratings),
        simulated=ratings.sheets == "simulated" and not ratings.is_empty,
        sheets="live" if ratings.is_empty else ratings.sheets,
        kind=config.kind,
        state=ratings.state,
        plan=plan,
        chance=_chance(ratings),
        primary=primary_result(plan, pairs, ordered),
        conditions=conditions,
        comparisons=pairs,
        trend=next((trend for trend in ordered if trend.statistic == "accuracy"), None),
        trends=ordered,
        exclusions=exclusions,
        drop_off=ratings.drop_off,
        warnings=warnings(ratings, conditions, pairs, ordered, exclusions, config.plan.alpha),
        methods="",
    )
    return report.model_copy(update={"methods": methods_text(config, ratings, report)})


def _row(
    version: StudyVersion, ratings: Ratings, body: dict[str, Any], charts: Sequence[dict[str, Any]] = ()
) -> StoredReport:
    # Two workers may build the same report: the first one's row stays.
    content = {"body": body, "charts": list(charts)}
    return StoredReport.objects.get_or_create(version=version, data_sha256=ratings.sha256, defaults=content)[0]


def _drawn_again(row: StoredReport) -> StoredReport:
    # Nothing is dropped in turn: two old reports that are asked for together would take each other's charts.
    row.charts = report_chart_rows(Report.model_validate(row.body))
    row.save(update_fields=["charts"])
    return row


def _drop_old_charts(just_built: StoredReport) -> None:
    rows = StoredReport.objects.filter(version=just_built.version)
    newest = rows.order_by("-pk").values_list("pk", flat=True)[:WITH_CHARTS]
    old = rows.exclude(pk__in=[*newest, just_built.pk])
    old.exclude(charts=[]).exclude(charts=DROPPED).update(charts=DROPPED)


def _software() -> str:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{project['name']} {project['version']}"


def _chance(ratings: Ratings) -> float | None:
    """What guessing reaches: the mean over items of 1 / number of choices."""
    if not ratings.items:
        return None
    return sum(1 / item.choices for item in ratings.items) / len(ratings.items)

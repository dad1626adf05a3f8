"""Old reports lose their charts, keep their bodies, and are drawn again once for whoever asks."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from studies.models import StoredReport, StudyVersion
from studies.reports import build
from studies.reports.stored import DROPPED, built_row, stored_report
from tests import cast
from tests.studies.reports.answers import make_sheet, make_version

pytestmark = pytest.mark.django_db
CHARTS = [{"name": "accuracy", "title": "Accuracy", "description": "of all", "svg": "<svg></svg>", "vega": {}}]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The data of every report that was drawn; nothing is."""
    drawn: list[str] = []

    def draw(report: Any) -> list[dict[str, Any]]:
        drawn.append(report.study)
        return CHARTS

    monkeypatch.setattr(build, "report_chart_rows", draw)
    return drawn


@pytest.fixture
def version(drawn: list[str]) -> StudyVersion:
    """A version with a report of its pilot, and after that six of its simulated sheets, one per further sheet."""
    version = make_version(owner=cast.researcher(), count=4)
    make_sheet(version, "U", "AAAB", kind="pilot")
    build.report_store(version_pk=version.pk, kind="pilot")
    more_reports(version, build.WITH_CHARTS + 1)
    drawn.clear()
    return version


def more_reports(version: StudyVersion, number: int) -> None:
    for _ in range(number):
        make_sheet(version, "U", "AAAB", kind="simulated")
        build.report_store(version_pk=version.pk)


def charts() -> list[list[dict[str, Any]]]:
    return list(StoredReport.objects.order_by("pk").values_list("charts", flat=True))


def test_the_newest_five_of_a_version_keep_their_charts_and_all_their_bodies(version: StudyVersion) -> None:
    assert charts() == [DROPPED] * 2 + [CHARTS] * 5
    assert all(row.body["study"] == "shapes" for row in StoredReport.objects.all())
    assert stored_report(version, "pilot") is not None


def test_another_versions_charts_stay(version: StudyVersion) -> None:
    other = make_version(slug="cubes", count=4)
    make_sheet(other, "U", "AAAB", kind="simulated")
    build.report_store(version_pk=other.pk)
    assert charts() == [DROPPED] * 2 + [CHARTS] * 6


def test_dropped_charts_are_drawn_once_more_and_the_others_stay(version: StudyVersion, drawn: list[str]) -> None:
    assert built_row(version, "pilot") is None
    for _ in range(3):
        row = build.report_store(version_pk=version.pk, kind="pilot")
        assert row.charts == CHARTS
        assert built_row(version, "pilot") == row
    assert drawn == ["shapes"]
    assert charts() == [CHARTS, DROPPED, *[CHARTS] * 5]
    more_reports(version, 1)
    assert charts() == [DROPPED] * 3 + [CHARTS] * 5


def test_a_report_that_has_no_charts_is_neither_drawn_again_nor_dropped(
    version: StudyVersion, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw_nothing(report: Any) -> list[dict[str, Any]]:
        drawn.append("nothing")
        return []

    monkeypatch.setattr(build, "report_chart_rows", draw_nothing)
    for _ in range(3):
        build.report_store(version_pk=version.pk, kind="pilot")
        assert built_row(version, "pilot") is not None
    assert drawn == ["nothing"]
    more_reports(version, build.WITH_CHARTS)
    assert charts()[0] == []


def test_a_report_that_is_built_at_last_keeps_its_charts_however_old_its_row(version: StudyVersion) -> None:
    StoredReport.objects.filter(pk=first_pk()).update(body={"failed": "no memory"}, charts=[])
    build.report_store(version_pk=version.pk, kind="pilot")
    assert charts()[0] == CHARTS


def test_the_page_has_a_worker_draw_them_and_then_shows_them(
    version: StudyVersion, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    cache.clear()
    monkeypatch.setattr("studies.views.researcher.report.report_ring", rung.append)
    StoredReport.objects.update(charts=DROPPED)
    client.force_login(version.study.owner)  # type: ignore[arg-type]
    waiting = client.get("/studies/shapes/report/")
    assert waiting.headers["Refresh"]
    assert rung == [version.pk]
    build.report_store(version_pk=version.pk)
    shown = client.get("/studies/shapes/report/")
    assert "Refresh" not in shown.headers
    assert 'id="chart-accuracy"' in shown.content.decode()
    assert rung == [version.pk]


def first_pk() -> int:
    return StoredReport.objects.order_by("pk").values_list("pk", flat=True)[0]

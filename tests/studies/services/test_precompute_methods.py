"""A precomputation that began under other METHODS than the release at work: stopped, begun anew, or left as it is."""

from __future__ import annotations

import pytest

from studies import engine, worker
from studies.models import StudyVersion
from studies.selectors import is_precomputed
from studies.services import precompute
from tests.studies.services.phases import advance_to_explanations, compute_nothing, make_ready, stages, version_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    compute_nothing(monkeypatch)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> StudyVersion:
    """All explanations are ready but one, and then the release is replaced by one of the next methods."""
    version = version_of()
    advance_to_explanations(version)
    wanted = version.artefacts.filter(stage="U").first()
    version.artefacts.exclude(pk=wanted.pk).update(state="ready", sha256="0" * 64)
    monkeypatch.setattr(engine, "METHODS", engine.METHODS + 1)
    return version


def test_rows_of_other_methods_are_not_computed_and_say_what_to_do(begun: StudyVersion) -> None:
    assert worker.work_until_idle(version=begun) == 0
    row = begun.artefacts.get(state="failed")
    assert row.stage == "U"
    assert f"begun under methods {engine.METHODS - 1}" in row.reason
    assert "start the precomputation again" in row.reason
    assert "start the precomputation again" in begun.runs.get().problem
    assert not is_precomputed(begun)
    assert not worker.is_anything_due()


def test_the_next_phase_of_a_run_of_other_methods_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    version = version_of()
    precompute.precompute_start(version=version)
    make_ready(version)
    monkeypatch.setattr(engine, "METHODS", engine.METHODS + 1)
    worker.work_until_idle(version=version)
    assert "start the precomputation again" in version.runs.get().problem
    assert stages(version) == {"predictions": 2}
    assert not worker.is_anything_due()


def test_a_draft_that_is_started_again_is_computed_under_the_new_methods_only(begun: StudyVersion) -> None:
    worker.work_until_idle(version=begun)
    advance_to_explanations(begun)
    make_ready(begun)
    precompute.precompute_advance(version=begun)
    assert is_precomputed(begun)
    assert {row.params["source"]["methods"] for row in begun.artefacts.all()} == {engine.METHODS}
    assert begun.runs.last().problem == ""


def test_a_frozen_study_keeps_its_artefacts_and_hears_why(monkeypatch: pytest.MonkeyPatch) -> None:
    version = version_of()
    advance_to_explanations(version)
    make_ready(version)
    precompute.precompute_advance(version=version)
    version.study.state = "frozen"
    version.study.save()
    before = set(version.artefacts.values_list("pk", "state"))
    monkeypatch.setattr(engine, "METHODS", engine.METHODS + 1)
    with pytest.raises(precompute.PrecomputeRefused) as refused:
        precompute.precompute_start(version=version)
    assert f"computed under methods {engine.METHODS - 1} and this release has methods" in str(refused.value)
    assert "keeps the artefacts that it has" in str(refused.value)
    assert "put them back" not in str(refused.value)
    precompute.precompute_advance(version=version)
    assert set(version.artefacts.values_list("pk", "state")) == before
    assert is_precomputed(version)
    assert version.runs.get().problem == ""


def test_a_row_wanted_again_in_a_frozen_study_is_left_to_its_own_release(begun: StudyVersion) -> None:
    begun.study.state = "frozen"
    begun.study.save()
    begun.runs.update(finished="2026-01-01T00:00Z")
    assert worker.work_until_idle(version=begun) == 0
    assert "a frozen study needs the release that it was computed with" in begun.artefacts.get(state="failed").reason

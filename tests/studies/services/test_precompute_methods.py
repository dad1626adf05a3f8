"""A precomputation that began under other METHODS than the release at work: stopped, begun anew, or left as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from studies import artefact_files, engine, worker
from studies.computed import Computed
from studies.models import StudyVersion
from studies.selectors import is_precomputed, status_facts
from studies.services import precompute
from studies.services.repairing import file_repair
from tests import cast
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


def test_a_file_lost_of_a_frozen_study_says_what_helps_and_its_own_release_makes_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = version_of()
    advance_to_explanations(version)
    make_ready(version)
    precompute.precompute_advance(version=version)
    version.study.state = "frozen"
    version.study.save()
    entry = artefact_files.store(cast.png("cow"), "image/png")
    lost = version.artefacts.filter(stage="U").order_by("pk").first()
    version.artefacts.filter(pk=lost.pk).update(files={"overlay": entry})
    (file,) = Path(settings.MEDIA_ROOT).rglob(f"{entry['sha256']}.png")
    file.unlink()
    assert file_repair(entry=entry, reason="missing") == 1
    own = engine.METHODS
    monkeypatch.setattr(engine, "METHODS", own + 1)
    assert worker.work_until_idle(version=version) == 0
    ((name, reason),) = [(row["artefact"], row["reason"]) for row in status_facts(version.study)["failed"]]
    assert name == str(lost)
    assert reason.startswith("a file of this result is damaged or gone, and pages that show it wait.")
    assert "`study precompute --wait`, run in the release that the study was computed with" in reason
    assert f"begun under methods {own}, and this release computes under methods {own + 1}" in reason
    with pytest.raises(precompute.PrecomputeRefused, match="; 1 not ready: only the release that the study was"):
        precompute.precompute_start(version=version)
    monkeypatch.setattr(engine, "METHODS", own)
    again = Computed({}, {"overlay": (cast.png("cow"), "image/png")})
    monkeypatch.setattr(engine, "compute", lambda jobs, tick: [(n, again) for n, _ in enumerate(jobs)])
    precompute.precompute_start(version=version)
    assert worker.work_until_idle(version=version) == 1
    assert is_precomputed(version)
    assert artefact_files.load(entry) == cast.png("cow")

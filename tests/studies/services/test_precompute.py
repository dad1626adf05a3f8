"""Phases of a precomputation: each follows when the one before is ready, and conditions share what they show."""

from __future__ import annotations

import pytest

from studies import engine, worker
from studies.computed import Computed
from studies.models import Artefact, Item, StudyVersion
from studies.selectors import is_precomputed
from studies.services import precompute
from studies.services.authoring import StudyExists
from studies.services.drawing import DrawingRefused
from tests import cast
from tests.studies.services.phases import advance_to_explanations, compute_nothing, make_ready, stages, version_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    compute_nothing(monkeypatch)


def test_each_phase_waits_for_the_one_before() -> None:
    version = version_of()
    precompute.precompute_start(version=version)
    assert stages(version) == {"predictions": 2}
    make_ready(version)
    precompute.precompute_advance(version=version)
    assert stages(version) == {"predictions": 2, "path": 1}
    assert not version.items.exists()
    make_ready(version)
    precompute.precompute_advance(version=version)
    # Two items with two features each; three different features.
    assert stages(version) == {"predictions": 2, "path": 1, "input": 2, "U": 2, "C": 2, "P": 2, "Rl": 4, "Rg": 3}
    assert not is_precomputed(version)
    make_ready(version)
    precompute.precompute_advance(version=version)
    assert is_precomputed(version)


def test_advancing_again_changes_nothing() -> None:
    version = version_of()
    advance_to_explanations(version)
    before = sorted(version.artefacts.values_list("pk", flat=True))
    precompute.precompute_advance(version=version)
    precompute.precompute_start(version=version)
    assert sorted(version.artefacts.values_list("pk", flat=True)) == before
    assert Artefact.objects.count() == len(before)


def test_only_what_some_condition_shows_is_computed() -> None:
    version = version_of(
        cast.STUDY_FILE.replace("multiviz-ablation", "[{name: a, stages: [U]}, {name: b, stages: [C]}]")
    )
    advance_to_explanations(version)
    assert stages(version) == {"predictions": 1, "input": 2, "U": 2, "C": 2}


def test_a_second_study_of_the_same_model_and_options_finds_its_artefacts_ready() -> None:
    first = version_of()
    advance_to_explanations(first)
    make_ready(first)
    second = version_of(cast.STUDY_FILE.replace("study: scenes", "study: again"))
    precompute.precompute_start(version=second)
    assert is_precomputed(second)
    assert set(second.artefacts.values_list("pk")) == set(first.artefacts.values_list("pk"))


def test_other_options_are_other_artefacts() -> None:
    first = version_of()
    advance_to_explanations(first)
    changed = cast.STUDY_FILE.replace("study: scenes", "study: other").replace("seed: 7", "seed: 8")
    second = version_of(changed)
    advance_to_explanations(second)
    shared = set(first.artefacts.values_list("stage", "pk")) & set(second.artefacts.values_list("stage", "pk"))
    assert {stage for stage, _ in shared} == {"predictions", "path", "input", "P"}


def test_too_few_items_stop_the_run_with_their_reason_and_store_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*, version: StudyVersion, source: dict[str, object]) -> list[Item]:
        raise DrawingRefused("items.balance.model_wrong: 6 asked for, but only 2 datapoints are matching")

    monkeypatch.setattr(precompute, "items_draw", refuse)
    version = version_of()
    advance_to_explanations(version)
    assert "items.balance.model_wrong" in version.runs.get().problem
    assert not version.items.exists()


def test_lost_predictions_are_wanted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    version = version_of()
    precompute.precompute_start(version=version)
    make_ready(version)
    monkeypatch.setattr(engine, "has_predictions", lambda source, split: split != "train")
    precompute.precompute_advance(version=version)
    assert list(version.artefacts.filter(state="wanted").values_list("subject", flat=True)) == ["train"]


def test_predictions_lost_while_explanations_are_open_are_wanted_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    version = version_of()
    advance_to_explanations(version)
    monkeypatch.setattr(engine, "has_predictions", lambda source, split: split != "train")
    precompute.precompute_advance(version=version)
    wanted = version.artefacts.filter(state="wanted")
    assert wanted.filter(stage="predictions").get().subject == "train"
    assert wanted.exclude(stage="predictions").count() == 15


@pytest.mark.parametrize("state", ["wanted", "leased"])
def test_while_a_row_is_open_no_row_is_looked_for(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    version = version_of()
    advance_to_explanations(version)
    last = version.artefacts.order_by("pk").last()
    version.artefacts.exclude(pk=last.pk).update(state="ready", sha256="0" * 64)
    version.artefacts.filter(pk=last.pk).update(state=state)
    with monkeypatch.context() as patched:
        patched.setattr(precompute, "_want", lambda *_: pytest.fail("the phase under way is looked through"))
        precompute.precompute_advance(version=version)
    assert not is_precomputed(version)
    make_ready(version)
    precompute.precompute_advance(version=version)
    assert is_precomputed(version)


def test_rows_that_were_lost_are_made_again_by_a_start_and_before_a_run_is_finished() -> None:
    version = version_of()
    advance_to_explanations(version)
    version.artefacts.filter(stage="U").delete()
    precompute.precompute_start(version=version)
    assert stages(version)["U"] == 2
    version.artefacts.filter(stage="Rg").delete()
    make_ready(version)
    precompute.precompute_advance(version=version)
    assert version.artefacts.filter(stage="Rg", state="wanted").count() == 3
    assert not is_precomputed(version)


def test_failed_rows_are_tried_again_by_the_next_start() -> None:
    version = version_of()
    precompute.precompute_start(version=version)
    version.artefacts.update(state="failed", reason="BadData", attempts=3)
    precompute.precompute_start(version=version)
    assert set(version.artefacts.values_list("state", "attempts")) == {("wanted", 0)}


def test_the_run_remembers_what_it_was_made_with() -> None:
    version = version_of()
    snapshot = precompute.precompute_start(version=version).snapshot
    assert snapshot["seed"] == 7
    assert snapshot["source"]["data_sha256"] == "data"
    assert len(snapshot["source"]["checkpoint_sha256"]) == len(snapshot["code_sha256"]) == 64
    assert snapshot["packages"]["torch"].startswith("2.13")


def test_the_same_file_again_is_the_same_version_and_a_changed_draft_the_next() -> None:
    first = version_of()
    assert version_of() == first
    second = version_of(cast.STUDY_FILE.replace("seed: 7", "seed: 8"))
    assert (second.study, second.number) == (first.study, 2)


def test_a_frozen_study_takes_no_other_definition() -> None:
    version = version_of()
    version.study.state = "frozen"
    version.study.save()
    with pytest.raises(StudyExists, match="frozen with another definition"):
        version_of(cast.STUDY_FILE.replace("seed: 7", "seed: 8"))
    assert version_of() == version


def test_changed_data_are_seen_by_a_draft_that_failed_to_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    version = version_of()
    precompute.precompute_start(version=version)
    version.runs.update(problem="items.count: 500 asked for, but only 60 datapoints match items.where")
    monkeypatch.setattr(engine, "fingerprint", lambda root: "more data")
    run = precompute.precompute_start(version=version)
    assert (run.problem, run.snapshot["source"]["data_sha256"]) == ("", "more data")
    assert {row.params["source"]["data_sha256"] for row in version.artefacts.all()} == {"more data"}


def test_a_draft_without_sheets_begins_anew_on_changed_data(monkeypatch: pytest.MonkeyPatch) -> None:
    version = version_of()
    advance_to_explanations(version)
    monkeypatch.setattr(engine, "fingerprint", lambda root: "other data")
    precompute.precompute_start(version=version)
    assert not version.items.exists()
    assert stages(version) == {"predictions": 2}


def test_changed_data_under_a_frozen_study_are_refused_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    version = version_of()
    advance_to_explanations(version)
    version.study.state = "frozen"
    version.study.save()
    before = stages(version)
    monkeypatch.setattr(engine, "fingerprint", lambda root: "other data")
    with pytest.raises(precompute.PrecomputeRefused, match="put them back"):
        precompute.precompute_start(version=version)
    assert (stages(version), version.items.count()) == (before, 2)


def test_a_phase_whose_beginning_a_killed_worker_missed_is_begun_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "compute", lambda jobs, tick: [(n, Computed({})) for n, _ in enumerate(jobs)])
    version = version_of()
    precompute.precompute_start(version=version)
    make_ready(version)  # and here the worker is killed
    assert not version.artefacts.filter(state="wanted").exists()
    assert worker.is_anything_due()
    worker.work_until_idle()
    assert is_precomputed(version)
    assert not worker.is_anything_due()


def test_a_run_says_what_it_was_computed_on() -> None:
    version = version_of()
    advance_to_explanations(version)
    make_ready(version)
    version.artefacts.update(device="cpu")
    version.artefacts.filter(stage="U").update(device="cuda")
    precompute.precompute_advance(version=version)
    assert version.runs.get().snapshot["computed_on"] == ["cpu", "cuda"]
    assert version.runs.get().snapshot["device"] == "auto"


def test_what_prevents_the_next_phase_stands_at_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*, version: StudyVersion, source: dict[str, object]) -> list[Item]:
        raise OSError("scenes/val is gone")

    monkeypatch.setattr(precompute, "items_draw", gone)
    version = version_of()
    precompute.precompute_start(version=version)
    for _ in range(2):
        make_ready(version)
        worker.work_until_idle()
    assert version.runs.get().problem == "OSError: scenes/val is gone"
    assert not worker.is_anything_due()


def test_what_a_recipe_makes_is_made_before_the_folder_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []

    def fingerprint(root: str) -> str:
        done.append("hashed")
        return "data"

    monkeypatch.setattr(engine, "make_missing", lambda root, splits: done.append(sorted(splits)))
    monkeypatch.setattr(engine, "fingerprint", fingerprint)
    version = version_of()
    precompute.precompute_start(version=version)
    asked = version.artefacts.filter(stage="predictions").values_list("subject", flat=True)
    assert done == [sorted(asked), "hashed"]

"""The life of a study: each step in its order, refused with reasons, logged in a chain."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from studies import append_only, config
from studies.models import Run, Study, StudyVersion
from studies.services import freezing
from studies.services.audit import broken_links
from studies.services.authoring import study_create
from tests import cast

pytestmark = pytest.mark.django_db
STEPS = (freezing.study_freeze, freezing.study_open, freezing.study_close, freezing.study_unblind)
Step = Callable[..., Study]


@pytest.fixture
def draft(db: None) -> Study:
    """A draft whose artefacts are all ready."""
    return cast.study(state=Study.State.DRAFT)


def test_a_study_goes_through_its_states_in_order(draft: Study) -> None:
    for step, state in zip(STEPS, ("frozen", "open", "closed", "unblinded"), strict=True):
        draft = step(study=draft, actor="rosa")
        assert draft.state == state
    assert [entry.act for entry in draft.audit.all()] == ["freeze", "open", "close", "unblind"]


@pytest.mark.parametrize("step", STEPS[1:])
def test_no_step_can_be_skipped(draft: Study, step: Step) -> None:
    with pytest.raises(freezing.StudyRefused, match="the study is draft"):
        step(study=draft, actor="rosa")
    assert not draft.audit.exists()


def test_the_plan_is_hashed_and_a_changed_artefact_no_longer_matches(draft: Study) -> None:
    freezing.study_freeze(study=draft, actor="rosa")
    version = draft.version
    assert version.plan_sha256 == freezing.plan_sha256(version)
    version.artefacts.filter(stage="U").update(sha256="f" * 64)
    assert version.plan_sha256 != freezing.plan_sha256(version)


def test_freezing_is_refused_while_artefacts_are_missing(draft: Study) -> None:
    some = draft.version.artefacts.filter(stage="C")
    some.update(state="wanted")
    with pytest.raises(freezing.StudyRefused, match=f"{some.count()} artefacts are not computed yet"):
        freezing.study_freeze(study=draft, actor="rosa")


def test_freezing_is_refused_with_each_failure_and_its_reason(draft: Study) -> None:
    broken = draft.version.artefacts.filter(stage="C").first()
    assert broken is not None
    draft.version.artefacts.filter(pk=broken.pk).update(state="failed", reason="BadData: truncated")
    with pytest.raises(freezing.StudyRefused) as caught:
        freezing.study_freeze(study=draft, actor="rosa")
    assert caught.value.reasons == [f"{broken} failed: BadData: truncated"]


def test_a_version_that_is_saved_while_the_one_before_is_read_for_leaks_is_not_frozen(
    draft: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save_another(version: StudyVersion) -> list[str]:
        study_create(config=config.read(cast.STUDY_FILE.replace("minutes: 12", "minutes: 13")), owner=draft.owner)
        return []

    monkeypatch.setattr(freezing, "_leaks", save_another)
    with pytest.raises(freezing.StudyRefused, match="a newer version"):
        freezing.study_freeze(study=draft, actor="rosa")
    assert Study.objects.get(pk=draft.pk).state == "draft"


def test_nothing_precomputed_is_said_so(draft: Study) -> None:
    Run.objects.all().delete()
    with pytest.raises(freezing.StudyRefused, match="precompute"):
        freezing.study_freeze(study=draft, actor="rosa")


def test_a_changed_entry_breaks_the_chain_of_the_audit_log(draft: Study) -> None:
    for step in STEPS:
        step(study=draft, actor="rosa")
    assert broken_links(draft) == []
    append_only.lift()  # somebody with the database's own tools
    draft.audit.filter(number=2).update(actor="somebody else")
    assert broken_links(draft) == [2]


def test_a_removed_entry_breaks_the_chain_of_the_audit_log(draft: Study) -> None:
    for step in STEPS:
        step(study=draft, actor="rosa")
    append_only.lift()
    draft.audit.filter(number=2).delete()
    assert broken_links(draft) == [3]

"""Fetching and checking a study in one step: owners, coders, staff, strangers."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404

from studies.access import role_in, studies_for, study_for
from studies.models import Membership, Study

pytestmark = pytest.mark.django_db


@pytest.fixture
def cora(scenes: Study) -> User:
    """Cora, who codes for Rosa."""
    user = User.objects.create_user("cora", password="correct horse battery")
    Membership.objects.create(study=scenes, user=user)
    return user


def test_an_owner_has_both_roles(scenes: Study) -> None:
    for role in ("owner", "coder"):
        assert study_for(scenes.owner, "scenes", role) == scenes
    assert role_in(scenes, scenes.owner) == "owner"


def test_a_coder_is_let_in_as_a_coder_only(scenes: Study, cora: User) -> None:
    assert study_for(cora, "scenes", role="coder") == scenes
    assert role_in(scenes, cora) == "coder"
    with pytest.raises(Http404):
        study_for(cora, "scenes")


def test_a_coder_of_one_study_is_nobody_in_another(scenes: Study, cora: User) -> None:
    Study.objects.create(slug="other", owner=scenes.owner)
    with pytest.raises(Http404):
        study_for(cora, "other", role="coder")
    assert [study.slug for study in studies_for(cora)] == ["scenes"]
    assert not studies_for(cora, "owner").exists()


def test_an_owner_who_is_named_as_coder_too_is_listed_once(scenes: Study) -> None:
    Membership.objects.create(study=scenes, user=scenes.owner)
    assert studies_for(scenes.owner).count() == 1


def test_staff_see_every_study(scenes: Study) -> None:
    staff = User.objects.create_user("stan", is_staff=True)
    assert study_for(staff, "scenes") == scenes
    assert role_in(scenes, staff) == "owner"


def test_nobody_sees_nothing(scenes: Study) -> None:
    assert not studies_for(AnonymousUser()).exists()
    assert role_in(scenes, AnonymousUser()) == "coder"

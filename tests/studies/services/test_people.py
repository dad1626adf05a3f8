"""Accounts and coders: made by name, refused with a sentence, written into the audit log."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from studies.models import ApiToken, Study
from studies.services.audit import broken_links
from studies.services.people import PeopleRefused, account_set, coder_add, coder_remove
from studies.services.tokens import token_create

pytestmark = pytest.mark.django_db


def test_the_command_makes_an_account_and_prints_its_password_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("researcher", "nora")
    out = capsys.readouterr().out
    password = out.split("password: ")[1].strip()
    assert "nora: account made" in out
    user = User.objects.get(username="nora")
    assert user.check_password(password)
    assert not user.is_staff


def test_the_command_again_gives_a_new_password(capsys: pytest.CaptureFixture[str]) -> None:
    first = account_set(name="nora").password
    call_command("researcher", "nora")
    assert "new password set" in capsys.readouterr().out
    assert not User.objects.get().check_password(first)


def test_a_new_password_revokes_the_accounts_tokens_and_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    nora, owen = account_set(name="nora").user, account_set(name="owen").user
    for user, name in ((nora, "nightly"), (nora, "backup"), (owen, "nightly")):
        token_create(user=user, name=name, days=1)
    call_command("researcher", "nora")
    assert "nora: new password set, 2 API tokens revoked" in capsys.readouterr().out
    assert [token.user for token in ApiToken.objects.all()] == [owen]


def test_a_disabled_account_stays_disabled_until_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    account_set(name="nora")
    User.objects.update(is_active=False)
    call_command("researcher", "nora")
    assert "disabled and stays so: with --reactivate" in capsys.readouterr().err
    assert not User.objects.get().is_active
    call_command("researcher", "nora", "--reactivate")
    assert "disabled" not in capsys.readouterr().err
    assert User.objects.get().is_active


def test_a_password_may_come_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a long enough secret\n"))
    call_command("researcher", "nora", "--password-stdin")
    assert User.objects.get().check_password("a long enough secret")
    assert "secret" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "password"), [("nora", "short"), ("nora", "password123"), ("no ra", None), ("", None)]
)
def test_a_weak_password_or_an_impossible_name_is_refused(name: str, password: str | None) -> None:
    with pytest.raises(PeopleRefused) as refused:
        account_set(name=name, password=password)
    assert refused.value.reasons
    assert not User.objects.exists()


def test_coders_are_added_and_removed_by_name_and_logged(scenes: Study) -> None:
    User.objects.create_user("cora")
    coder_add(study=scenes, name="cora", actor="rosa")
    assert [member.user.username for member in scenes.memberships.all()] == ["cora"]
    coder_remove(study=scenes, name="cora", actor="rosa")
    assert not scenes.memberships.exists()
    log = [(entry.act, entry.actor, entry.details) for entry in scenes.audit.all()]
    assert log == [("coder_add", "rosa", {"account": "cora"}), ("coder_remove", "rosa", {"account": "cora"})]
    assert not broken_links(scenes)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("nobody", "no account called “nobody”"), ("rosa", "owns the study"), ("cora", "already"), ("", "no account")],
)
def test_who_cannot_be_added_is_said(scenes: Study, name: str, sentence: str) -> None:
    User.objects.create_user("cora")
    coder_add(study=scenes, name="cora", actor="rosa")
    with pytest.raises(PeopleRefused, match=sentence):
        coder_add(study=scenes, name=name, actor="rosa")
    assert scenes.audit.count() == 1


def test_removing_somebody_who_is_no_coder_changes_nothing(scenes: Study) -> None:
    with pytest.raises(PeopleRefused, match="no coder"):
        coder_remove(study=scenes, name="cora", actor="rosa")
    assert not scenes.audit.exists()

"""Settings from the environment, the secret key that is made once, and the embedded database under two writers."""

from __future__ import annotations

import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.sqlite3.base import DatabaseWrapper

from studyapp.env import env_bool, env_int, env_list, env_str, secret_key


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)


@pytest.mark.parametrize(
    ("written", "value"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("FALSE", False), ("", False)]
)
def test_booleans_have_many_spellings(monkeypatch: pytest.MonkeyPatch, written: str, value: bool) -> None:
    monkeypatch.setenv("X", written)
    assert env_bool("X", default=not value) is value


def test_what_is_neither_true_nor_false_or_no_number_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "maybe")
    with pytest.raises(ImproperlyConfigured, match="X='maybe'"):
        env_bool("X", default=False)
    with pytest.raises(ImproperlyConfigured, match="X='maybe'"):
        env_int("X", 1)


def test_unset_and_empty_variables_give_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "")
    assert (env_str("X", "a"), env_int("X", 3), env_list("X", ["b"])) == ("a", 3, ["b"])
    monkeypatch.delenv("X")
    assert (env_str("X", "a"), env_int("X", 3), env_list("X", ["b"])) == ("a", 3, ["b"])


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "a.org, b.org,,")
    assert env_list("X", []) == ["a.org", "b.org"]


def test_the_secret_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    key = secret_key(tmp_path)
    assert len(key) >= 50
    assert secret_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert secret_key(tmp_path) != secret_key(tmp_path / "other")


def test_a_given_key_is_used_and_none_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "given")
    assert secret_key(tmp_path) == "given"
    assert not list(tmp_path.iterdir())


def test_an_empty_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    with pytest.raises(ImproperlyConfigured, match="is empty"):
        secret_key(tmp_path)


def test_a_state_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match="set STATE_DIR"):
        secret_key(tmp_path / "file" / "state")


def test_the_embedded_database_waits_instead_of_failing(tmp_path: Path, django_db_blocker: Any) -> None:
    # Two writers that read before they write: with Django's default (deferred) transactions one of them is refused at
    # once with "database is locked", because what it has read is old. Every one of the 2 x 25 steps must be counted.
    with django_db_blocker.unblock():
        _connection(tmp_path).cursor().execute("CREATE TABLE tally AS SELECT 0 AS n")
        failures: list[Exception] = []
        writers = [threading.Thread(target=_count, args=(_connection(tmp_path), failures)) for _ in range(2)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert not failures
        assert _connection(tmp_path).cursor().execute("SELECT n FROM tally").fetchone() == (50,)


def _connection(folder: Path) -> DatabaseWrapper:
    if not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        pytest.skip("the suite runs on another database than the embedded one")
    own = {**settings.DATABASES["default"], "NAME": folder / "tally.sqlite3"}
    connection = DatabaseWrapper(own, "tally")
    connection.inc_thread_sharing()
    return connection


def _count(connection: DatabaseWrapper, failures: list[Exception]) -> None:
    try:
        for _ in range(25):
            connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
            (n,) = connection.cursor().execute("SELECT n FROM tally").fetchone()
            time.sleep(0.001)
            connection.cursor().execute("UPDATE tally SET n = %s", [n + 1])
            connection.commit()
            connection.set_autocommit(True)
    except Exception as error:  # noqa: BLE001 - handed to the test
        failures.append(error)
    finally:
        connection.close()

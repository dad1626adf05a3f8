"""Typed reads of environment variables for settings.py; docs/settings.md lists every name."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def env_str(name: str, default: str) -> str:
    """The variable, or `default` where it is unset or empty."""
    return os.environ.get(name) or default


def env_bool(name: str, default: bool) -> bool:
    """1/true/yes/on or 0/false/no/off."""
    value = os.environ.get(name, str(default)).strip().lower()
    if value not in _TRUE | _FALSE:
        raise ImproperlyConfigured(f"{name}={value!r} is neither true nor false")
    return value in _TRUE


def env_int(name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
    """A whole number from `least` to `most`."""
    value = os.environ.get(name) or str(default)
    try:
        number = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number") from error
    if number < least:
        raise ImproperlyConfigured(f"{name}={number} is too small: it must be at least {least}")
    if most is not None and number > most:
        raise ImproperlyConfigured(f"{name}={number} is too large: it must be at most {most}")
    return number


def env_list(name: str, default: list[str]) -> list[str]:
    """Comma-separated values."""
    value = os.environ.get(name)
    return [part.strip() for part in value.split(",") if part.strip()] if value else default


def writable_folder(path: Path) -> Path:
    """Make a folder of the platform's own state. raises: ImproperlyConfigured, with what to set"""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"the folder {path} cannot be made ({error.strerror}): set STATE_DIR to one that can be written"
        ) from error
    return path


def secret_key(state_dir: Path) -> str:
    """SECRET_KEY, or one made once and kept, readable by its owner only, in the state folder."""
    given = os.environ.get("SECRET_KEY")
    if given:
        return given
    path = state_dir / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        # Another process may have made the file and not written it yet: an empty key must never be used.
        kept = path.read_text(encoding="ascii")
        if kept:
            return kept
        raise ImproperlyConfigured(f"{path} is empty: delete it, or set SECRET_KEY") from None
    except OSError as error:
        raise ImproperlyConfigured(
            f"the state folder {state_dir} cannot be written ({error.strerror}): set STATE_DIR to one that can"
        ) from error
    key = secrets.token_urlsafe(50)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key)
    return key

"""Tokens of links do not reach the log."""

from __future__ import annotations

import io
import logging

import pytest
from django.conf import settings

from studyapp.log_tokens import MaskTokens, masked


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Forbidden: /s/small/eqbfp3d7q6wbbb7zcswhum6x/", "Forbidden: /s/small/.../"),
        ("Not Found: /r/oebvohza47dq22cj4cnflby5zvh57ab3/", "Not Found: /r/.../"),
        ("Not Found: /m/3-abcdef", "Not Found: /m/..."),
        ("GET /studies/small/report/", "GET /studies/small/report/"),
    ],
)
def test_tokens_are_masked_and_the_rest_is_kept(line: str, expected: str) -> None:
    assert masked(line) == expected


def test_arguments_of_a_record_are_masked_too() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(MaskTokens())
    handler.handle(logging.LogRecord("x", logging.WARNING, "", 0, "Forbidden: %s", ("/r/secret/",), None))
    assert stream.getvalue() == "Forbidden: /r/.../\n"


def test_the_console_masks() -> None:
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["mask_tokens"]
    assert settings.LOGGING["loggers"]["django"]["handlers"] == []

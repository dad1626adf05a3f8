"""How verbs talk: results on stdout, reasons and progress on stderr, exit codes 0 done, 1 refused."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import Any, NoReturn, TextIO

from tqdm import tqdm


class Refused(Exception):
    """What was asked cannot be done; one line per reason."""

    def __init__(self, reasons: Iterable[object]) -> None:
        self.reasons = [str(reason) for reason in reasons]
        super().__init__("\n".join(self.reasons))


class Output:
    """Where a verb writes to."""

    def __init__(self, stdout: TextIO, stderr: TextIO) -> None:
        self.stdout, self.stderr = stdout, stderr

    def line(self, text: str = "") -> None:
        """One line of result. raises: Refused (a full disk), BrokenPipeError (its reader had enough)"""
        try:
            self.stdout.write(f"{text}\n")
            self.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            # What could not be written cannot be at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise Refused([f"the result cannot be written: {error.strerror or error}"]) from error

    def json(self, value: Any) -> None:
        """A result for programs."""
        self.line(json.dumps(value, indent=2, ensure_ascii=False))

    def note(self, text: str) -> None:
        """Something for people, beside the result."""
        self.stderr.write(f"{text}\n")

    def bar(self, description: str, total: int | None = None) -> tqdm[NoReturn]:
        """A progress bar with an estimate of the time left, on a terminal only."""
        return tqdm(desc=description, total=total, file=sys.stderr, disable=not sys.stderr.isatty(), leave=False)

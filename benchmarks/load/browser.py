"""One annotator's browser without scripts: cookies, kept connections, redirects and forms. Loopback only."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from benchmarks.load.forms import Seen, seen

HOST = "127.0.0.1"
TIMEOUT = 60
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REDIRECTS = (301, 302, 303)
MOST_REDIRECTS = 6


@dataclass(frozen=True)
class Reply:
    """The page at the end of the redirects.

    first: seconds to the first response (of a form: until the server acknowledged); seconds: with all redirects
    """

    status: int
    path: str
    body: bytes
    first: float
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def seen(self) -> Seen:
        return seen(self.body.decode())


class Browser:
    """What one person's browser does, one request after the other."""

    def __init__(self, port: int, cookies: Mapping[str, str] | None = None) -> None:
        self._port = port
        self.cookies = dict(cookies or {})
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str) -> Reply:
        """Open a page."""
        return self._follow("GET", path, None, {})

    def post(self, path: str, values: dict[str, str], headers: Mapping[str, str] | None = None) -> Reply:
        """Send a form; scripts add headers."""
        return self._follow("POST", path, urlencode(values), {**FORM, **(headers or {})})

    def leave(self) -> None:
        """Let the connection go, as a browser does while somebody thinks."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _follow(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Reply:
        start = time.perf_counter()
        status, location, content = self._once(method, path, body, headers)
        first = time.perf_counter() - start
        for _ in range(MOST_REDIRECTS):
            if status not in REDIRECTS:
                break
            path = urlsplit(location)._replace(scheme="", netloc="").geturl()
            status, location, content = self._once("GET", path, None, {})
        return Reply(status, path, content, first, time.perf_counter() - start)

    def _once(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(HOST, self._port, timeout=TIMEOUT)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**headers, **({"Cookie": cookies} if cookies else {})}
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self.leave()
            raise
        for line in response.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        if response.will_close:
            self.leave()
        return response.status, response.headers.get("Location", ""), content

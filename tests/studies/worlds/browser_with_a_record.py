"""A browser that writes down everything it receives, and fills forms by reading the page: for tests of blinding."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import zip_longest

from django.test import Client

#: A masked CSRF token: 64 letters and digits, and not the hex digits of a hash.
TOKEN = re.compile(r"\b(?![0-9a-f]{64}\b)[A-Za-z0-9]{64}\b")
COOKIE = re.compile(r"(csrftoken|sessionid)=[A-Za-z0-9]+")
MEDIA = re.compile(r"/m/[0-9]+-[a-z0-9]+")


@dataclass(frozen=True)
class Entry:
    """One request and all of its answer."""

    request: str
    status: str
    headers: tuple[tuple[str, str], ...]
    cookies: str
    body: bytes
    size: int  # as sent, before anything was masked


@dataclass
class Form:
    """One form of a page: where it goes, and what it would send if every group's first option were chosen."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class PageReader(HTMLParser):
    """Collects a page's addresses and forms."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.forms: list[Form] = []
        self._inside: Form | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.addresses += [found[name] for name in ("href", "src", "action", "data-src", "poster") if found.get(name)]
        if tag == "form":
            self._inside = Form(found.get("action", ""), found.get("method", "get").lower())
            self.forms.append(self._inside)
        name = found.get("name", "")
        if self._inside is None or not name or tag not in ("input", "textarea", "button", "select"):
            return
        kind = found.get("type", "text")
        if kind == "radio" and name in self._inside.fields and "checked" not in found:
            return
        if tag != "button":
            self._inside.fields[name] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None


class Recorder:
    """A browser of one person; `entries` is its transcript."""

    def __init__(self) -> None:
        self.client = Client()
        self.entries: list[Entry] = []
        self.seen_media: set[str] = set()

    def get(self, url: str, **headers: str) -> str:
        """Fetch an address and the pictures that are new on it; redirects are written down and followed."""
        return self._record("GET", url, {}, headers)

    def head(self, url: str) -> str:
        """Ask for the headers only."""
        return self._record("HEAD", url, {}, {})

    def post(self, url: str, fields: Mapping[str, str], **headers: str) -> str:
        """Send fields."""
        return self._record("POST", url, dict(fields), headers)

    def send(self, url: str, *, lacking: tuple[str, ...] = (), **changes: str) -> str:
        """Open an address and send its first form, filled in; `lacking` leaves fields out."""
        html = self.get(url)
        form = next(form for form in PageReader(html).forms if form.method == "post")
        fields = {name: value for name, value in form.fields.items() if name not in lacking}
        return self.post(form.action or url, {**fields, **{k: v for k, v in changes.items() if k in form.fields}})

    def _record(self, method: str, url: str, fields: dict[str, str], headers: dict[str, str]) -> str:
        caller = {"GET": self.client.get, "HEAD": self.client.head, "POST": self.client.post}[method]
        response = caller(url, fields, headers=headers or None)
        html = response.content.decode("utf-8", "replace")
        sent = " ".join(f"{k}={v}" for k, v in sorted(fields.items()) if k != "csrfmiddlewaretoken")
        self.entries.append(
            Entry(
                request=f"{method} {url} {sent}".strip(),
                status=f"{response.status_code} {response.reason_phrase}",
                headers=tuple(sorted(response.headers.items())),
                cookies=COOKIE.sub(r"\1=*", response.cookies.output()),
                body=TOKEN.sub("*", html).encode() if _is_text(response) else response.content,
                size=len(response.content),
            )
        )
        for address in dict.fromkeys(MEDIA.findall(html)):
            if address not in self.seen_media:
                self.seen_media.add(address)
                self._record("GET", address, {}, {})
        if response.status_code in (301, 302, 303) and response.headers["Location"].startswith("/"):
            return self._record("GET", response.headers["Location"], {}, {})
        return html


def differences(one: list[Entry], other: list[Entry]) -> list[str]:
    """What two transcripts do not share, entry by entry, in words; empty where they are identical."""
    found = []
    for number, (a, b) in enumerate(zip_longest(one, other)):
        if a is None or b is None:
            return [*found, f"{number}: only one world has {(a or b).request}"]
        if a != b:
            found.append(f"{number}: {a.request}: " + "; ".join(_parts(a, b)))
    return found


def _parts(a: Entry, b: Entry) -> Iterator[str]:
    for name in ("request", "status", "headers", "cookies", "size"):
        if getattr(a, name) != getattr(b, name):
            yield f"{name} {getattr(a, name)!r} and {getattr(b, name)!r}"
    if a.body != b.body:
        at = next((i for i, (x, y) in enumerate(zip(a.body, b.body, strict=False)) if x != y), -1)
        yield f"body at {at}: {a.body[max(0, at - 80) : at + 80]!r} and {b.body[max(0, at - 80) : at + 80]!r}"


def _is_text(response: object) -> bool:
    kind = str(response.headers.get("Content-Type", ""))  # type: ignore[attr-defined]
    return kind.startswith(("text/", "application/json"))

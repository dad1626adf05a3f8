"""The forms of a page as a browser without scripts sees them: what a person fills in, and what goes along hidden."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """One form: `values` is what would be sent as it stands, `options` what may be ticked or chosen per field."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Seen:
    """What a page asks and loads."""

    forms: list[Form]
    pictures: list[str]

    def form(self, name: str) -> Form | None:
        """The form that has a field of this name."""
        return next((form for form in self.forms if name in form.values or name in form.options), None)


def seen(html: str) -> Seen:
    """Read a page."""
    reader = _Reader()
    reader.feed(html)
    # As a browser does: each address once, whatever loads it and however often.
    return Seen(reader.forms, list(dict.fromkeys(reader.pictures)))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.pictures: list[str] = []
        self._is_in_form = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "img" and found.get("src", "").startswith("/m/"):
            self.pictures.append(found["src"])
        elif tag == "form":
            self.forms.append(Form(found.get("action", "")))
            self._is_in_form = True
        elif self._is_in_form and tag in ("input", "textarea") and found.get("name"):
            self._field(found)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_in_form = False

    def _field(self, found: dict[str, str]) -> None:
        form, name, value = self.forms[-1], found["name"], found.get("value", "")
        if found.get("type") in ("radio", "checkbox"):
            form.options.setdefault(name, []).append(value)
            if "checked" in found:
                form.values[name] = value
        else:
            form.values[name] = value

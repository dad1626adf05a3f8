"""What a browser would post of a page's form: its controls as they stand, for tests without a browser."""

from __future__ import annotations

from html.parser import HTMLParser


class _Controls(HTMLParser):
    """Collects the successful controls of one form; those in a template or a disabled fieldset are none."""

    def __init__(self, mark: str) -> None:
        super().__init__(convert_charrefs=True)
        self.mark = mark
        self.posted: dict[str, list[str]] = {}
        self.is_inside = self.is_in_template = False
        self.disabled_depth = 0
        self._area: str | None = None
        self._text: list[str] = []
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.is_inside = self.mark in found
        if tag == "template":
            self.is_in_template = True
        if tag == "fieldset" and (self.disabled_depth or "disabled" in found):
            self.disabled_depth += 1
        if not self.is_inside or self.is_in_template or self.disabled_depth:
            return
        if tag == "input":
            self._input(found)
        elif tag == "textarea":
            self._area, self._text = found["name"], []
        elif tag == "select":
            self._select, self._options = found["name"], []
        elif tag == "option" and self._select is not None:
            self._options.append((found.get("value", ""), "selected" in found))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        if tag == "template":
            self.is_in_template = False
        if tag == "fieldset" and self.disabled_depth:
            self.disabled_depth -= 1
        if tag == "textarea" and self._area is not None:
            # A browser drops the first line end of a textarea, and posts the others as CRLF.
            text = "".join(self._text).removeprefix("\n")
            self._post(self._area, text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n"))
            self._area = None
        if tag == "select" and self._select is not None:
            chosen = [value for value, is_selected in self._options if is_selected]
            self._post(self._select, (chosen or [self._options[0][0]])[-1])
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._text.append(data)

    def _input(self, found: dict[str, str]) -> None:
        kind, is_on = found.get("type", "text"), "checked" in found
        if "name" not in found or kind == "file" or (kind in ("checkbox", "radio") and not is_on):
            return
        self._post(found["name"], found.get("value", "").replace("\r", "").replace("\n", ""))

    def _post(self, name: str, value: str) -> None:
        self.posted.setdefault(name, []).append(value)


def posted_by(html: str, mark: str = "data-study-form") -> dict[str, list[str]]:
    """The data of the form that has the attribute `mark`."""
    reader = _Controls(mark)
    reader.feed(html)
    return reader.posted

"""An annotator with developer tools follows every address of every page: nothing of the other world is within reach."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import pytest
from django.http import HttpResponse

from studies.models import Sheet, Study
from studies.services.inviting import invites_create
from tests import cast
from tests.cast import COUNT, LABELS, PRACTICE, Annotator
from tests.studies.worlds.browser_with_a_record import PageReader

pytestmark = pytest.mark.django_db
CONDITIONS = ("U", "U+C", "U+C+Rl", "U+C+Rl+Rg", "U+C+Rl+Rg+P")
OWN = re.compile(r"/(s/scenes/[a-z0-9]+|r/[a-z0-9]+|t/([a-z]+/)?|m/[0-9]+-[a-z0-9]+|static/studies/[\w./-]+)/?")
CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
ADDRESS = re.compile(r"""(?:href|src|action|url)\s*[=(]\s*["']?([^"')\s>]+)""")


class Crawl:
    """Everything that can be reached by GET from the pages of one sheet, breadth first, step by step of the way."""

    def __init__(self, ann: Annotator, start: str) -> None:
        self.client = ann.client
        self.responses: dict[str, HttpResponse] = {}
        self.strangers: set[str] = set()
        self.from_page(start)

    def from_page(self, start: str) -> None:
        """Fetch a page, and what it names that was not fetched before."""
        queue = [start]
        self.responses.pop(start, None)
        while queue:
            url = queue.pop(0)
            if url in self.responses or url.startswith("/static/"):
                continue
            response = self.responses[url] = self.client.get(url)
            queue += [found for found in self._named(url, response) if found not in self.responses]

    def _named(self, url: str, response: HttpResponse) -> Iterator[str]:
        if response.status_code in (301, 302):
            yield urljoin(url, response.headers["Location"])
        kind = response.headers.get("Content-Type", "")
        if not kind.startswith(("text/html", "image/svg")):
            return
        html = response.content.decode()
        for address in {*PageReader(html).addresses, *ADDRESS.findall(html)} - {"data:,"}:
            target = urlsplit(urljoin(url, address))
            if target.netloc or target.scheme:
                self.strangers.add(address)
            elif not address.startswith("#"):
                yield target.path + (f"?{target.query}" if target.query else "")

    @property
    def media(self) -> dict[str, HttpResponse]:
        return {url: response for url, response in self.responses.items() if url.startswith("/m/")}

    @property
    def pages(self) -> dict[str, HttpResponse]:
        return {url: response for url, response in self.responses.items() if not url.startswith("/m/")}


def crawled(ann: Annotator, study: Study, name: str) -> Crawl:
    """The whole way of a sheet in one condition, crawled anew at each step."""
    study.version.conditions.exclude(name=name).update(is_open=False)
    (link,) = invites_create(study=study, count=1)
    crawl = Crawl(ann, f"/s/{study.slug}/{link.token}/")
    ann.client.post(f"/s/{study.slug}/{link.token}/")
    crawl.from_page("/t/consent/")
    ann.agree()
    crawl.from_page("/t/instructions/")
    ann.client.post("/t/instructions/")
    for position in range(PRACTICE + COUNT):
        crawl.from_page("/t/item/")
        ann.answer()
        crawl.from_page(f"/t/item/?at={position}")
    crawl.from_page("/t/review/")
    ann.client.post("/t/review/")
    crawl.from_page("/t/post/")
    ann.client.post("/t/post/")
    crawl.from_page("/t/done/")
    assert Sheet.objects.get(invite=link).step == "done"
    return crawl


@pytest.fixture(params=CONDITIONS)
def crawl(request: pytest.FixtureRequest, scenes: Study, ann: Annotator) -> Crawl:
    return crawled(ann, scenes, request.param)


def test_a_crawl_finds_the_annotators_own_pages_and_nothing_else(crawl: Crawl) -> None:
    assert {"/t/item/", "/t/review/", "/t/withdraw/", "/t/done/"} <= crawl.pages.keys()
    strange = [url for url in crawl.responses if not OWN.fullmatch(urlsplit(url).path)]
    assert strange == []
    assert crawl.strangers == set()
    wrong = {url: r.status_code for url, r in crawl.responses.items() if r.status_code not in (200, 302, 405)}
    assert wrong == {}
    for url, response in crawl.pages.items():
        assert "attachment" not in response.headers.get("Content-Disposition", ""), url
        assert response.headers["Cache-Control"] == "private, no-store", url
        assert response.headers["Referrer-Policy"] == "same-origin", url
        assert response.headers["X-Content-Type-Options"] == "nosniff", url
        assert "default-src 'none'" in response.headers["Content-Security-Policy"], url
        assert not {"ETag", "Last-Modified"} & set(response.headers.keys()), url
    assert not [url for url, r in crawl.pages.items() if b"<!--" in r.content], "a comment may say anything"


def test_every_picture_is_bare_and_carries_the_strictest_headers(crawl: Crawl) -> None:
    assert len(crawl.media) >= 2 * (PRACTICE + COUNT)
    for url, response in crawl.media.items():
        headers = response.headers
        assert headers["Cache-Control"] == "private, no-store", url
        assert headers["X-Content-Type-Options"] == "nosniff", url
        assert headers["Referrer-Policy"] == "same-origin", url
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; "), url
        assert "sandbox" in headers["Content-Security-Policy"], url
        assert not {"ETag", "Last-Modified", "Content-Disposition", "Expires"} & set(headers.keys()), url
        if headers["Content-Type"] == "image/png":
            assert chunks(response.content) <= CHUNKS, url
        else:
            assert headers["Content-Type"] == "image/svg+xml"
            assert_plain_drawing(response.content)


@pytest.mark.parametrize("name", CONDITIONS)
def test_no_page_of_the_researchers_is_open_to_an_annotator(scenes: Study, ann: Annotator, name: str) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, name))
    other = cast.sheet_at_items(scenes, "U+C+Rl+Rg+P")
    guarded = [
        "/",
        *(f"/studies/scenes/{p}" for p in ("", "run/", "links/", "report/", "people/", "audit/", "blinding/")),
    ]
    guarded += [f"/studies/scenes/{p}" for p in ("export/", "design/", "progress/", "design/file/", "links/table/")]
    for url in guarded:
        # The same for a study that is not there: nobody looks before asking who it is.
        answers = [ann.client.get(address) for address in (url, url.replace("scenes", "unknown"))]
        assert {answer.status_code for answer in answers} == {302}, url
        assert all(answer.headers["Location"].startswith("/login/") for answer in answers), url
    for url in ("/api/v1/studies/", "/api/v1/studies/scenes/", "/api/v1/studies/unknown/"):
        assert ann.client.get(url).status_code in (401, 403, 404), url
    assert other.resume_token not in ann.get("/t/item/")


def chunks(png: bytes) -> set[bytes]:
    """The names of a PNG's chunks."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = set(), 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.add(png[at + 4 : at + 8])
        at += 12 + length
    return found


def assert_plain_drawing(svg: bytes) -> None:
    """A drawing without comments, names, scripts or links, in whose words no class occurs."""
    assert b"<!--" not in svg
    for element in ElementTree.fromstring(svg).iter():  # noqa: S314 - our own drawing
        assert not {"id", "class", "href", "onload"} & {name.rpartition("}")[2] for name in element.attrib}
        assert element.tag.rpartition("}")[2] not in ("script", "metadata", "foreignObject", "image", "a")
        words = set(re.findall(r"\w+", " ".join([element.text or "", *element.attrib.values()]).lower()))
        assert not words & set(LABELS)

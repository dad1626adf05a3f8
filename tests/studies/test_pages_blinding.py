"""Blinding: per condition, what an annotator can reach holds nothing of what the condition hides.

Each artefact of the cast has words and picture bytes of its own, so that anything hidden can be searched for in
everything that a browser can fetch: pages, headers, addresses, pictures.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings

from studies import artefact_files, pages
from studies.models import Answer, Artefact, Sheet, Study
from tests import cast
from tests.cast import COUNT, PRACTICE, STAGES, Annotator

pytestmark = pytest.mark.django_db

CONDITIONS = {
    "U": {"U"},
    "U+C": {"U", "C"},
    "U+C+Rl": {"U", "C", "Rl"},
    "U+C+Rl+Rg": {"U", "C", "Rl", "Rg"},
    "U+C+Rl+Rg+P": {"U", "C", "Rl", "Rg", "P"},
}
MEDIA = re.compile(r"/m/[0-9]+-[a-z0-9]+")


class Visit:
    """Everything that an annotator of one condition receives on the way to the review."""

    def __init__(self, ann: Annotator, sheet: Sheet) -> None:
        self.pages: list[str] = []
        self.headers: list[str] = []
        ann.client.get(f"/r/{sheet.resume_token}/")
        for position in range(PRACTICE + COUNT):
            self._look(ann, "/t/item/")
            ann.answer()
            self._look(ann, f"/t/item/?at={position}")
        self._look(ann, "/t/review/")
        self.addresses = sorted(set(MEDIA.findall("".join(self.pages))))
        self.client = ann.client

    @property
    def text(self) -> str:
        return "\n".join([*self.pages, *self.headers, *self.addresses])

    def _look(self, ann: Annotator, url: str) -> None:
        page = ann.client.get(url)
        assert page.status_code == 200
        # The CSRF token is random text that may hold anything.
        self.pages.append(re.sub(r'csrfmiddlewaretoken" value="\w+"', "", page.content.decode()))
        self.headers.append(repr(sorted(page.headers.items())))

    def pictures(self) -> set[bytes]:
        """Every picture that the pages name."""
        return {self.client.get(address).content for address in self.addresses}


def _words(artefact: Artefact) -> set[str]:
    return set(re.findall(r"zq[0-9a-f]{10}", repr(artefact.numbers)))


def _bytes(artefact: Artefact) -> set[bytes]:
    return {artefact_files.load(entry) for entry in artefact.files.values()}


@pytest.mark.parametrize("name", CONDITIONS)
def test_what_a_condition_hides_is_in_no_page_and_no_picture(scenes: Study, ann: Annotator, name: str) -> None:
    visit = Visit(ann, cast.sheet_at_items(scenes, name))
    pictures = visit.pictures()
    for artefact in scenes.version.artefacts.all():
        is_shown = artefact.stage in CONDITIONS[name] | {"input"}
        for word in _words(artefact):
            assert (word in visit.text) == is_shown, artefact
        for content in _bytes(artefact):
            assert (content in pictures) == is_shown, artefact


@pytest.mark.parametrize("name", CONDITIONS)
def test_no_name_key_or_identity_reaches_the_annotator(scenes: Study, ann: Annotator, name: str) -> None:
    sheet = cast.sheet_at_items(scenes, name)
    visit = Visit(ann, sheet)
    items = list(sheet.version.items.all())
    telling = ["logit", "feature:", "condition", "explained", "prediction", "CLEVR_val", "val:73", "params"]
    telling += [
        sheet.annotator.pseudonym,
        sheet.version.sha256,
        *(item.datapoint for item in items),
    ]
    telling += [] if name == "U" else [name, name.replace("+", " + ")]
    for text in telling:
        assert text not in visit.text, text
    # Numbers stand between other characters; random ids and the cast's words may hold any digits.
    numbers = set(re.findall(r"\d+(?:\.\d+)?", re.sub(r"zq\w+|(value|content)=\S+|/m/\S+", "", visit.text)))
    keys = {str(item.index) for item in items} | {"41", "23", "0.3141", "0.2718", "0.1618"}
    assert not numbers & keys


def test_without_the_prediction_stage_no_weight_is_shown(scenes: Study) -> None:
    assert "0.31" not in repr(pages.item(cast.sheet_at_items(scenes, "U+C+Rl+Rg"), 0))
    assert "+0.31" in repr(pages.item(cast.sheet_at_items(scenes, "U+C+Rl+Rg+P"), 0))


def test_without_the_prediction_stage_the_order_of_features_does_not_depend_on_their_weights(scenes: Study) -> None:
    sheet = cast.sheet_at_items(scenes, "U+C+Rl+Rg")
    before = _feature_words(sheet)
    for item in scenes.version.items.all():
        item.explained = [{**entry, "features": entry["features"][::-1]} for entry in item.explained]
        item.save()
    assert _feature_words(sheet) == before
    graph = cast.sheet_at_items(scenes, "U+C+Rl+Rg+P")
    assert _feature_words(graph) != before


def _feature_words(sheet: Sheet) -> list[list[str]]:
    shown = [pages.item(sheet, position) for position in range(PRACTICE + COUNT)]
    return [[panel.examples[0].words[0].text for panel in page.explanations[0].features] for page in shown]


@pytest.mark.parametrize(("name", "richer"), list(pairwise(CONDITIONS)))
def test_media_of_a_richer_condition_do_not_exist_for_a_poorer_one(
    scenes: Study, newcomer: Callable[[], Annotator], name: str, richer: str
) -> None:
    poor, rich = newcomer(), newcomer()
    poor.sit_at(cast.sheet_at_items(scenes, name))
    rich.sit_at(cast.sheet_at_items(scenes, richer))
    others = MEDIA.findall(rich.get("/t/item/"))
    assert {rich.client.get(address).status_code for address in others} == {200}
    assert {poor.client.get(address).status_code for address in others} == {404}


def test_media_that_the_own_sheet_would_have_for_hidden_stages_do_not_exist(scenes: Study, ann: Annotator) -> None:
    sheet = cast.sheet_at_items(scenes, "U")
    full = scenes.version.conditions.get(name="U+C+Rl+Rg+P")
    ann.sit_at(sheet)
    shown = set(MEDIA.findall(ann.get("/t/item/")))
    sheet.condition = full  # as if: the same person's addresses, with every stage allowed; not saved
    page = repr(pages.item(sheet, 0))
    hidden = set(MEDIA.findall(page)) - shown
    # C 2 overlays, Rl 3, Rg 3 x (3 + 3), P 1; the input and U's overlay are shown
    assert len(hidden) == 2 + 3 + 18 + 1
    assert len(shown) == 2
    for address in hidden:
        assert ann.client.get(address).status_code == 404


def test_media_beyond_the_front_do_not_exist_until_the_item_is_reached(scenes: Study, ann: Annotator) -> None:
    sheet = cast.sheet_at_items(scenes, "U")
    ann.sit_at(sheet)
    later = MEDIA.findall(repr(pages.item(sheet, 1)))
    assert later
    assert {ann.client.get(address).status_code for address in later} == {404}
    ann.answer()
    assert {ann.client.get(address).status_code for address in later} == {200}


def test_a_hidden_picture_an_unknown_one_and_a_damaged_one_look_the_same(scenes: Study, ann: Annotator) -> None:
    sheet = cast.sheet_at_items(scenes, "U")
    ann.sit_at(sheet)
    later = MEDIA.findall(repr(pages.item(sheet, 1)))[0]
    shown = MEDIA.findall(ann.get("/t/item/"))[0]
    entry = pages.media(sheet, shown.removeprefix("/m/"))
    assert entry is not None
    damaged = Path(settings.MEDIA_ROOT, "artefacts", entry["sha256"][:2], f"{entry['sha256']}.png")
    damaged.write_bytes(damaged.read_bytes() + b"!")
    seen = [ann.client.get(address) for address in (later, shown, "/m/0-" + "a" * 20, "/m/x")]
    assert {page.status_code for page in seen} == {404}
    assert len({page.content for page in seen}) == 1
    assert len({repr(sorted(page.headers.items())) for page in seen}) == 1


def test_pictures_are_not_cached_sniffed_or_run(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U+C+Rl+Rg+P"))
    for address in MEDIA.findall(ann.get("/t/item/")):
        page = ann.client.get(address)
        assert page.headers["Cache-Control"] == "private, no-store"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert "ETag" not in page.headers
        assert "Last-Modified" not in page.headers


def test_choices_are_opaque_and_differ_between_annotators(scenes: Study) -> None:
    one, other = (pages.item(cast.sheet_at_items(scenes, "U"), 0) for _ in range(2))
    ids = [{choice.id for choice in page.choices} for page in (one, other)]
    assert not ids[0] & ids[1]
    assert {len(choice) for choice in ids[0] | ids[1]} == {12}
    assert {choice.label for choice in one.choices} == set(cast.LABELS)


def test_only_practice_tells_what_the_model_answered(scenes: Study, ann: Annotator) -> None:
    sheet = cast.sheet_at_items(scenes, "U+C+Rl+Rg+P")
    ann.sit_at(sheet)
    for position in range(PRACTICE + COUNT):
        ann.answer()
        page = ann.get(f"/t/item/?at={position}")
        told = "The model answered" in page or "That is what the model answered" in page
        assert told == (position < PRACTICE)


def test_the_key_of_an_item_changes_nothing_that_its_page_shows(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U+C+Rl+Rg+P"))
    for _ in range(PRACTICE):
        ann.answer()
    before = _masked(ann.get("/t/item/"))
    for item in scenes.version.items.all():
        item.prediction, item.truth = (item.prediction + 1) % 4, (item.prediction + 2) % 4
        item.save()
    assert _masked(ann.get("/t/item/")) == before


@pytest.mark.parametrize("name", ["U", "U+C+Rl+Rg+P"])
def test_the_answer_types_of_the_choices_change_nothing_that_is_shown(scenes: Study, ann: Annotator, name: str) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, name))
    before = _masked(ann.get("/t/item/"))
    for item in scenes.version.items.all():
        item.choices = [{**choice, "type": f"zqkind{place}"} for place, choice in enumerate(item.choices)]
        item.save()
    assert _masked(ann.get("/t/item/")) == before
    for position in range(PRACTICE + COUNT):
        ann.answer()
        assert "zqkind" not in ann.get(f"/t/item/?at={position}")
    assert "zqkind" not in ann.get("/t/review/")
    assert "zqkind" not in repr(list(Answer.objects.values_list("value", flat=True)))


def _masked(page: str) -> str:
    return re.sub(r'csrfmiddlewaretoken" value="\w+"', "", page)


def test_every_stage_of_the_cast_is_covered_by_a_condition() -> None:
    assert set().union(*CONDITIONS.values()) | {"input"} == set(STAGES)

"""That the comparison of two worlds can fail: leaks that platforms have had are planted, and each one is found."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from studies import page_panels, page_slots, pages
from studies.middleware import ContentSecurityPolicy
from studies.models import Answer, Artefact, Item, Sheet
from studies.services import assignment
from tests.studies.worlds.browser_with_a_record import differences
from tests.studies.worlds.study_of_a_world import PRACTICE, Case
from tests.studies.worlds.walk import transcript

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")


def a_comment_with_the_truth(patch: Patch) -> None:
    on_pages(patch, lambda response, sheet, item: append(response, f"<!-- {item.truth} -->"))


def spaces_as_many_as_hidden_words(patch: Patch) -> None:
    on_pages(patch, lambda response, sheet, item: append(response, " " * hidden_words(item)))


def a_header_when_the_model_is_right(patch: Patch) -> None:
    on_pages(patch, lambda response, sheet, item: put(response, "X-Right", str(item.model_is_right)))


def a_cookie_named_after_the_version(patch: Patch) -> None:
    on_pages(patch, lambda response, sheet, item: response.set_cookie("v", sheet.version.sha256[:4]))


def an_etag_of_the_row(patch: Patch) -> None:
    on_pages(patch, lambda response, sheet, item: put(response, "ETag", f'"{item.pk}"'))


def the_number_of_answers_of_other_people(patch: Patch) -> None:
    on_pages(patch, lambda response, sheet, item: append(response, str(Answer.objects.count())))


def another_status_for_pictures_that_exist_but_are_hidden(patch: Patch) -> None:
    def tell(request: HttpRequest, response: HttpResponse, sheet: Sheet, item: Item) -> None:
        if response.status_code == 404 and exists_for_the_fullest_condition(sheet, request.path.removeprefix("/m/")):
            response.status_code = 403

    on_everything(patch, tell)


def a_reason_phrase_for_the_truth(patch: Patch) -> None:
    def phrase(response: HttpResponse, sheet: Sheet, item: Item) -> None:
        response.reason_phrase = f"OK {item.truth}"

    on_pages(patch, phrase)


def the_predicted_choice_first(patch: Patch) -> None:
    def predicted_first(sheet: Sheet, items: list[int], choices: dict[str, list[str]]) -> Any:
        for item in sheet.version.items.all():
            first = item.letter_of(item.prediction)
            choices[str(item.pk)].sort(key=lambda letter: letter != first)
        return items, choices

    on_orders(patch, predicted_first)


def items_that_the_model_gets_wrong_first(patch: Patch) -> None:
    def wrong_first(sheet: Sheet, items: list[int], choices: dict[str, list[str]]) -> Any:
        right = {item.pk: item.model_is_right for item in sheet.version.items.all()}
        return [*items[:PRACTICE], *sorted(items[PRACTICE:], key=lambda pk: right[pk])], choices

    on_orders(patch, wrong_first)


def features_in_the_order_of_their_weights(patch: Patch) -> None:
    patch.setattr(page_slots, "sorted", lambda values: list(values), raising=False)


def addresses_of_pictures_made_from_what_they_show(patch: Patch) -> None:
    url = page_slots.Media.url

    def telling(media: page_slots.Media, slot: str, artefact: Artefact, name: str) -> str:
        return url(media, f"{slot}.{artefact.target}", artefact, name)

    patch.setattr(page_slots.Media, "url", telling)


def a_stage_that_the_condition_does_not_show(patch: Patch) -> None:
    every = page_slots.artefacts_of
    patch.setattr(page_panels, "artefacts_of", lambda item, stages: every(item, {*stages, "C", "P"}))


LEAKS: list[Callable[[Patch], None]] = [
    a_comment_with_the_truth,
    spaces_as_many_as_hidden_words,
    a_header_when_the_model_is_right,
    a_cookie_named_after_the_version,
    an_etag_of_the_row,
    the_number_of_answers_of_other_people,
    another_status_for_pictures_that_exist_but_are_hidden,
    a_reason_phrase_for_the_truth,
    the_predicted_choice_first,
    items_that_the_model_gets_wrong_first,
    features_in_the_order_of_their_weights,
    addresses_of_pictures_made_from_what_they_show,
    a_stage_that_the_condition_does_not_show,
]
#: Leaks of what is hidden only without certain stages are planted where those are hidden.
CASES = {features_in_the_order_of_their_weights: Case("U+C+Rl+Rg")}


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_a_planted_leak_is_found(monkeypatch: Patch, leak: Callable[[Patch], None]) -> None:
    case = CASES.get(leak, Case("U"))
    leak(monkeypatch)
    assert differences(transcript(case, 0, is_short=True), transcript(case, 1, is_short=True))


@pytest.mark.parametrize("case", [Case("U"), Case("U+C+Rl+Rg")], ids=str)
def test_without_a_planted_leak_the_short_way_shows_no_difference(case: Case) -> None:
    assert not differences(transcript(case, 0, is_short=True), transcript(case, 1, is_short=True))


def on_everything(patch: Patch, change: Callable[[HttpRequest, HttpResponse, Sheet, Item], None]) -> None:
    """Change every response to a browser that has a sheet, knowing the item that it is at."""
    respond = ContentSecurityPolicy.__call__

    def leaky(middleware: ContentSecurityPolicy, request: HttpRequest) -> HttpResponse:
        response = respond(middleware, request)
        sheet = Sheet.objects.filter(pk=request.session.get("sheet")).first()
        if sheet is not None:
            place = min(max(sheet.position, PRACTICE), len(sheet.item_order) - 1)
            change(request, response, sheet, Item.objects.get(pk=sheet.item_order[place]))
        return response

    patch.setattr(ContentSecurityPolicy, "__call__", leaky)


def on_pages(patch: Patch, change: Callable[[HttpResponse, Sheet, Item], Any]) -> None:
    on_everything(patch, lambda request, response, sheet, item: change(response, sheet, item))


def on_orders(patch: Patch, change: Callable[[Sheet, list[int], dict[str, list[str]]], Any]) -> None:
    """Change the orders that are drawn for a sheet."""
    drawn = assignment._drawn_orders
    patch.setattr(assignment, "_drawn_orders", lambda study, sheet: change(sheet, *drawn(study, sheet)))


def append(response: HttpResponse, text: str) -> None:
    response.content += text.encode()


def put(response: HttpResponse, header: str, value: str) -> None:
    response.headers[header] = value


def hidden_words(item: Item) -> int:
    rows = item.version.artefacts.filter(subject=item.subject, stage="C")
    return sum(len((row.numbers or {}).get("pairs", ())) for row in rows)


def exists_for_the_fullest_condition(sheet: Sheet, media_id: str) -> bool:
    sheet.condition.stages = ["U", "C", "Rl", "Rg", "P"]  # not saved
    return pages.media(sheet, media_id) is not None

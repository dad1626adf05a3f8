"""One annotator's whole way through a world, with every address that a curious person could try."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import time_machine
from django.db import transaction

from studies import pages
from studies.models import Invite, Sheet, Study
from studies.secret_ids import public_id
from studies.services.answering import answer_submit
from studies.services.inviting import invites_create
from studies.services.sheets import sheet_assign, sheet_begin, sheet_create, sheet_finish, sheet_review_done
from studies.services.withdrawing import sheet_withdraw
from tests.studies.worlds.browser_with_a_record import Entry, PageReader, Recorder
from tests.studies.worlds.study_of_a_world import PRACTICE, SLUG, TOTAL, Case, build

NOON = "2026-03-02T12:00:00Z"
RIGHT = {"quiz_0": "What the model answers", "quiz_1": "At any time"}
BATCH = "7d9f8a52-6d0e-4c39-9c0f-3c2f5d7f0a01"
#: Tried at several steps: own pages, pages of others, researchers' pages, and nothing at all.
PAGES = ("", "consent/", "quiz/", "instructions/", "item/", "review/", "post/", "done/", "withdraw/")
STRANGE = (
    "/nowhere/",
    "/t/nowhere/",
    "/m/x",
    "/m/0-" + "a" * 20,
    "/m/99-" + "a" * 20,
    "/r/unknown/",
    f"/s/{SLUG}/unknown/",
    "/s/other/unknown/",
    f"/s/{SLUG}/",
    "/s/other/",
    "/",
    f"/studies/{SLUG}/",
    f"/studies/{SLUG}/report/",
    f"/studies/{SLUG}/progress/",
    f"/studies/{SLUG}/blinding/",
    "/studies/other/",
    "/api/v1/",
    "/api/v1/studies/",
    f"/api/v1/studies/{SLUG}/",
    "/t/draft/",
    "/t/exposure/",
    "/t/other/",
    "/t/item/?at=-1",
    "/t/item/?at=99",
    "/t/item/?at=x",
)
#: A page's places, named as studies/page_panels.py names them, for more of them than any condition fills.
SLOTS = [
    *((f"{e}.U", "overlay") for e in range(4)),
    *((f"{e}.C{n}", f"overlay{n}") for e in (0, 3) for n in (0, 1, 3)),
    *((f"0.R{f}.l", "overlay") for f in range(1, 6)),
    *((f"0.R{f}.g{n}", f"{kind}{n}") for f in (1, 4) for n in (0, 2) for kind in ("image", "overlay")),
    *((f"{e}.P", "graph") for e in range(2)),
]


class _Undone(Exception):
    """Takes a world away again."""


def transcript(case: Case, world: int, *, is_short: bool = False) -> list[Entry]:
    """Everything that an annotator of the case's condition receives in one of the two worlds; nothing of it stays."""
    way = short_way if is_short else _long_way
    return recorded(lambda: way(build(case, world), case.name, world))


def recorded(way: Callable[[], list[Entry]]) -> list[Entry]:
    """What a way through a study gives while the clock stands still; whatever it stored is taken back."""
    entries: list[Entry] = []
    try:
        with transaction.atomic(), time_machine.travel(NOON, tick=False):
            entries = way()
            raise _Undone
    except _Undone:
        return entries


def _long_way(study: Study, name: str, world: int) -> list[Entry]:
    _somebody_before(study, name, world)
    link, used = invites_create(study=study, count=2)
    ann = Recorder()
    _strange(ann)
    _into_the_items(ann, link, name, world)
    sheet = Sheet.objects.get(invite=link)
    for position in range(TOTAL):
        _answer(ann, sheet, position)
        _others(study, name, world)
    _hidden(ann, sheet)
    _to_the_end(ann, sheet)
    stranger = Recorder()
    stranger.get(_address(link))
    stranger.get(_address(used))
    stranger.get(sorted(ann.seen_media)[0])
    second = Recorder()
    second.get(f"/r/{sheet.resume_token}/")
    ann.send("/t/withdraw/")
    _own_pages(ann)
    return [*ann.entries, *stranger.entries, *second.entries]


def short_way(study: Study, name: str, world: int) -> list[Entry]:
    """From the resume link to the review: enough for leaks of the item pages."""
    _somebody_before(study, name, world)
    sheet = sheet_create(study=study, kind="live")
    sheet = sheet_begin(sheet=sheet_assign(sheet=sheet, condition=study.version.conditions.get(name=name)))
    ann = Recorder()
    ann.get(f"/r/{sheet.resume_token}/")
    for position in range(len(sheet.item_order)):
        ann.send("/t/item/")
        ann.get(f"/t/item/?at={position}")
    _hidden(ann, sheet)
    return ann.entries


def _into_the_items(ann: Recorder, link: Invite, name: str, world: int) -> None:
    address = _address(link)
    ann.head(address)
    ann.send(address)
    ann.get(address)
    _own_pages(ann)
    ann.send("/t/consent/", lacking=("agree",))
    ann.send("/t/consent/")
    _others(link.study, name, world)
    ann.send("/t/quiz/", lacking=("quiz_0",))
    ann.send("/t/quiz/")
    _only_place(link.study, name, world)
    ann.send("/t/quiz/", **RIGHT)
    assert Sheet.objects.get(invite=link).condition.name == name
    _own_pages(ann)
    ann.send("/t/instructions/")


def _answer(ann: Recorder, sheet: Sheet, position: int) -> None:
    """An item from its first sight to its answer, and once more afterwards."""
    html = ann.get("/t/item/")
    assert 'name="choice"' in html, f"item {position} is not asked"
    form = next(form for form in PageReader(html).forms if "choice" in form.fields)
    posted = {name: value for name, value in form.fields.items() if name != "csrfmiddlewaretoken"}
    ann.post("/t/draft/", {**posted, "sequence": "17"})
    ann.post("/t/draft/", {**posted, "sequence": "18", "position": str(position + 1)})
    ann.post("/t/exposure/", {**posted, "batch": f"{BATCH[:-1]}{position}", "active": "1200", "overview": "700"})
    ann.get(f"/t/item/?at={position + 1}")
    ann.send("/t/item/", lacking=("choice",))
    ann.post("/t/item/", {**posted, "choice": "forged"}, accept="application/json")
    if position % 2:
        ann.send("/t/item/")
    else:
        posted["submission"] = f"{BATCH[:-1]}{position}"
        ann.post("/t/item/", posted, accept="application/json")
        ann.post("/t/item/", posted, accept="application/json")
    ann.get(f"/t/item/?at={position}")
    ann.get("/t/review/")


def _to_the_end(ann: Recorder, sheet: Sheet) -> None:
    _own_pages(ann)
    _strange(ann)
    ann.post("/t/other/", {"other": "x" * 16})
    ann.post("/t/review/", {"sheet": "x" * 16})
    ann.send(f"/t/item/?at={PRACTICE}", confidence="4")
    ann.send("/t/review/")
    _own_pages(ann)
    ann.send("/t/post/")
    _own_pages(ann)
    ann.get(sorted(ann.seen_media)[0])


def _own_pages(ann: Recorder) -> None:
    for page in PAGES:
        ann.get(f"/t/{page}")


def _strange(ann: Recorder) -> None:
    for url in STRANGE:
        ann.get(url)


def _hidden(ann: Recorder, sheet: Sheet) -> None:
    """Every address that this sheet's pictures would have, were all stages shown in either world."""
    secret, pseudonym = sheet.version.study.secret, sheet.annotator.pseudonym
    place = sheet.version.items.get(pk=sheet.item_order[PRACTICE]).position
    for slot, name in SLOTS:
        ann.get(f"/m/{PRACTICE}-{public_id(secret, 'media', pseudonym, place, slot, name)}")


def _somebody_before(study: Study, name: str, world: int) -> None:
    """One person was there before: finished in the one world, gone in the other."""
    sheet = _sheet_of_another(study, name, answers=None if world else 1, choose=world)
    if world:
        sheet_finish(sheet=sheet_review_done(sheet=sheet), post={"comment": "I know the answers"})
    else:
        sheet_withdraw(sheet=sheet)


def _others(study: Study, name: str, world: int) -> None:
    """More people in the one world than in the other, with other answers."""
    if world:
        _sheet_of_another(study, name, answers=2, choose=3)


def _only_place(study: Study, name: str, world: int) -> None:
    """The other arms are filled in the one world, and closed by hand in the other; this one has room."""
    others = study.version.conditions.exclude(name=name)
    study.version.conditions.filter(name=name).update(quota=30 + world)
    if world == 0:
        others.update(is_open=False)
        return
    for arm in others:
        for number in range(arm.quota):
            _sheet_of_another(study, arm.name, answers=number, choose=number)


def _sheet_of_another(study: Study, name: str, *, answers: int | None, choose: int) -> Sheet:
    sheet = sheet_create(study=study, kind="live")
    sheet = sheet_begin(sheet=sheet_assign(sheet=sheet, condition=study.version.conditions.get(name=name)))
    for position in range(len(sheet.item_order) if answers is None else answers):
        page = pages.item(sheet, position)
        values = {"choice": page.choices[choose % len(page.choices)].id}
        values |= {q.name: q.options[choose % len(q.options)][0] if q.options else "mine" for q in page.questions}
        sheet = answer_submit(sheet=sheet, position=position, submission=uuid.UUID(int=position + 1), values=values)
    return sheet


def _address(link: Invite) -> str:
    return f"/s/{link.study.slug}/{link.token}/"

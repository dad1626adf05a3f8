"""What the database holds after the run, compared with what the annotators were told. Import after Django is set up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from django.db.models import QuerySet

from benchmarks.load.filling import Annotator
from studies import pages
from studies.models import Answer, Item, Sheet, Study


def lost_and_doubled(study: Study, people: Sequence[Annotator]) -> tuple[int, int]:
    """Acknowledged answers that are not stored as they were sent, and answers to one question that are there twice."""
    sheets = {f"/s/{study.slug}/{s.invite.token}/": s for s in _sheets(study) if s.invite is not None}
    items = study.version.items.in_bulk()
    lost = sum(_lost(sheets[p.link], items, p.acknowledged) for p in people if p.acknowledged)
    rows = Answer.objects.filter(sheet__version__study=study).values_list("sheet", "item", "question")
    doubled = sum(count - 1 for count in Counter(rows).values())
    return lost, doubled


def arms(study: Study) -> list[int]:
    """Sheets per condition."""
    counted = Counter(_sheets(study).values_list("condition", flat=True))
    return [counted[pk] for pk in study.version.conditions.values_list("pk", flat=True)]


def _sheets(study: Study) -> QuerySet[Sheet]:
    return Sheet.objects.filter(version__study=study).select_related("version__study", "annotator", "invite")


def _lost(sheet: Sheet, items: Mapping[int, Item], acknowledged: Mapping[int, str]) -> int:
    stored = dict(sheet.answers.filter(question="choice").order_by("revision").values_list("item", "value"))
    lost = 0
    for position, choice in acknowledged.items():
        item = items[sheet.item_order[position]]
        value = stored.get(item.pk)
        lost += value is None or pages.choice_id(sheet, item, value["letter"]) != choice
    return lost

"""Everything a report depends on, read once from the database: rating tables (annotators x items), one per condition.

Read are finished sheets of one kind only (a sheet under way may still change; a withdrawn one has no answers), items
that are neither practice nor attention checks, and of each answer the newest revision. Annotators are in order of
pseudonym, items of position. Which sheets break an exclusion rule is noted; exclusions.py leaves them out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.models import QuerySet
from pydantic import BaseModel

from studies.config import StudyConfig
from studies.config_parts import Stage
from studies.models import Answer, Artefact, Condition, Item, Sheet, Study, StudyVersion
from studies.models.sheet import Kind
from studies.reports.dropoff import condition_drop_off, sheet_rows, study_drop_off
from studies.reports.exclusions import broken_rules
from studies.reports.shape import ConditionDropOff, DropOff

# Part of every data hash: raise it when the same data give another report, and stored ones are built anew.
FORMAT = 10

Values = dict[tuple[int, int, str], Any]
#: Marks the fields that have one entry per annotator
PER_ANNOTATOR = {"per_annotator": True}


@dataclass(frozen=True)
class RatedItem:
    """One counted item; model_is_right is None where the dataset does not tell the truth.

    types: the answer types of the prediction and of the truth, where both are known
    """

    position: int
    choices: int
    model_is_right: bool | None
    types: tuple[str, str] | None


@dataclass(frozen=True)
class RatingTable:
    """One condition's answers, each field [annotators, items]; None is missing.

    letters: the canonical letter chosen; labels: what it stands for; correct: whether it is the model's prediction
    broken:  the exclusion rules that each annotator's sheet breaks
    """

    condition: str
    stages: tuple[str, ...]
    quota: int
    drop_off: ConditionDropOff
    annotators: tuple[str, ...] = field(metadata=PER_ANNOTATOR)
    broken: tuple[tuple[str, ...], ...] = field(metadata=PER_ANNOTATOR)
    letters: tuple[tuple[str | None, ...], ...] = field(metadata=PER_ANNOTATOR)
    labels: tuple[tuple[str | None, ...], ...] = field(metadata=PER_ANNOTATOR)
    correct: tuple[tuple[bool | None, ...], ...] = field(metadata=PER_ANNOTATOR)
    confidence: tuple[tuple[int | None, ...], ...] = field(metadata=PER_ANNOTATOR)
    helpful: tuple[tuple[str | None, ...], ...] = field(metadata=PER_ANNOTATOR)


@dataclass(frozen=True)
class Ratings:
    """All conditions of a version, and what else its report says.

    plan: the hash set at the freeze or ""; plan_now: the same, computed again from what is stored today
    lime_rows: how LIME's rows of U, Rl and Rg were made, as their artefacts say it: "apart", "joint", or "" without any
    projections: the random directions of C, as its artefacts say it; 0 without any
    """

    study: str
    version: str
    state: str
    sheets: str
    plan: str
    plan_now: str
    peeks: int
    lime_rows: str
    projections: int
    drop_off: DropOff
    items: tuple[RatedItem, ...]
    tables: tuple[RatingTable, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nobody has begun: a report about neither people nor simulated ones."""
        return not self.drop_off.started

    @property
    def sha256(self) -> str:
        """The hash of all of it."""
        content = json.dumps([FORMAT, asdict(self)], sort_keys=True, separators=(",", ":"), default=_plain)
        return hashlib.sha256(content.encode()).hexdigest()


def sheet_kind(study: Study) -> str:
    """Which sheets a report is about unless asked otherwise: live ones as soon as there is one, else simulated."""
    has_live = Sheet.objects.filter(version__study=study, kind=Kind.LIVE).exists()
    return str(Kind.LIVE if has_live else Kind.SIMULATED)


def ratings_of(version: StudyVersion, kind: str) -> Ratings:
    """Read the sheets of one kind (live, simulated or pilot)."""
    everything = list(version.items.order_by("position"))
    items = [item for item in everything if not item.is_practice and not item.is_check]
    checks = [item for item in everything if item.is_check]
    quiz = version.config.pages.quiz
    sheets = list(
        version.sheets.filter(kind=kind, step=Sheet.Step.DONE, condition__isnull=False)
        .select_related("annotator")
        .order_by("annotator__pseudonym")
    )
    values = _newest_values(version, kind)
    rows = sheet_rows(version, kind)
    broken = {sheet.pk: broken_rules(sheet, checks, values, quiz.attempts if quiz else None) for sheet in sheets}

    def table(arm: Condition) -> RatingTable:
        lost = condition_drop_off(rows, arm.pk, pages=len(everything), state=version.study.state)
        return _table(arm, [s for s in sheets if s.condition_id == arm.pk], items, values, broken, lost)

    return Ratings(
        study=version.study.slug,
        version=version.sha256,
        state=version.study.state,
        sheets=kind,
        plan=version.plan_sha256,
        plan_now=_plan_now(version),
        peeks=version.study.audit.filter(act="peek").count(),
        lime_rows=_lime_rows(version),
        projections=_projections(version),
        drop_off=study_drop_off(rows),
        items=tuple(_rated(item) for item in items),
        tables=tuple(table(arm) for arm in version.conditions.order_by("position")),
    )


def stages_by(config: StudyConfig, method: str) -> tuple[Stage, ...]:
    """Those of U, Rl and Rg that are computed by a method: the highlights on Rg's examples have that of R, as Rl."""
    parts = config.stages
    methods: dict[Stage, str] = {"U": parts.U.method, "Rl": parts.R.method, "Rg": parts.R.method}
    return tuple(stage for stage, name in methods.items() if name == method)


def _lime_rows(version: StudyVersion) -> str:
    """What the first artefact says, for a study never mixes methods; one of METHODS 2 says nothing and is joint."""
    designs = _made(version, stages_by(version.config, "lime")).values_list(
        "numbers__config__design", "numbers__examples__0__config__design"
    )
    return next((own or of_example or "joint" for own, of_example in designs[:1]), "")


def _projections(version: StudyVersion) -> int:
    numbers = _made(version, ("C",)).values_list("numbers__config__projections", flat=True)
    return next((int(number or 0) for number in numbers[:1]), 0)


def _made(version: StudyVersion, stages: Iterable[Stage]) -> QuerySet[Artefact]:
    return version.artefacts.filter(stage__in=stages).exclude(sha256="").order_by("pk")


def data_sha256(version: StudyVersion, kind: str) -> str:
    """The hash over everything that a report of these sheets depends on."""
    return ratings_of(version, kind).sha256


def _newest_values(version: StudyVersion, kind: str) -> Values:
    """(sheet, item, question) -> value: later revisions overwrite earlier ones."""
    rows = (
        Answer.objects.filter(
            sheet__version=version, sheet__kind=kind, sheet__step=Sheet.Step.DONE, item__is_practice=False
        )
        .order_by("revision")
        .values_list("sheet_id", "item_id", "question", "value")
    )
    return {(sheet, item, question): value for sheet, item, question, value in rows}


def _rated(item: Item) -> RatedItem:
    if item.truth is None:
        return RatedItem(item.position, len(item.choices), None, None)
    predicted, true = item.type_of(item.prediction), item.type_of(item.truth)
    types = (predicted, true) if predicted and true else None
    return RatedItem(item.position, len(item.choices), item.model_is_right, types)


def _table(
    arm: Condition,
    sheets: list[Sheet],
    items: list[Item],
    values: Values,
    broken: dict[int, tuple[str, ...]],
    lost: ConditionDropOff,
) -> RatingTable:
    def answers(question: str) -> list[list[Any]]:
        return [[values.get((sheet.pk, item.pk, question)) for item in items] for sheet in sheets]

    choices = answers("choice")
    return RatingTable(
        condition=arm.name,
        stages=tuple(arm.stages),
        quota=arm.quota,
        drop_off=lost,
        annotators=tuple(sheet.annotator.pseudonym for sheet in sheets),
        broken=tuple(broken[sheet.pk] for sheet in sheets),
        letters=tuple(tuple(c["letter"] if c else None for c in row) for row in choices),
        labels=tuple(tuple(_label(i, c) for i, c in zip(items, row, strict=True)) for row in choices),
        correct=tuple(tuple(_is_correct(i, c) for i, c in zip(items, row, strict=True)) for row in choices),
        confidence=tuple(map(tuple, answers("confidence"))),
        helpful=tuple(map(tuple, answers("helpful"))),
    )


def _label(item: Item, chosen: dict[str, Any] | None) -> str | None:
    if chosen is None:
        return None
    return next(str(choice["label"]) for choice in item.choices if choice["letter"] == chosen["letter"])


def _is_correct(item: Item, chosen: dict[str, Any] | None) -> bool | None:
    return None if chosen is None else item.prediction in chosen["classes"]


def _plain(part: object) -> object:
    """Parts of the report's own shape, for the hash."""
    assert isinstance(part, BaseModel)
    return part.model_dump()


def _plan_now(version: StudyVersion) -> str:
    if not version.plan_sha256:
        return ""
    # The freezing service leads to the engine, which a page that only reads ratings has no use for.
    from studies.services.freezing import plan_sha256

    return plan_sha256(version)

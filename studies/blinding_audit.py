"""The blinding audit: per condition the fields that its annotators receive, one by one, and what stays hidden."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

from studies import texts
from studies.config_parts import STAGES
from studies.models import Condition, StudyVersion
from studies.services.sampling import Sample, condition_sample

LONGEST = 160
#: Hidden from every annotator, whatever the condition shows.
ALWAYS_HIDDEN = (
    "what the model predicts, but in the feedback on practice items",
    "what is true",
    "the name of the condition, and that there are others",
    "other people: who they are, how many, what they answered",
    "which datapoint of the data set an item is, and which class or feature an explanation is about",
)


@dataclass(frozen=True)
class Field:
    """One field: how deep it lies, its name, and an example of its value."""

    depth: int
    name: str
    value: str


@dataclass(frozen=True)
class Received:
    """One page as a tree of fields."""

    heading: str
    kind: str  # the class in studies/page_types.py or page_step_types.py
    fields: list[Field]


@dataclass(frozen=True)
class Audit:
    """One condition: what is received, what is hidden, and the hash of the sample."""

    name: str
    shown: list[str]
    hidden: list[str]
    pages: list[Received]
    pictures: list[tuple[str, str, str]]  # media id, type, SHA-256
    sha256: str


def audits(version: StudyVersion) -> list[Audit]:
    """One audit per condition. Needs ready artefacts; stores nothing."""
    return [_audit(condition) for condition in version.conditions.select_related("version__study")]


def _audit(condition: Condition) -> Audit:
    sample = condition_sample(condition=condition)
    return Audit(
        name=condition.name,
        shown=[_stage(stage) for stage in STAGES if stage in condition.stages],
        hidden=[_stage(stage) for stage in STAGES if stage not in condition.stages],
        pages=[Received(heading, type(page).__name__, list(_tree(page, 0))) for heading, page in sample.pages],
        pictures=[(media_id, entry["type"], entry["sha256"]) for media_id, entry in sample.pictures],
        sha256=payload_sha256(sample),
    )


def payload_sha256(sample: Sample) -> str:
    """The hash of every field of every page, and of the pictures: another one as soon as one of them changes."""
    content = [[heading, type(page).__name__, asdict(page)] for heading, page in sample.pages]
    files = [[media_id, entry["type"], entry["sha256"]] for media_id, entry in sample.pictures]
    return hashlib.sha256(json.dumps([content, files], sort_keys=True).encode()).hexdigest()


def _stage(stage: str) -> str:
    return f"{stage}: {texts.STAGE_INTRODUCTIONS[stage][0]}"


def _tree(page: Any, depth: int) -> Iterator[Field]:
    for field in fields(page):
        yield from _field(field.name, getattr(page, field.name), depth)


def _field(name: str, value: Any, depth: int) -> Iterator[Field]:
    """A field; of several alike, their number and the first one."""
    if is_dataclass(value):
        yield Field(depth, name, "")
        yield from _tree(value, depth + 1)
    elif isinstance(value, tuple) and value and is_dataclass(value[0]):
        yield Field(depth, name, "1 of its kind" if len(value) == 1 else f"{len(value)} of its kind, the first:")
        yield from _tree(value[0], depth + 1)
    else:
        yield Field(depth, name, _example(value))


def _example(value: Any) -> str:
    if value is None or value in ("", ()):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "; ".join(map(_example, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"

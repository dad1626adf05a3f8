"""Which artefact file stands in which place of an item's page, for one condition. Called by studies/pages.py only.

A slot is named by its place ("0.U.image"), never by what it shows: media ids derive from slots, so that neither an id
nor its length tells which class or feature was explained.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from studies.models import Artefact, Item, Sheet
from studies.secret_ids import public_id, shuffled


@dataclass(frozen=True)
class FeatureSlot:
    """One feature in its place on the page: its number there and its artefacts, as far as the condition shows them."""

    number: int
    local: Artefact | None
    examples: Artefact | None


@dataclass(frozen=True)
class TargetSlots:
    """The artefacts towards one class that the condition shows."""

    label: str | None  # the class's name under `all_candidates`, else None: masked
    unimodal: Artefact | None
    crossmodal: Artefact | None
    features: tuple[FeatureSlot, ...]
    graph: Artefact | None


@dataclass
class Media:
    """Collects the files that a page shows and hands out their opaque addresses."""

    sheet: Sheet
    item: Item
    position: int  # on the sheet: it opens the address, so that one item has to be looked at, not all
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def url(self, slot: str, artefact: Artefact, name: str) -> str:
        """The address of one file of an artefact, or "" where it has none of that name."""
        entry = artefact.files.get(name)
        if entry is None:
            return ""
        study = self.sheet.version.study
        digest = public_id(study.secret, "media", self.sheet.annotator.pseudonym, self.item.position, slot, name)
        media_id = f"{self.position}-{digest}"
        self.files[media_id] = entry
        return f"/m/{media_id}"


def artefacts_of(item: Item, stages: Iterable[str]) -> dict[tuple[str, str, str], Artefact]:
    """Published artefacts of an item for the allowed stages: (stage, subject, target) -> artefact.

    One whose file was lost is wanted again and still published: a panel must not vanish from an open study.
    """
    stages = set(stages)
    published = item.version.artefacts.exclude(sha256="")
    rows = list(published.filter(subject_kind="datapoint", subject=item.subject, stage__in=stages | {"input"}))
    if "Rg" in stages:
        wanted = [str(j) for entry in item.explained for j in entry["features"]]
        rows += published.filter(subject_kind="feature", subject__in=wanted, stage="Rg")
    return {(row.stage, row.subject, row.target): row for row in rows}


def target_slots(sheet: Sheet, item: Item, found: dict[tuple[str, str, str], Artefact]) -> list[TargetSlots]:
    """The explained classes in screen order, each with the artefacts of the sheet's stages."""
    assert sheet.condition is not None
    stages: list[str] = sheet.condition.stages
    by_choice = sheet.version.config.target_class_policy == "all_candidates"
    slots = []
    for entry in _in_screen_order(sheet, item) if by_choice else item.explained:
        logit = f"logit:{entry['class']}"
        slots.append(
            TargetSlots(
                label=_choice_label(item, entry["class"]) if by_choice else None,
                unimodal=found.get(("U", item.subject, logit)),
                crossmodal=found.get(("C", item.subject, logit)),
                features=_feature_slots(sheet, item, entry, stages, found),
                graph=found.get(("P", item.subject, logit)),
            )
        )
    return slots


def _feature_slots(
    sheet: Sheet, item: Item, entry: dict[str, Any], stages: list[str], found: dict[tuple[str, str, str], Artefact]
) -> tuple[FeatureSlot, ...]:
    if not {"Rl", "Rg"} & set(stages):
        return ()
    features: list[int] = entry["features"]
    if "P" not in stages:
        # Sorted first: the order by weight must not be recoverable from the order on screen.
        features = shuffled(sheet.version.study.secret, sorted(features), "features", item.position)
    return tuple(
        FeatureSlot(
            number=number,
            local=found.get(("Rl", item.subject, f"feature:{j}")),
            examples=found.get(("Rg", str(j), "")),
        )
        for number, j in enumerate(features, start=1)
    )


def _in_screen_order(sheet: Sheet, item: Item) -> list[dict[str, Any]]:
    order = sheet.choice_orders[str(item.pk)]
    return sorted(item.explained, key=lambda entry: order.index(item.letter_of(entry["class"])))


def _choice_label(item: Item, class_index: int) -> str:
    return next(str(choice["label"]) for choice in item.choices if class_index in choice["classes"])

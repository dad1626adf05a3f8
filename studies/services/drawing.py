"""Drawing a study's items from the prediction run: filters, balance, choices, and the features that are explained.

Which datapoints are drawn follows from the study file's seed, so that anybody can repeat it; letters follow from the
study's secret, so that nobody can guess them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

from studies import engine
from studies.config import StudyConfig
from studies.linter import choice_groups, matches
from studies.models import Item, StudyVersion
from studies.secret_ids import shuffled

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class DrawingRefused(Exception):
    """Too few datapoints match; the sentence says which key asks for more than there is."""


def items_draw(*, version: StudyVersion, source: dict[str, Any]) -> list[Item]:
    """Draw the items of a version; nothing is stored yet. Reads a whole split. raises: DrawingRefused"""
    config = version.config
    facts = engine.facts(source, config.dataset.split)
    drawn = _drawn_points(config, facts)
    rankings = engine.rankings(source, config.dataset.split, [point.index for point in drawn])
    explanations = [*config.items.explanations, *[""] * config.items.practice]
    items = []
    for position, point in enumerate(drawn):
        place = _place(config, position)
        is_practice = place < config.items.practice
        is_check = place >= config.items.count + config.items.practice
        offered = _choices(config, facts, point, rankings[point.index])
        choices = _lettered(version, place, offered, facts.label_types)
        items.append(
            Item(
                version=version,
                position=place,
                is_practice=is_practice,
                split=config.dataset.split,
                index=point.index,
                datapoint=point.id,
                prediction=point.predicted,
                truth=point.label,
                choices=choices,
                explained=_explained(version, source, point, choices),
                explanation=explanations[place] if is_practice else "",
                # Drawn from the secret, not from the model: what a check asks for tells nothing.
                expected=shuffled(version.study.secret, [c["letter"] for c in choices], "check", place)[0]
                if is_check
                else "",
            )
        )
    return sorted(items, key=lambda item: item.position)


def _place(config: StudyConfig, drawn: int) -> int:
    """The position of the datapoint drawn at this number: practice, items, checks.

    Practice comes first on the sheet; it is drawn after the items so that its number does not change them.
    """
    count, practice = config.items.count, config.items.practice
    if drawn < count:
        return drawn + practice
    return drawn - count if drawn < count + practice else drawn


def _drawn_points(config: StudyConfig, facts: engine.Facts) -> list[engine.Point]:
    if config.items.ids is not None:
        return _named_points(config, facts)
    generator = random.Random(config.seed)
    pool = _matching(config, facts)
    generator.shuffle(pool)
    if config.items.balance is None:
        return _take(pool, config.items.total, "items.count", "match items.where")
    groups = choice_groups(config, facts.labels)
    right = [point for point in pool if _is_right(point, groups)]
    wrong = [point for point in pool if not _is_right(point, groups)]
    balance, uncounted = config.items.balance, config.items.practice + config.items.checks
    chosen = _take(right, balance.model_right, "items.balance.model_right", "are matching and predicted right")
    chosen += _take(wrong, balance.model_wrong, "items.balance.model_wrong", "are matching and predicted wrong")
    generator.shuffle(chosen)
    taken = {point.index for point in chosen}
    rest = [point for point in pool if point.index not in taken]
    return chosen + _take(rest, uncounted, "items.practice", "are left for practice and checks")


def _named_points(config: StudyConfig, facts: engine.Facts) -> list[engine.Point]:
    """The datapoints that the file names. raises: DrawingRefused (no truth, or the prediction is no choice)"""
    by_id = {point.id: point for point in facts.points}
    points = []
    for i, name in enumerate(config.items.ids or ()):
        point = by_id[name]
        if point.label is None or not _is_offered(config, facts, point):
            said = facts.labels[point.predicted]
            reason = (
                "it has no true answer" if point.label is None else f"the model predicts {said!r}, which is no choice"
            )
            raise DrawingRefused(f"items.ids[{i}]: {name!r} cannot be an item: {reason}")
        points.append(point)
    return points


def _is_offered(config: StudyConfig, facts: engine.Facts, point: engine.Point) -> bool:
    groups = choice_groups(config, facts.labels)
    return groups is None or any(point.predicted in classes for classes in groups.values())


def _matching(config: StudyConfig, facts: engine.Facts) -> list[engine.Point]:
    names = [None if point.label is None else facts.labels[point.label] for point in facts.points]
    frequency = Counter(names)
    return [
        point
        for point, name in zip(facts.points, names, strict=True)
        if matches(config.items.where, point.filters, name, frequency)
        and point.label is not None
        and _is_offered(config, facts, point)
    ]


def _take(pool: list[engine.Point], count: int, key: str, what: str) -> list[engine.Point]:
    if len(pool) < count:
        raise DrawingRefused(f"{key}: {count} asked for, but only {len(pool)} datapoints {what}")
    return pool[:count]


def _is_right(point: engine.Point, groups: dict[str, list[int]] | None) -> bool:
    if groups is None:
        return point.predicted == point.label
    return any(point.predicted in classes and point.label in classes for classes in groups.values())


def _choices(
    config: StudyConfig, facts: engine.Facts, point: engine.Point, ranking: list[int]
) -> list[tuple[str, list[int]]]:
    """The choices of one item as (label, classes), in canonical order."""
    groups = choice_groups(config, facts.labels)
    if groups is not None:
        return list(groups.items())
    assert config.answers.choices is not None
    wanted = list(dict.fromkeys(k for k in (point.predicted, point.label) if k is not None))
    kind = facts.label_types.get(facts.labels[point.predicted])
    distractors = (k for k in ranking if k not in wanted and facts.label_types.get(facts.labels[k]) == kind)
    for k in distractors:
        if len(wanted) >= config.answers.choices:
            break
        wanted.append(k)
    return sorted((facts.labels[k], [k]) for k in wanted)


def _lettered(
    version: StudyVersion, place: int, choices: list[tuple[str, list[int]]], types: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Canonical letters: drawn from the secret per item, or in the written order where all items share one list.

    types: label -> answer type, where the dataset tells it; noted for the report
    """
    if version.config.answers.fixed is not None:
        return [_choice(i, label, classes) for i, (label, classes) in enumerate(choices)]
    choices = shuffled(version.study.secret, choices, "letters", place)
    return [
        _choice(i, label, classes) | ({"type": types[label]} if types.get(label) else {})
        for i, (label, classes) in enumerate(choices)
    ]


def _choice(i: int, label: str, classes: list[int]) -> dict[str, Any]:
    return {"letter": LETTERS[i], "label": label, "classes": classes}


def _explained(
    version: StudyVersion, source: dict[str, Any], point: engine.Point, choices: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The classes that explanations point towards, each with its top features."""
    policy = version.config.target_class_policy
    if policy == "all_candidates":
        classes = [choice["classes"][0] for choice in sorted(choices, key=lambda c: str(c["label"]))]
    else:
        classes = [point.predicted if policy == "predicted" or point.label is None else point.label]
    return [{"class": k, **_features(version, source, point, k)} for k in classes]


def _features(version: StudyVersion, source: dict[str, Any], point: engine.Point, k: int) -> dict[str, Any]:
    """The features that speak most for a class: by positive coefficient, or by positive contribution here."""
    config = version.config
    if not config.needs_features:
        return {"features": [], "weights": []}
    path = version.artefacts.get(stage="path").numbers or {}
    entry = path["classes"].get(str(k), {"indices": [], "weights": []})
    weights = dict(zip(entry["indices"], entry["weights"], strict=True))
    strength = weights
    if config.stages.P.rank == "contribution":
        z = engine.features_of(source, config.dataset.split, point.index)
        strength = {j: w * (z[j] - path["mean"][j]) / path["scale"][j] for j, w in weights.items()}
    top = sorted((j for j in strength if strength[j] > 0), key=lambda j: -strength[j])[: config.stages.R.features]
    # Sorted by coefficient either way: that is the order of the P graph.
    top.sort(key=lambda j: -weights[j])
    return {"features": top, "weights": [weights[j] for j in top]}

"""What is wrong with a study file beyond its form: missing data, broken pictures, a foreign checkpoint, too few items.

Reads data and descriptions only; writes nothing and loads no weights. Imports of the computing side stay inside
functions: the web process must not pay for them at start-up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from studies.config import StudyConfig
from studies.config_parts import ItemsPart, Where
from studies.yaml_strict import Problem

Progress = Callable[[int, int], None]


def check(config: StudyConfig, *, base: Path, progress: Progress | None = None) -> list[Problem]:
    """Every problem found, each with the path of its key.

    base:     the folder that relative paths start from
    progress: called with (done, total) while the split's datapoints are read
    """
    problems = _check_texts(config, base)
    labels, label_types, facts = _check_dataset(config, base, problems, progress)
    _check_model(config, base, labels, problems)
    if labels and not problems:
        problems += _check_answers(config, labels)
        problems += _check_items(config, labels, label_types, facts)
    return problems


def matches(where: Where, point: Mapping[str, Any], label: str | None, frequency: Mapping[str | None, int]) -> bool:
    """Whether a datapoint passes the filters. point: answer_type, question_type; label: its true answer."""
    answer_type, question_type = point.get("answer_type"), point.get("question_type")
    return (
        (not where.answer_type or answer_type in where.answer_type)
        and answer_type not in where.answer_type_not
        and (not where.question_type or question_type in where.question_type)
        and question_type not in where.question_type_not
        and frequency[label] >= (where.min_answer_frequency or 0)
    )


def choice_groups(config: StudyConfig, labels: tuple[str, ...]) -> dict[str, list[int]] | None:
    """For fixed choices: name -> the classes it stands for; None where choices are drawn per item."""
    if config.answers.fixed is None:
        return None
    groups: dict[str, list[int]] = {name: [] for name in config.answers.fixed}
    for index, label in enumerate(labels):
        name = config.answers.merge.get(label, label)
        if name in groups:
            groups[name].append(index)
    return groups


def _check_texts(config: StudyConfig, base: Path) -> list[Problem]:
    problems = []
    for key, source in config.pages.text_files.items():
        try:
            (base / source).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            hint = "" if source.endswith((".md", ".txt")) else "; a text that is written here needs a second line"
            problems.append(Problem(key, f"{base / source} cannot be read as UTF-8 text: {error}{hint}"))
    return problems


def _check_dataset(
    config: StudyConfig, base: Path, problems: list[Problem], progress: Progress | None
) -> tuple[tuple[str, ...], Mapping[str, str], list[dict[str, Any]]]:
    from analysis_core import datasets, errors

    part = config.dataset
    root = base / part.root
    if part.name not in datasets.names():
        problems.append(Problem("dataset.name", str(errors.UnknownName("dataset", part.name, datasets.names()))))
        return (), {}, []
    if not root.is_dir():
        wrong = "is not a folder" if root.exists() else "does not exist"
        problems.append(Problem("dataset.root", f"the folder {root} {wrong}"))
        return (), {}, []
    facts: list[dict[str, Any]] = []
    labels: tuple[str, ...] = ()
    types: Mapping[str, str] = {}
    for key in ("split", "train"):
        split = getattr(part, key)
        if split is None or (key == "train" and not config.needs_features):
            continue
        try:
            dataset = datasets.load(part.name, root=root, split=split)
            read = _read(dataset, progress)
            if key == "split":
                labels, types, facts = tuple(dataset.labels), dataset.label_types, read
        except (errors.AnalysisError, OSError) as error:
            problems.append(Problem(f"dataset.{key}", str(error)))
    return labels, types, facts


def _read(dataset: Any, progress: Progress | None) -> list[dict[str, Any]]:
    """Read every datapoint once, its picture too, and keep the few facts that filters ask for."""
    facts = []
    for i in range(len(dataset)):
        sample = dataset[i]
        facts.append({key: sample.get(key) for key in ("id", "label", "answer_type", "question_type")})
        if progress:
            progress(i + 1, len(dataset))
    return facts


def _check_model(config: StudyConfig, base: Path, labels: tuple[str, ...], problems: list[Problem]) -> None:
    from analysis_core import errors, models

    try:
        described = models.describe(config.model.name, checkpoint=base / config.model.checkpoint)
    except errors.UnknownName as error:
        problems.append(Problem("model.name", str(error)))
    except errors.AnalysisError as error:
        problems.append(Problem("model.checkpoint", str(error)))
    else:
        if labels and described.labels != labels:
            problems.append(
                Problem("model.checkpoint", f"its {len(described.labels)} classes are not the dataset's {len(labels)}")
            )


def _check_answers(config: StudyConfig, labels: tuple[str, ...]) -> list[Problem]:
    groups = choice_groups(config, labels) or {}
    problems = [
        Problem("answers.fixed", f"{name!r} is no class of the dataset, and merge leads none to it")
        for name, classes in groups.items()
        if not classes
    ]
    if config.target_class_policy == "all_candidates":
        problems += [
            Problem("answers.merge", f"all_candidates explains one class per choice, but {name!r} joins {len(classes)}")
            for name, classes in groups.items()
            if len(classes) > 1
        ]
    strangers = sorted(set(config.answers.merge) - set(labels))
    problems += [Problem(f"answers.merge.{name}", "the dataset has no such class") for name in strangers]
    return problems


def _check_items(
    config: StudyConfig, labels: tuple[str, ...], label_types: Mapping[str, str], facts: list[dict[str, Any]]
) -> list[Problem]:
    items = config.items
    wanted = items.total
    problems = _unknown_filter_values(items.where, label_types, facts)
    if items.ids is not None:
        known = {point["id"] for point in facts}
        problems += [
            Problem(f"items.ids[{i}]", f"{name!r} is not in the split")
            for i, name in enumerate(items.ids)
            if name not in known
        ]
        return problems
    names = [None if point["label"] is None else labels[point["label"]] for point in facts]
    frequency = Counter(names)
    found = sum(matches(items.where, point, name, frequency) for point, name in zip(facts, names, strict=True))
    if found < wanted and not problems:
        problems.append(
            Problem("items.count", f"{found} datapoints match items.where, but {_asked(items)} asks for {wanted}")
        )
    return problems


def _asked(items: ItemsPart) -> str:
    return "count + practice + checks" if items.checks else "count + practice"


def _unknown_filter_values(where: Where, label_types: Mapping[str, str], facts: list[dict[str, Any]]) -> list[Problem]:
    known = {
        "answer_type": set(label_types.values()) | {point["answer_type"] for point in facts},
        "question_type": {point["question_type"] for point in facts},
    }
    problems = []
    for field in ("answer_type", "answer_type_not", "question_type", "question_type_not"):
        values = known[field.removesuffix("_not")] - {None}
        for i, value in enumerate(getattr(where, field)):
            if value not in values:
                there = ", ".join(sorted(map(str, values))) or "none"
                problems.append(Problem(f"items.where.{field}[{i}]", f"{value!r} does not occur; there are: {there}"))
    return problems

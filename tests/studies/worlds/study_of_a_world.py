"""The same study in two worlds, 0 and 1, for tests of blinding.

Both worlds have the same secret. They share what one condition shows: pictures, words, choices, practice. They differ
in which choice is predicted and true, in whatever the condition hides (content, sizes, how much of it there is), in
which datapoints the items are, in the other arms, and in everything that other people do.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any

import yaml
from django.utils import timezone
from PIL import Image

from studies import config
from studies.artefact_files import store
from studies.models import Annotator, Artefact, Condition, Item, Run, Sheet, Study, StudyVersion

SLUG, SECRET = "scenes", bytes(range(32))
PRACTICE, COUNT, CHECKS = 1, 2, 1
TOTAL = PRACTICE + COUNT + CHECKS
LABELS = ["red", "blue", "green", "gray"]
PRESETS = {
    "U": ["U"],
    "U+C": ["U", "C"],
    "U+C+Rl": ["U", "C", "Rl"],
    "U+C+Rl+Rg": ["U", "C", "Rl", "Rg"],
    "U+C+Rl+Rg+P": ["U", "C", "Rl", "Rg", "P"],
    "Rl+P": ["Rl", "P"],
    "Rg+P": ["Rg", "P"],
}
#: Arms beside the one that is looked at: other names, other stages, another number of them.
SIBLINGS = ({"full": ["U", "C", "Rl", "Rg", "P"]}, {"bare": ["U"], "graph": ["C", "Rl", "P"], "rich": ["U", "Rg", "P"]})
FILE = """
study: scenes
kind: simulation
title: What does the model answer?
dataset: {name: clevr, root: fixtures/clevr_demo, split: val, train: train}
model: {name: cnn_lstm_sa, checkpoint: fixtures/checkpoints/clevr_cnn_lstm_sa}
items: {count: 2, practice: 1, checks: 1}
target_class_policy: predicted
annotators: {per_condition: 5}
pages:
  minutes: 12
  pay: 3 euros
  background: ["Your age?"]
  post: [comment]
  quiz:
    attempts: 2
    questions:
      - {text: "What do you choose?", options: [What is true, What the model answers], correct: What the model answers}
      - {text: "May you stop?", options: [Never, At any time], correct: At any time}
questions: [confidence, helpful_page, comment, {id: clarity, text: "How clear was it?", type: scale}]
"""


@dataclass(frozen=True)
class Case:
    """One condition under one policy; `is_fixed`: one list of choices for all items, two classes merged into one."""

    name: str
    policy: str = "predicted"
    is_fixed: bool = False

    @property
    def stages(self) -> list[str]:
        return PRESETS[self.name]

    def __str__(self) -> str:
        return f"{self.name} {self.policy}{' fixed' if self.is_fixed else ''}"


def build(case: Case, world: int) -> Study:
    """The open study of a case in one of its two worlds."""
    _shift_keys(world)
    read = config.from_values(_definition(case, world))
    made = Study.objects.create(slug=SLUG, secret=SECRET, state=Study.State.OPEN)
    version = StudyVersion.objects.create(
        study=made, number=1 + world, definition=read.model_dump(mode="json"), sha256=read.sha256
    )
    for position, arm in enumerate(read.arms):
        Condition.objects.create(
            version=version, name=arm.name, position=position, stages=list(arm.stages), quota=arm.annotators
        )
    for position in range(TOTAL):
        item = _item(case, world, version, position)
        for row in _artefacts_of(case, world, item):
            _publish(version, *row)
    for feature in _features(case, world):
        _publish(version, *_examples(case, world, feature))
    Run.objects.create(version=version, snapshot={}, finished=timezone.now())
    return made


def _shift_keys(world: int) -> None:
    """Rows that came before: no primary key of this study is the same in both worlds."""
    for number in range(1 + 2 * world):
        other = Study.objects.create(slug=f"before-{world}-{number}", state=Study.State.CLOSED)
        version = StudyVersion.objects.create(study=other, number=1, definition={}, sha256="0" * 64)
        Condition.objects.create(version=version, name="U", position=0, stages=["U"], quota=1)
        Item.objects.create(version=version, position=0, split="val", index=0, datapoint="x", prediction=0, choices=[])
        annotator = Annotator.objects.create(study=other, pseudonym="p")
        Sheet.objects.create(version=version, annotator=annotator, resume_token=other.slug)


def _definition(case: Case, world: int) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(FILE)
    arms = [{"name": case.name, "stages": case.stages}]
    others = [{"name": name, "stages": stages, "annotators": 1 + world} for name, stages in SIBLINGS[world].items()]
    values["conditions"] = others + arms if world else arms + others
    values["seed"] = 7 + world
    values["target_class_policy"] = case.policy
    values["answers"] = {"fixed": LABELS, "merge": {"navy": "blue"}} if case.is_fixed else {"choices": 4}
    # How hidden stages were computed
    values["stages"] = {"R": {"features": 3 + world, "top": 2 + world, "pool": 100 + world}}
    return values


def _item(case: Case, world: int, version: StudyVersion, position: int) -> Item:
    """Practice is the same in both worlds (its feedback is shown); every other item has another key."""
    is_practice = position < PRACTICE
    # Right and wrong take turns, the other way round in the other world; no class is the same in both.
    turn = 0 if is_practice else world
    predicted = (position + 2 * turn) % 4
    truth = (predicted + (position + turn) % 2) % 4
    explained = {"predicted": [predicted], "true_class": [truth], "all_candidates": [1, 3, 2, 0]}[case.policy]
    choices = [{"letter": "ABCD"[i], "label": LABELS[i], "classes": [i]} for i in range(4)]
    if case.is_fixed:
        choices[1]["classes"] = [1, 4]
        predicted = 4 if world and predicted == 1 else predicted
    return Item.objects.create(
        version=version,
        position=position,
        is_practice=is_practice,
        split=("val", "test")[world],
        index=7300 + position + 500 * world,
        datapoint=f"CLEVR_{world}_{position}",
        prediction=predicted,
        truth=truth,
        choices=choices,
        explained=[{"class": k, **_top_features(case, world, k)} for k in explained],
        explanation="The ball is in front." if is_practice else "never shown " * (1 + world),
        expected="C" if position >= PRACTICE + COUNT else "",
    )


def _features(case: Case, world: int) -> list[int]:
    """Shared where the condition shows any: their number and who they are decide what is on the page."""
    if {"Rl", "Rg"} & set(case.stages):
        return [41, 7, 23]
    return [[41, 7, 23], [5, 60, 11, 302, 8]][world]


def _top_features(case: Case, world: int, k: int) -> dict[str, Any]:
    features = _features(case, world)
    if "P" in case.stages:
        return {"features": features, "weights": [0.5 / (n + 2) for n in range(len(features))]}
    # Without P neither the weights nor the order that they give may show.
    turned = features[::-1] if world else features
    return {"features": turned, "weights": [(0.9 + k * world) / (n + 2) for n in range(len(turned))]}


def _name(case: Case, world: int, stage: str, *place: object) -> tuple[str, int]:
    """What a result is made from, and how much of it there is: the same in both worlds where the stage is shown."""
    is_shown = stage in (*case.stages, "input")
    seen = 0 if is_shown else world
    return " ".join(map(str, (stage, *place, seen))), 2 + 2 * seen


def _artefacts_of(case: Case, world: int, item: Item) -> list[tuple[Any, ...]]:
    rows = [_result(case, world, item, "input", "")]
    for place, entry in enumerate(item.explained):
        # One result per place on the page, whichever class or feature it stands for in this world
        rows += [_result(case, world, item, stage, f"logit:{entry['class']}", place) for stage in ("U", "C")]
        rows += [_graph(case, world, item, entry, place)]
    for j in sorted(_features(case, world)):
        rows += [_result(case, world, item, "Rl", f"feature:{j}", j)]
    return rows


def _result(case: Case, world: int, item: Item, stage: str, target: str, place: object = "") -> tuple[Any, ...]:
    name, size = _name(case, world, stage, item.position, place)
    words: list[dict[str, Any]] = [{"text": f"{word(name)}{n}", "level": n % 6} for n in range(size)]
    numbers: dict[str, Any] = {"words": words}
    files = {"overlay": png(name, size)}
    if stage == "input":
        files = {"image": png(name, size)}
    elif stage == "C":
        numbers = {"pairs": [{"word": row["text"]} for row in words]}
        files = {f"overlay{n}": png(f"{name} {n}", size) for n in range(size)}
    return "datapoint", item.subject, stage, target, _stored(files), numbers


def _graph(case: Case, world: int, item: Item, entry: dict[str, Any], place: int) -> tuple[Any, ...]:
    name, _ = _name(case, world, "P", item.position, place)
    rows = [{"feature": j, "weight": w} for j, w in zip(entry["features"], entry["weights"], strict=True)]
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg"><title>{word(name)}</title></svg>'.encode()
    files = {"graph": store(drawing, "image/svg+xml")}
    return "datapoint", item.subject, "P", f"logit:{entry['class']}", files, {"features": rows}


def _examples(case: Case, world: int, feature: int) -> tuple[Any, ...]:
    name, size = _name(case, world, "Rg", feature)
    files = {f"{kind}{n}": png(f"{name} {kind} {n}", size) for kind in ("image", "overlay") for n in range(size)}
    examples = [{"words": [{"text": word(f"{name} {n}"), "level": 2}], "index": n + 50 * world} for n in range(size)]
    return "feature", str(feature), "Rg", "", _stored(files), {"examples": examples}


def _stored(files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    return {name: store(content, "image/png") for name, content in files.items()}


def _publish(
    version: StudyVersion,
    kind: str,
    subject: str,
    stage: str,
    target: str,
    files: dict[str, dict[str, Any]],
    numbers: dict[str, Any],
) -> None:
    made = Artefact.objects.create(
        subject_kind=kind,
        subject=subject,
        stage=stage,
        target=target,
        params={"version": version.number},
        params_hash=f"{version.number:064}",
        state=Artefact.State.READY,
        sha256=hashlib.sha256(f"{version.number} {kind} {subject} {stage} {target}".encode()).hexdigest(),
        files=files,
        numbers=numbers,
        seconds=float(version.number),
    )
    version.artefacts.add(made)


def word(name: str) -> str:
    """A word that no other name has; its length too may differ."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return "zq" + digest[: 6 + int(digest[0], 16) % 8]


def png(name: str, size: int) -> bytes:
    """A picture that no other name has, larger for a larger size."""
    red, green, blue = hashlib.sha256(name.encode()).digest()[:3]
    buffer = io.BytesIO()
    Image.new("RGB", (6 * size, 4 * size), (red, green, blue)).save(buffer, "PNG")
    return buffer.getvalue()

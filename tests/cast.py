"""The fixed cast of the web's tests: Rosa the researcher, her small study with five conditions, and annotators.

The pictures are real PNGs, each of its own colour, and the words of each artefact are its own: what a page must not
show can be searched for.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from PIL import Image

from studies import config
from studies.artefact_files import store
from studies.models import Artefact, Condition, Invite, Item, Run, Sheet, Study, StudyVersion
from studies.services.inviting import invites_create, preview_invites
from studies.services.sheets import sheet_assign, sheet_begin, sheet_create

PRACTICE, COUNT = 2, 4
FEATURES = [41, 7, 23]
WEIGHTS = [0.3141, 0.2718, 0.1618]
#: What attention checks ask for: the choice of this letter
CHECK_LETTER = "C"
LABELS = ["red", "blue", "green", "gray"]
STUDY_FILE = """
study: scenes
kind: simulation
title: What does the model answer?
seed: 7
dataset: {name: clevr, root: fixtures/clevr_demo, split: val, train: train}
model: {name: cnn_lstm_sa, checkpoint: fixtures/checkpoints/clevr_cnn_lstm_sa}
items: {count: 4, practice: 2}
answers: {choices: 4}
target_class_policy: predicted
stages: {R: {features: 3, top: 3}}
conditions: multiviz-ablation
annotators: {per_condition: 3}
pages:
  minutes: 12
  pay: 3 euros
  post: [comment]
questions: [confidence, helpful_page, comment, {id: clarity, text: "How clear was it?", type: scale}]
"""
QUIZ = """
  quiz:
    attempts: 2
    questions:
      - {text: "What do you choose?", options: [What is true, What the model answers], correct: What the model answers}
      - {text: "May you stop?", options: [At any time, Never], correct: At any time}
"""
STAGES = ("input", "U", "C", "Rl", "Rg", "P")


def researcher() -> User:
    """Rosa, who owns the studies."""
    return User.objects.create_user("rosa", password="correct horse battery")


def study(*, owner: User | None = None, text: str = STUDY_FILE, state: str = Study.State.OPEN) -> Study:
    """A study with all its items and artefacts ready."""
    read = config.read(text)
    made = Study.objects.create(slug=read.study, owner=owner, state=state)
    version = StudyVersion.objects.create(
        study=made, number=1, definition=read.model_dump(mode="json"), sha256=read.sha256
    )
    for position, arm in enumerate(read.arms):
        Condition.objects.create(
            version=version, name=arm.name, position=position, stages=list(arm.stages), quota=arm.annotators
        )
    counted = read.items.practice + read.items.count
    for position in range(read.items.total):
        expected = CHECK_LETTER if position >= counted else ""
        item = _item(version, position, is_practice=position < read.items.practice, expected=expected)
        _explain(version, item)
    Run.objects.create(version=version, snapshot={}, finished=timezone.now())
    for feature in FEATURES:
        _artefact(version, "feature", str(feature), "Rg", "", _rg_files(feature), _rg_numbers(feature))
    return made


def with_quiz(text: str = STUDY_FILE) -> str:
    """The study file with an eligibility quiz."""
    return text.replace("  post: [comment]\n", "  post: [comment]" + QUIZ)


def with_checks(count: int = 1, text: str = STUDY_FILE) -> str:
    """The study file with attention checks among its items."""
    return text.replace("items: {count: 4, practice: 2}", f"items: {{count: 4, practice: 2, checks: {count}}}")


def recruiting(rest: str = "open: true", text: str = STUDY_FILE) -> str:
    """The study file with a part about recruitment."""
    return f"{text}recruitment: {{{rest}}}\n"


def renamed(slug: str, title: str = "Another study", text: str = STUDY_FILE) -> str:
    """The study file as one of another study."""
    return text.replace("study: scenes", f"study: {slug}").replace("What does the model answer?", title)


def invite(made: Study) -> Invite:
    """One more live link."""
    return invites_create(study=made, count=1)[0]


def preview(made: Study, name: str) -> Invite:
    """The preview link of a condition."""
    preview_invites(study=made)
    return made.invites.get(kind="pilot", condition__name=name)


def sheet_at_items(made: Study, name: str) -> Sheet:
    """A live sheet in the named condition, at its first item."""
    sheet = sheet_create(study=made, kind="live")
    sheet_assign(sheet=sheet, condition=made.version.conditions.get(name=name))
    sheet_begin(sheet=sheet)
    return Sheet.objects.get(pk=sheet.pk)


@dataclass
class Annotator:
    """Ann, or whoever else sits at a browser: a client, and what a person would click."""

    client: Client

    def get(self, url: str) -> str:
        """The page at the end of the redirects."""
        return self.client.get(url, follow=True).content.decode()

    def form(self, url: str = "/t/item/") -> dict[str, str]:
        """The fields of the item's form, filled in: the first choice on screen."""
        page = self.client.get(url, follow=True).context["page"]
        return {
            "position": str(page.position),
            "submission": page.submission,
            "choice": page.choices[0].id,
            **{q.name: q.options[0][0] if q.options else "" for q in page.questions},
        }

    def answer(self, **changes: str) -> None:
        """Answer the open item and go on."""
        self.client.post("/t/item/", {**self.form(), **changes})

    def answer_all(self) -> None:
        """From the first item to the review."""
        for _ in range(PRACTICE + COUNT):
            self.answer()

    def enter(self, link: Invite) -> None:
        """From the link to the instructions."""
        self.client.post(f"/s/{link.study.slug}/{link.token}/")
        self.agree()

    def agree(self) -> None:
        """Consent."""
        page = self.client.get("/t/consent/").context["page"]
        self.client.post("/t/consent/", {"agree": "yes", "sha256": page.sha256})

    def sit_at(self, sheet: Sheet) -> None:
        """Take up a sheet by its personal link."""
        self.client.get(f"/r/{sheet.resume_token}/")


def canary(stage: str, target: str, subject: str) -> str:
    """A word that occurs in one artefact only."""
    return "zq" + hashlib.sha256(f"{stage} {target} {subject}".encode()).hexdigest()[:10]


def png(name: str) -> bytes:
    """A small picture that no other name has."""
    red, green, blue = hashlib.sha256(name.encode()).digest()[:3]
    buffer = io.BytesIO()
    Image.new("RGB", (12, 8), (red, green, blue)).save(buffer, "PNG")
    return buffer.getvalue()


def svg(name: str) -> bytes:
    """A drawing that no other name has, as large as the graph of three features."""
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="186"><title>{name}</title></svg>'.encode()


def _item(version: StudyVersion, position: int, *, is_practice: bool, expected: str) -> Item:
    predicted = position % 4
    return Item.objects.create(
        version=version,
        position=position,
        is_practice=is_practice,
        split="val",
        index=7300 + position,
        datapoint=f"CLEVR_val_00{7300 + position}",
        prediction=predicted,
        truth=(predicted + position % 2) % 4,
        choices=[{"letter": "ABCD"[i], "label": LABELS[i], "classes": [i]} for i in range(4)],
        explained=[{"class": predicted, "features": FEATURES, "weights": WEIGHTS}],
        explanation="The ball is in front." if is_practice else "",
        expected=expected,
    )


def _explain(version: StudyVersion, item: Item) -> None:
    logit = f"logit:{item.prediction}"
    targets = {"input": [""], "U": [logit], "C": [logit], "Rl": [f"feature:{j}" for j in FEATURES], "P": [logit]}
    for stage, named in targets.items():
        for target in named:
            files, numbers = _datapoint_result(stage, target, item.subject)
            _artefact(version, "datapoint", item.subject, stage, target, files, numbers)


def _datapoint_result(stage: str, target: str, subject: str) -> tuple[dict[str, dict[str, str]], dict[str, object]]:
    name, word = f"{stage} {target} {subject}", canary(stage, target, subject)
    words = [{"text": word, "level": 4}, {"text": "cube", "level": 0}]
    if stage == "input":
        return {"image": store(png(name), "image/png")}, {"words": [{"text": word, "level": 0}]}
    if stage == "C":
        files = {f"overlay{i}": store(png(f"{name} {i}"), "image/png") for i in range(2)}
        return files, {"pairs": [{"word": word}, {"word": "cube"}]}
    if stage == "P":
        rows = [{"feature": j, "weight": w} for j, w in zip(FEATURES, WEIGHTS, strict=True)]
        return {"graph": store(svg(name), "image/svg+xml")}, {"features": rows}
    return {"overlay": store(png(name), "image/png")}, {"words": words}


def _rg_files(feature: int) -> dict[str, dict[str, str]]:
    kinds = [(kind, i) for kind in ("image", "overlay") for i in range(3)]
    return {f"{kind}{i}": store(png(f"Rg {feature} {kind} {i}"), "image/png") for kind, i in kinds}


def _rg_numbers(feature: int) -> dict[str, object]:
    return {"examples": [{"words": [{"text": canary("Rg", str(i), str(feature)), "level": 2}]} for i in range(3)]}


def _artefact(
    version: StudyVersion,
    subject_kind: str,
    subject: str,
    stage: str,
    target: str,
    files: dict[str, dict[str, str]],
    numbers: dict[str, object],
) -> None:
    row = Artefact.objects.create(
        subject_kind=subject_kind,
        subject=subject,
        stage=stage,
        target=target,
        params={"study": version.study.slug},
        params_hash=hashlib.sha256(version.study.slug.encode()).hexdigest(),
        state=Artefact.State.READY,
        sha256="0" * 64,
        files=files,
        numbers=numbers,
    )
    version.artefacts.add(row)

"""Random studies for tests: every key of the study file takes awkward values. The same seed gives the same study."""

from __future__ import annotations

import random
from typing import Any

from studies.config import StudyConfig, from_values

AWKWARD = [
    "plain",
    "two words",
    " space around ",
    "line\nend",
    "carriage\r\nreturn",
    "old\rmac",
    '"quoted"',
    '"',
    '"open',
    "it's",
    "yes",
    "n",
    "Off",
    "007",
    "1:30",
    "12",
    "1e5",
    "null",
    "~",
    "true",
    "2024-01-01",
    "a -> b",
    '"a" -> b',
    "-> b",
    "key: value # not a comment",
    "- item",
    "[x]",
    "{answer}",
    "<script>alert(1)</script>",
    "&amp; &lt;",
    "=cmd()",
    "\\input{x}",
    "\ttab",
    "tab\tinside",
    "מה עונה המודל",
    "emoji 🧪👩‍🔬",
    "\u2028separator",
    "no\u00a0break",
    "\u00a0",
    "\x85next line",
    "trailing\n",
    "\n\nleading",
    "x" * 300,
]


def random_study(seed: int) -> StudyConfig:
    """A valid study in which keys are there or not, and texts are awkward."""
    draw = random.Random(seed)
    return from_values(_values(draw))


def _values(draw: random.Random) -> dict[str, Any]:
    values: dict[str, Any] = {
        "study": draw.choice(["a", "a-b", "007", "y", "null", "x" * 60]),
        "kind": "simulation",
        "title": _text(draw),
        "dataset": {"name": draw.choice(["clevr", "nlvr", _text(draw)]), "root": _any(draw), "split": _any(draw)},
        "model": {"name": "cnn_lstm_sa", "checkpoint": _any(draw)},
        "items": _items(draw),
        "answers": _answers(draw),
        "target_class_policy": draw.choice(["predicted", "all_candidates", "true_class"]),
        "conditions": _conditions(draw),
        "pages": _pages(draw),
        "questions": _questions(draw),
        "recruitment": _recruitment(draw),
        "stages": {
            "U": {"samples": draw.randint(20, 100_000)},
            "R": {"method": draw.choice(["lime", "gradient"]), "bottom": draw.randint(0, 10)},
        },
        "plan": {"alpha": draw.random() or 0.5, "exclude": draw.sample(["failed_quiz", "failed_checks"], k=2)},
    }
    values["dataset"]["train"] = _any(draw)
    if draw.random() < 0.5:
        values["seed"] = draw.randrange(2**31)
        values["annotators"] = {"per_condition": draw.randint(1, 10_000), "timeout_minutes": draw.randint(1, 43_200)}
    return values


def _text(draw: random.Random) -> str:
    """Never empty."""
    return draw.choice(AWKWARD)


def _any(draw: random.Random) -> str:
    return draw.choice([*AWKWARD, ""])


def _texts(draw: random.Random, most: int, least: int = 0) -> list[str]:
    return draw.sample(AWKWARD, k=draw.randint(least, most))


def _items(draw: random.Random) -> dict[str, Any]:
    right, wrong, practice = draw.randint(0, 9), draw.randint(1, 9), draw.randint(0, 3)
    items: dict[str, Any] = {"count": right + wrong, "practice": practice, "explanations": _texts(draw, practice)}
    items["where"] = {key: _texts(draw, 3) for key in ("answer_type", "answer_type_not", "question_type")}
    if draw.random() < 0.5:
        items["balance"] = {"model_right": right, "model_wrong": wrong}
        items["where"]["min_answer_frequency"] = draw.randint(1, 99)
    if draw.random() < 0.5:
        items["checks"] = draw.randint(0, 3)
        items["check_text"] = f"{_any(draw)}{{answer}}{_any(draw)}"
    if draw.random() < 0.3:
        items["ids"] = draw.sample(AWKWARD, k=right + wrong + practice + items.get("checks", 0))
    return items


def _answers(draw: random.Random) -> dict[str, Any]:
    if draw.random() < 0.5:
        return {"choices": draw.randint(2, 10)}
    fixed = _texts(draw, 6, least=2)
    return {
        "fixed": fixed,
        "merge": {key: draw.choice(fixed) for key in [*_texts(draw, 4), *draw.sample(["", "k"], 1)]},
    }


def _conditions(draw: random.Random) -> Any:
    if draw.random() < 0.3:
        return draw.choice(["multiviz-ablation", "Rl+P", "Rg+P"])
    names = draw.sample(["U", "yes", "007", "a b", "a ", "1.5", "x+y", "null"], k=draw.randint(1, 8))
    stages = ["U", "C", "Rl", "Rg", "P"]
    arms = [{"name": name, "stages": draw.sample(stages, k=draw.randint(1, 5))} for name in names]
    return [arm | ({"annotators": draw.randint(1, 99)} if draw.random() < 0.5 else {}) for arm in arms]


def _pages(draw: random.Random) -> dict[str, Any]:
    pages: dict[str, Any] = {"background": _texts(draw, 3), "post": _texts(draw, 3), "minutes": draw.randint(1, 6000)}
    pages |= {"consent": _any(draw), "instructions": _any(draw), "pay": draw.choice([None, _any(draw)])}
    if draw.random() < 0.5:
        pages["quiz"] = {"questions": [_quiz(draw) for _ in range(draw.randint(1, 4))], "attempts": draw.randint(1, 5)}
    return pages


def _quiz(draw: random.Random) -> dict[str, Any]:
    options = _texts(draw, 8, least=2)
    return {"text": _text(draw), "options": options, "correct": draw.choice(options)}


def _questions(draw: random.Random) -> list[Any]:
    own = [{"id": f"q{i}", "text": _text(draw), "type": draw.choice(["text", "scale"])} for i in range(3)]
    own[0] |= {"low": "very easy", "high": _text(draw)[:80]}
    return draw.sample([*own, "confidence", "helpful_page", "comment"], k=draw.randint(0, 6))


def _recruitment(draw: random.Random) -> dict[str, Any]:
    codes = {key: draw.choice([None, "C0DE-1"]) for key in ("completed", "screened_out", "full", "closed")}
    link = draw.choice([None, "https://example.org/?cc={code}"])
    return {"open": draw.random() < 0.5, "ids": draw.choice(["none", "prolific"]), "codes": codes, "return_url": link}

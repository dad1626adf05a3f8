"""Questions whose phrases name two different objects, drawn in memory, for the alignment evaluation.

One-object questions cannot tell an interaction from an object that simply matters: first order is as good there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np
from PIL import Image

from analysis_core.datasets.scenes.questions import Asker
from analysis_core.datasets.scenes.render import scenes
from analysis_core.datasets.scenes.vocabulary import ANSWERS

#: Families of questions in which each phrase has exactly one referent. "Besides the A, what color is the B?" is none:
#: two objects fit its second phrase.
FAMILIES = ("pair", "same")
_ASKED = 12


def two_object_questions(
    *, seed: int, split: str = "alignment", families: Sequence[str] = FAMILIES
) -> Iterator[dict[str, Any]]:
    """Endless samples, at most one per scene, so that two of them share nothing.

    returns: id, image (RGB), text, label, answer, question_type, boxes float32 [n, 4] in pixels, phrases: a tuple of
             {"span": characters (start, stop) of the text, "boxes": the indices of the boxes that it names}
    """
    for index in count():
        ((scene, rng),) = scenes(seed, split, index, index + 1)
        asked = Asker(scene.kinds, rng).ask(_ASKED)
        chosen = next((q for q in asked if q.kind.partition("_")[0] in families), None)
        if chosen is None:
            continue
        named = (chosen.first, chosen.second)
        yield {
            "id": f"{split}-{index}",
            "image": Image.fromarray(scene.image),
            "text": chosen.text,
            "label": ANSWERS.index(chosen.answer),
            "answer": chosen.answer,
            "question_type": chosen.kind,
            "boxes": np.array([scene.box(i) for i in range(len(scene.objects))], np.float32),
            "phrases": tuple({"span": span, "boxes": (i,)} for span, i in zip(chosen.spans, named, strict=True)),
        }

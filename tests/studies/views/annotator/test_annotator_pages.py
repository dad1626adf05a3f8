"""What the annotators' pages are made of: size, structure, headers."""

from __future__ import annotations

import re

import pytest
from django.utils.html import escape

from studies import texts
from studies.models import Artefact, Study
from tests import cast
from tests.cast import Annotator

pytestmark = pytest.mark.django_db

WORDS = [{"text": f"word{i}", "level": 1 + i % 5} for i in range(20)]
WORDS_AS_PAIRS = [{"word": f"word{i}"} for i in range(10)]


def test_the_fullest_item_page_stays_under_60_kb(ann: Annotator, db: None) -> None:
    study = cast.study()
    # Twenty words, each highlighted, under every picture; ten words with pictures of their own
    study.version.artefacts.exclude(stage__in=("C", "P", "Rg")).update(numbers={"words": WORDS})
    study.version.artefacts.filter(stage="Rg").update(numbers={"examples": [{"words": WORDS}] * 3})
    for artefact in study.version.artefacts.filter(stage="C"):
        entry = artefact.files["overlay0"]
        files = {f"overlay{i}": entry for i in range(10)}
        Artefact.objects.filter(pk=artefact.pk).update(numbers={"pairs": WORDS_AS_PAIRS}, files=files)
    ann.sit_at(cast.sheet_at_items(study, "U+C+Rl+Rg+P"))
    page = ann.get("/t/item/")
    # The cast has three features; five are the preset's, so a feature's share is counted twice more.
    features = re.findall(r'<div class="card feature".*?</div>\s*</div>', page, re.DOTALL)
    assert len(features) == 3
    assert len(page) + 2 * len(features[0]) < 60_000


def test_no_page_has_anything_inline_that_the_policy_forbids(scenes: Study, ann: Annotator) -> None:
    link = cast.invite(scenes)
    seen = [ann.get(f"/s/scenes/{link.token}/")]
    ann.enter(link)
    seen += [ann.get("/t/instructions/"), ann.get("/t/withdraw/")]
    ann.sit_at(cast.sheet_at_items(scenes, "U+C+Rl+Rg+P"))
    seen.append(ann.get("/t/item/"))
    for page in seen:
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc=)|javascript:", page)
        assert '<html lang="en">' in page
        assert page.count("<h1") == 1


def test_pages_forbid_framing_and_foreign_hosts(scenes: Study, ann: Annotator) -> None:
    page = ann.client.get(f"/s/scenes/{cast.invite(scenes).token}/")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "private, no-store"


def test_every_field_has_a_label_and_every_group_a_legend(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U+C+Rl+Rg+P"))
    page = ann.get("/t/item/")
    for field in re.findall(r"<fieldset.*?</fieldset>", page, re.DOTALL):
        assert "<legend>" in field
        assert field.count("<input") == len(re.findall(r"<label[^>]*>\s*<input", field))
    for name in re.findall(r'<textarea id="(\w+)"', page):
        assert f'<label for="{name}">' in page
    assert re.findall(r"<img(?![^>]*\salt=)", page) == []


def test_each_condition_has_instructions_for_its_stages_only(scenes: Study, ann: Annotator) -> None:
    drawings = {"U": "unimodal", "C": "crossmodal", "Rl": "local", "Rg": "global", "P": "prediction"}
    for condition in scenes.version.conditions.all():
        sheet = cast.sheet_at_items(scenes, condition.name)
        type(sheet).objects.filter(pk=sheet.pk).update(step="instructions")
        ann.sit_at(sheet)
        page = ann.get("/t/instructions/")
        shown = {stage for stage, drawing in drawings.items() if f"examples/{drawing}.svg" in page}
        assert shown == set(condition.stages)
        worked = {stage for stage, (*_, example) in texts.STAGE_INTRODUCTIONS.items() if escape(example) in page}
        assert worked == set(condition.stages)
        assert f"http://127.0.0.1:8000/r/{sheet.resume_token}/" in page

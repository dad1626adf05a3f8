"""The load tool reads pages as a browser does and counts what is lost: nothing. No time is ever asserted."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.load import annotator
from benchmarks.load.browser import Browser, Reply
from benchmarks.load.check import arms, lost_and_doubled
from benchmarks.load.children import _seconds
from benchmarks.load.filling import Annotator as Person
from benchmarks.load.filling import together
from benchmarks.load.forms import seen
from benchmarks.load.tally import Tally, percentile
from studies import pages
from studies.models import Sheet, Study
from tests import cast
from tests.cast import Annotator

ROOT = Path(__file__).resolve().parents[2]


def test_percentiles_are_those_of_numpy() -> None:
    values = sorted(random.Random(1).uniform(0, 9) for _ in range(37))
    for share in (0.5, 0.95, 0.99):
        assert percentile(values, share) == pytest.approx(np.percentile(values, 100 * share))
    assert percentile([3.0], 0.95) == 3.0


def test_processor_time_is_read_in_every_form_that_ps_writes() -> None:
    assert [_seconds(text) for text in ("00:00:07", "1-02:03:04", "0:12.75")] == [7, 93_784, 12]


@pytest.mark.django_db
def test_a_page_is_read_as_a_browser_without_scripts_reads_it(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U+C+Rl+Rg+P"))
    page = ann.client.get("/t/item/").context["page"]
    html = ann.get("/t/item/")
    found = seen(html)
    form = found.form("submission")
    assert form is not None
    assert form.values["submission"] == page.submission
    assert form.options["choice"] == [choice.id for choice in page.choices]
    assert form.options["confidence"] == ["1", "2", "3", "4", "5"]
    assert len(found.pictures) == len(set(found.pictures)) > 20
    filled = annotator.filled_in(Reply(200, "/t/item/", html.encode(), 0, 0), random.Random(0))
    assert filled is not None
    assert ann.client.post("/t/item/", filled).status_code == 302
    assert Sheet.objects.get().position == 1


@pytest.mark.django_db
def test_an_acknowledged_answer_that_is_not_stored_as_sent_is_lost(scenes: Study, ann: Annotator) -> None:
    link = cast.invite(scenes)
    ann.enter(link)
    ann.client.post("/t/instructions/")
    ann.answer()
    sheet = Sheet.objects.get()
    sent, other = (choice.id for choice in pages.item(sheet, 0).choices[:2])
    person = Person(f"/s/scenes/{link.token}/", Browser(1), Tally(), random.Random(0))
    for acknowledged, lost in (({0: sent}, 0), ({0: other}, 1), ({0: sent, 1: sent}, 1)):
        person.acknowledged = acknowledged
        assert lost_and_doubled(scenes, [person]) == (lost, 0)
    assert sum(arms(scenes)) == 1


def test_what_goes_wrong_is_counted_and_ends_only_that_persons_run() -> None:
    tally = Tally()
    people = [Person(link, Browser(1), tally, random.Random(0)) for link in ("a", "b")]

    def act(person: Person) -> None:
        if person.link == "a":
            raise annotator.Unexpected("a page", Reply(500, "/t/item/", b"", 0, 0))
        person.tally.add("page", 1.0)

    together(people, act)
    assert tally.problems == {"Unexpected: a page: 500 at /t/item/": 1}
    assert tally.seconds == {"page": [1.0]}


@pytest.mark.slow
def test_a_small_load_loses_nothing_doubles_nothing_and_balances_the_arms() -> None:
    few = "--annotators 4 --think 0.2 --seconds 10 --starts 5 --within 1 --json"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.load", *few.split()]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)["scenarios"]
    assert (found["filling"]["lost"], found["filling"]["doubled"]) == (0, 0)
    assert found["filling"]["answers"] > 4
    assert found["starts"]["arms"] == [1] * 5
    assert found["filling"]["tally"]["problems"] == {}

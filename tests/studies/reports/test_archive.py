"""The export of a study: what is in the zip, exactly, safely, and the same again for the same data."""

from __future__ import annotations

import csv
import io
import json
import uuid
import zipfile
from typing import Any

import pytest

from studies.config import read
from studies.models import ExposureEvent, PlatformIdentity, StudyVersion
from studies.reports.archive import build_export
from studies.reports.archive_rules import export_allow, export_key
from studies.reports.archive_tables import TABLES, columns_of
from studies.reports.stored import ReportRefused
from studies.services.audit import audit_record
from studies.services.inviting import invites_create
from studies.services.withdrawing import sheet_withdraw
from tests.studies.reports.answers import answer, counted, make_sheet, make_version
from tests.studies.study_values import random_study

pytestmark = pytest.mark.django_db
HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd()|' /C calc'!A0",
    "@SUM(A1)",
    "\tx",
    "-1+1",
    "\u202eevil",
    "🙂",
    'a\r\nb,"c"',
]


@pytest.fixture
def version() -> StudyVersion:
    """Two annotators, one of whom corrected the first answer, and a simulated one."""
    version = make_version(count=4, wrong_items=(1,), questions="confidence, comment")
    sheet = make_sheet(version, "U", "ABAB", confidence=4)
    answer(sheet, counted(version)[0], "choice", "C")
    make_sheet(version, "U+Rl", "AA", step="item")
    make_sheet(version, "U+Rl", "AAAA", kind="simulated")
    return version


def files(version: StudyVersion) -> dict[str, str]:
    """Name -> text of everything in the zip."""
    content, media_type = build_export(version)
    assert media_type == "application/zip"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def table(version: StudyVersion, name: str) -> list[dict[str, str]]:
    """One CSV file's rows."""
    return list(csv.DictReader(io.StringIO(files(version)[name])))


def lines(version: StudyVersion, name: str) -> list[dict[str, Any]]:
    """One JSON Lines file's rows."""
    return [json.loads(line) for line in files(version)[name].splitlines()]


def test_the_zip_holds_tables_definition_report_codebook_and_log(version: StudyVersion) -> None:
    found = files(version)
    assert sorted(found) == [
        "answers.csv", "answers.jsonl", "audit.jsonl", "codebook.md", "exposure.csv", "items.csv", "report.json",
        "sheets.csv", "study.yaml",
    ]  # fmt: skip
    assert read(found["study.yaml"]) == version.config
    assert json.loads(found["report.json"])["version"] == version.sha256


@pytest.mark.parametrize("seed", range(12))
def test_the_definition_is_a_study_file_whatever_its_texts(version: StudyVersion, seed: int) -> None:
    values = random_study(seed).model_dump(mode="json")
    # Words, numbers and line ends that plain YAML would read as something else
    values["answers"] = {"choices": None, "distractors": "model", "fixed": ["y", "0:30", "a\x85b"], "merge": {}}
    StudyVersion.objects.update(definition=values)
    version = StudyVersion.objects.get()
    assert read(files(version)["study.yaml"]) == version.config


def test_an_answer_is_a_row_with_its_letter_label_and_key(version: StudyVersion) -> None:
    rows = [r for r in table(version, "answers.csv") if r["pseudonym"] == "p000" and r["question"] == "choice"]
    # The practice item (position 0), items 1 to 4, and the correction of item 1.
    assert [(r["item"], r["revision"], r["is_current"], r["letter"]) for r in rows] == [
        ("0", "0", "true", "A"), ("1", "0", "false", "A"), ("1", "1", "true", "C"),
        ("2", "0", "true", "B"), ("3", "0", "true", "A"), ("4", "0", "true", "B"),
    ]  # fmt: skip
    # Item 2 is the second counted one: its letters stand for blue, green, gray, red; the model says A, B is true.
    second = rows[3]
    assert (second["label"], second["prediction"], second["truth"]) == ("green", "blue", "green")
    assert (second["prediction_letter"], second["truth_letter"]) == ("A", "B")
    assert (second["kind"], second["condition"], second["is_practice"]) == ("live", "U", "false")
    assert (rows[0]["is_practice"], rows[0]["is_check"]) == ("true", "false")


def test_unfinished_and_simulated_sheets_are_there_and_marked(version: StudyVersion) -> None:
    rows = table(version, "sheets.csv")
    assert [(r["kind"], r["condition"], r["step"]) for r in rows] == [
        ("live", "U", "done"), ("live", "U+Rl", "item"), ("simulated", "U+Rl", "done"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_no_formula_in_csv_and_exact_in_json_lines(version: StudyVersion, text: str) -> None:
    sheet = make_sheet(version, "U", "A")
    answer(sheet, counted(version)[0], "comment", text)
    sheet.post = {"comment": text}
    sheet.save()
    (exact,) = [r for r in lines(version, "answers.jsonl") if r["question"] == "comment"]
    assert exact["stored"] == exact["value"] == text
    (row,) = [r for r in table(version, "answers.csv") if r["question"] == "comment"]
    post = table(version, "sheets.csv")[-1]["post: comment"]
    for shown in (row["value"], post):
        assert shown[0] not in "=+-@\t\r"
        assert shown.removeprefix("'") == text


def test_every_column_is_explained_and_every_explained_column_is_there(version: StudyVersion) -> None:
    found = files(version)
    for each in TABLES:
        head = found[f"{each.name}.csv"].splitlines()[0].split(",")
        assert head == list(columns_of(each, version))
        section = found["codebook.md"].split(f"## {each.name}.csv")[1].split("\n## ")[0]
        explained = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        assert explained == [*head, *(each.exact or {})]
        assert all(meaning for meaning in columns_of(each, version).values())
    assert set(lines(version, "answers.jsonl")[0]) == {*columns_of(TABLES[0], version), "stored"}
    for name in found:
        assert name in found["codebook.md"]


def test_nothing_that_opens_or_identifies_anything_is_exported(version: StudyVersion) -> None:
    study = version.study
    (link,) = invites_create(study=study, count=1, label="Ann Smith")
    sheet = version.sheets.first()
    assert sheet is not None
    PlatformIdentity.objects.create(
        study=study, annotator=sheet.annotator, platform="prolific", key="k" * 64, participant="5f3c0ffee"
    )
    everything = "\n".join(files(version).values())
    for secret in (link.token, sheet.resume_token, "5f3c0ffee", "k" * 64, "Ann Smith", bytes(study.secret).hex()):
        assert secret not in everything


def test_the_same_data_give_the_same_bytes_and_other_data_another_key(version: StudyVersion) -> None:
    key, content = export_key(version), build_export(version)
    assert (export_key(version), build_export(version)) == (key, content)
    export_allow(version.study, peek=True, actor="rosa")
    peeked = export_key(version)
    assert peeked != key
    audit_record(study=version.study, act="export", actor="rosa")
    assert export_key(version) == peeked
    sheet = version.sheets.filter(step="item").get()
    ExposureEvent.objects.create(
        sheet=sheet,
        item=counted(version)[0],
        what="active",
        milliseconds=9,
        batch=uuid.uuid4(),
    )
    timed = export_key(version)
    sheet_withdraw(sheet=sheet)
    assert len({key, peeked, timed, export_key(version)}) == 4


def test_times_are_exported(version: StudyVersion) -> None:
    sheet = version.sheets.order_by("pk").first()
    ExposureEvent.objects.create(
        sheet=sheet, item=counted(version)[2], what="feature-1", milliseconds=1500,
        batch=uuid.uuid4(),
    )  # fmt: skip
    (row,) = table(version, "exposure.csv")
    assert (row["pseudonym"], row["item"], row["what"], row["milliseconds"]) == ("p000", "3", "feature-1", "1500")


def test_peoples_data_are_refused_before_unblinding_unless_it_is_a_peek(version: StudyVersion) -> None:
    with pytest.raises(ReportRefused):
        export_allow(version.study, actor="rosa")
    assert not version.study.audit.exists()
    export_allow(version.study, peek=True, actor="rosa")
    assert [entry.act for entry in version.study.audit.all()] == ["peek", "export"]


def test_a_simulated_study_needs_no_unblinding() -> None:
    version = make_version(count=4)
    make_sheet(version, "U", "AAAA", kind="simulated")
    export_allow(version.study, actor="rosa")
    assert [row["kind"] for row in table(version, "sheets.csv")] == ["simulated"]

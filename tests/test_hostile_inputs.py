"""What somebody might send or bring on purpose. More of it: test_submissions.py, test_recruitment.py (annotators),
test_data_roots.py, test_yaml_strict.py (study files), test_archive.py (exports), test_api_studies.py (bodies)."""

from __future__ import annotations

import ast
import copy
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from analysis_core.errors import BadCheckpoint, BadData
from analysis_core.models.base import Checkpoint
from analysis_core.visualizations import picture
from studies.models import Answer, Artefact, Item, Sheet, Study
from tests import cast
from tests.endpoint_rows import API
from tests.hostile_values import HERE, HOSTILE_VALUES, PATHS, SENT, Sent
from tests.test_endpoints import People

ROOT = Path(__file__).resolve().parents[1]
HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "\\input{/etc/passwd}",
    "{{ settings.SECRET_KEY }}",
    "\u202egnp.exe",
]
FORGED = ["0", "1", "-1", "A", "../../etc/passwd", "\x00", "' OR 1=1 --", "𝟏", "9" * 400]


@pytest.mark.django_db
@pytest.mark.parametrize("word", HOSTILE)
def test_a_datasets_text_is_shown_as_text(scenes: Study, ann: cast.Annotator, word: str) -> None:
    for row in Artefact.objects.filter(stage__in=["input", "U", "Rl"]):
        row.numbers = {"words": [{"text": word, "level": 3}]}
        row.save()
    for item in Item.objects.all():
        item.choices = [{**choice, "label": f"{word} {choice['letter']}"} for choice in item.choices]
        item.save()
    ann.sit_at(cast.sheet_at_items(scenes, "U+C+Rl"))
    page = ann.get("/t/item/")
    assert "<script>alert" not in page
    assert "SECRET_KEY" not in page or "{{ settings.SECRET_KEY }}" in page
    shown = word.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#x27;")
    assert page.count(shown) >= 2


@pytest.mark.django_db
@pytest.mark.parametrize("forged", FORGED)
def test_forged_ids_find_nothing_and_break_nothing(scenes: Study, ann: cast.Annotator, forged: str) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    for url in (f"/m/{forged}", f"/r/{forged}/", f"/s/scenes/{forged}/", f"/s/{forged}/x/"):
        assert ann.client.get(quote(url)).status_code == 404, url
    for field in ("choice", "position", "submission", "sheet", "confidence"):
        said = ann.client.post("/t/item/", {**ann.form(), field: forged})
        assert said.status_code in (302, 422), field
    ann.client.get("/t/item/", {"at": forged})
    # An unreadable submission id is no reason to lose the answer; a position may be the open one.
    assert Sheet.objects.get().position <= 2
    assert "passwd" not in str(list(Answer.objects.values("value")))


@pytest.mark.django_db
def test_choices_and_pictures_of_somebody_else_are_nothing_here(
    scenes: Study, newcomer: Callable[[], cast.Annotator]
) -> None:
    ann, ben = newcomer(), newcomer()
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    ben.sit_at(cast.sheet_at_items(scenes, "U"))
    theirs = ann.get("/t/item/").partition('src="/m/')[2].partition('"')[0]
    assert ann.client.get(f"/m/{theirs}").status_code == 200
    assert ben.client.get(f"/m/{theirs}").status_code == 404
    assert ben.client.post("/t/item/", {**ben.form(), "choice": ann.form()["choice"]}).status_code == 422
    assert not Answer.objects.exists()


@pytest.mark.django_db
def test_choices_of_another_item_and_a_position_in_the_future_change_nothing(
    scenes: Study, ann: cast.Annotator
) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    first = ann.form()
    ann.answer()
    assert ann.client.post("/t/item/", {**ann.form(), "choice": first["choice"]}).status_code == 422
    ann.client.post("/t/item/", {**ann.form(), "position": "4"})
    assert Sheet.objects.get().position == 1


@pytest.fixture
def owner(scenes: Study) -> Client:
    """Rosa at her browser, at a server that answers 500 as in production."""
    assert scenes.owner is not None
    client = Client(raise_request_exception=False)
    client.force_login(scenes.owner)
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("kind", HOSTILE_VALUES)
def test_no_value_breaks_a_researchers_page_or_the_api(scenes: Study, owner: Client, kind: str) -> None:
    people, wrong = People(scenes), []
    for sent in SENT:
        said = send(owner, people.url(sent.row), sent, HOSTILE_VALUES[kind])
        is_refused = said.status_code == 400 or kind != "nul" or sent.row in API
        is_shown = said["Content-Type"].startswith("text/html") and b"<script>alert" in said.content
        if said.status_code >= 500 or not is_refused or is_shown:
            wrong.append(f"{sent}: {said.status_code}")
    for path in PATHS:
        said = owner.get(path.replace(HERE, quote(HOSTILE_VALUES[kind], safe="")))
        if said.status_code != (400 if kind == "nul" else 404):
            wrong.append(f"{path}: {said.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/", "/studies/scenes/", "/api/v1/studies/", "/t/item/", "/s/scenes/"])
def test_a_nul_in_the_cookie_of_a_session_is_refused_before_it_is_looked_up(url: str) -> None:
    client = Client(raise_request_exception=False)
    said = client.get(url, headers={"cookie": 'sessionid="\\000aaaaaaaaaaaaaaaa"'})
    assert said.status_code == 400


@pytest.mark.django_db
def test_a_nul_in_what_an_annotator_writes_is_taken_out_and_the_rest_is_kept(
    newcomer: Callable[[], cast.Annotator],
) -> None:
    made, ann = cast.study(owner=cast.researcher(), text=cast.with_quiz()), newcomer()
    ann.enter(cast.invite(made))
    # Consent is given; what follows is answered with a NUL in every field, and then as it should be.
    for url in ("/t/consent/", "/t/quiz/", "/t/instructions/", "/t/other/", "/t/withdraw/"):
        names = ("agree", "sha256", "attempt", "q0", "q1", "other", "sure", "submission")
        said = ann.client.post(url, dict.fromkeys(names, "a\x00b"))
        assert said.status_code in (200, 302, 422), url
    ann.sit_at(cast.sheet_at_items(made, "U"))
    assert ann.client.post("/t/draft/", {**ann.form(), "comment": "a\x00b", "sequence": "1"}).status_code < 400
    ann.answer(comment="to\x00 the left")
    assert Answer.objects.get(question="comment").value == "to the left"
    for _ in range(cast.PRACTICE + cast.COUNT - 1):
        ann.answer()
    ann.client.post("/t/review/")
    (question,) = ann.client.get("/t/post/").context["page"].questions
    ann.client.post("/t/post/", {question.name: "well\x00 done"})
    sheet = Sheet.objects.get(condition__isnull=False)
    assert (sheet.step, sheet.post) == ("done", {"comment": "well done"})


@pytest.mark.django_db
def test_thousands_of_brackets_are_no_body(scenes: Study, owner: Client) -> None:
    body = "[" * 100_000
    for url in ("/api/v1/studies/scenes/invites/", "/api/v1/validate/"):
        assert owner.post(url, body, content_type="application/json").status_code == 400


def test_every_name_that_researchers_views_read_is_sent_something_hostile() -> None:
    views = [file.read_text(encoding="utf-8") for file in (ROOT / "studies" / "views" / "researcher").glob("*.py")]
    read = {name for text in views for name in re.findall(r'request\.(?:GET|POST)(?:\.get\(|\[)"(\w+)"', text)}
    assert {"act", "label", "token"} < read <= {name for sent in SENT for name in sent.values}


def send(client: Client, url: str, sent: Sent, word: str) -> HttpResponse:
    """The request with the hostile word in its place; what it did is taken back."""
    values = {name: value.replace(HERE, word) for name, value in sent.values.items()}
    kept = copy.deepcopy(client.cookies)
    with transaction.atomic():
        if sent.body:
            said = client.post(url, sent.body.replace(HERE, word), content_type=sent.content_type)
        else:
            said = client.get(url, values) if sent.method == "GET" else client.post(url, values)
        transaction.set_rollback(True)
    client.cookies = kept
    return said


def test_a_picture_of_50000_by_50000_is_refused_without_decoding_it(tmp_path: Path) -> None:
    # A valid header over the data of one pixel: 7.5 GB if anybody believed it.
    png = bytearray(picture.encode(Image.new("RGB", (1, 1))))
    png[16:24] = (50_000).to_bytes(4, "big") * 2
    png[29:33] = zlib.crc32(bytes(png[12:29])).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(bytes(png))
    with pytest.raises(BadData, match=r"bomb\.png: has more than the 50,000,000 pixels allowed"):
        picture.open_checked(tmp_path / "bomb.png")


@pytest.mark.parametrize("format", ["GIF", "BMP", "TIFF", "ICO", "PPM", "EPS"])
def test_other_formats_of_pictures_are_refused_whatever_they_are_called(tmp_path: Path, format: str) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png", format=format)
    with pytest.raises(BadData, match="is not a picture in one of the formats PNG, JPEG, WEBP"):
        picture.open_checked(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "model.ckpt"])
def test_weights_in_other_files_are_no_checkpoint(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.json").write_text('{"model": "lf", "labels": [], "architecture": {}}')
    (tmp_path / name).write_bytes(b"\x80\x04cos\nsystem\n")
    with pytest.raises(BadCheckpoint, match="weights are read as safetensors only"):
        Checkpoint.read(tmp_path, expected="lf")


def test_a_pickle_called_safetensors_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model": "lf", "labels": [], "architecture": {}}')
    (tmp_path / "model.safetensors").write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(BadCheckpoint, match="not a whole safetensors file"):
        Checkpoint.read(tmp_path, expected="lf")


def test_nothing_unpacks_an_archive_or_fetches_an_address() -> None:
    # There is no such feature. Whoever adds one meets this test, and trust.md's rules for both.
    files = [file for folder in ("analysis_core", "studies", "studyapp") for file in (ROOT / folder).rglob("*.py")]
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        words = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not words & {"extractall", "unpack_archive", "extract_archive"}, file
        assert not modules & {"tarfile", "requests", "httpx", "aiohttp", "ftplib"}, file
        if "urllib.request" in modules:
            assert file.name == "processes.py"  # the demo asks its own server on 127.0.0.1 whether it is up

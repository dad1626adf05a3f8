"""A new study in the browser: by form or by file, each problem at its place, nothing typed lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from studies.config import read
from studies.models import DeskJob, Study
from tests import cast
from tests.browser_form import posted_by

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[4]
FIXTURES = sorted((ROOT / "fixtures").glob("*.yaml"))
FILE = cast.STUDY_FILE.strip() + "\n"


@pytest.fixture
def rosa(client: Client) -> Client:
    """Rosa, logged in, with no study yet."""
    client.force_login(cast.researcher())
    return client


def form(rosa: Client, start: str = "file:clevr_simulation", **changes: list[str]) -> dict[str, list[str]]:
    """What her browser posts after filling the form from `start`; `__` stands for a dot."""
    page = rosa.get("/studies/new/", {"from": start}).content.decode()
    return posted_by(page) | {name.replace("__", "."): texts for name, texts in changes.items()}


def post_file(rosa: Client, text: str, **more: object):
    return rosa.post("/studies/new/", {"way": "file", "text": text, **more})


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: file.stem)
def test_a_shipped_study_goes_through_the_page_of_the_form_without_loss(rosa, settings, file):
    settings.DATA_ROOTS = [ROOT, (ROOT.parent / "shared" / "data").resolve()]
    study = read(file.read_text(encoding="utf-8"))
    answer = rosa.post("/studies/new/", form(rosa, f"file:{file.stem}"))
    assert answer.headers["Location"] == f"/studies/{study.study}/design/"
    assert Study.objects.get().version.config == study


def test_making_a_study_asks_a_worker_to_check_it(rosa):
    rosa.post("/studies/new/", form(rosa, study=["mine"]))
    study = Study.objects.get(slug="mine")
    assert study.owner.username == "rosa"
    assert list(study.version.desk_jobs.values_list("kind", "state")) == [(DeskJob.Kind.CHECK, "wanted")]


@pytest.mark.parametrize("preset", ["multiviz-ablation", "Rl+P", "Rg+P"])
def test_a_preset_begins_a_form_in_which_only_decisions_are_missing(rosa, preset):
    data = form(rosa, f"preset:{preset}")
    assert data["conditions"] == [preset]
    problems = rosa.post("/studies/new/", data).context["problems"]
    missing = {"study", "title", "dataset.name", "dataset.root", "dataset.split", "model.name", "model.checkpoint"}
    assert {problem.path for problem in problems} == missing | {"target_class_policy"}


def test_an_own_study_begins_a_copy_and_somebody_elses_an_empty_form(rosa, django_user_model):
    cast.study(owner=django_user_model.objects.get(username="rosa"), state="unblinded")
    data = form(rosa, "study:scenes")
    assert (data["study"], data["pages.pay"]) == (["scenes-copy"], ["3 euros"])
    Study.objects.update(owner=None)
    assert form(rosa, "study:scenes")["study"] == [""]
    assert "study:scenes" not in rosa.get("/studies/new/").content.decode()


def test_a_problem_stands_at_its_field_and_in_a_summary_that_leads_there(rosa):
    answer = rosa.post("/studies/new/", form(rosa, items__count=["5000"], title=[""]))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert '<a href="#f-items-count">Items</a> <code>items.count</code>' in page
    assert 'id="f-items-count" name="items.count" aria-describedby="f-items-count-help f-items-count-problem"' in page
    assert 'tabindex="-1" autofocus' in page
    assert not Study.objects.exists()


def test_nothing_typed_is_lost_where_something_is_wrong(rosa):
    odd = {"title": ['<b>מה</b> 🧪\r\n & "two"'], "items.count": [""], "pages.pay": ['"'], "items.ids": ["a\r\nb"]}
    data = form(rosa) | odd | {"questions[7].is": ["own"], "questions[7].text": ["Why?"]}
    again = posted_by(rosa.post("/studies/new/", data).content.decode())
    assert {name: again[name] for name in odd} == odd
    assert again["questions[2].text"] == ["Why?"]
    assert "<b>" not in "".join(again["study"])


def test_a_rule_over_several_keys_is_told_at_the_one_it_blames(rosa):
    answer = rosa.post("/studies/new/", form(rosa, items__count=["21"]))
    (line,) = answer.context["screen"].summary
    assert (line.id, line.path) == ("f-items-balance-model-right", "items")
    answer = rosa.post("/studies/new/", form(rosa, answers__fixed=["A\r\nB"]))
    assert answer.context["screen"].summary[0].id == "f-answers-choices"


def test_problems_of_rows_stand_in_their_rows(rosa):
    rows = {"conditions[4].name": ["U"], "conditions[4].stages": ["", "U"], "conditions[6].name": ["U"]}
    answer = rosa.post("/studies/new/", form(rosa, conditions=["list"]) | rows)
    assert [line.id for line in answer.context["screen"].summary] == ["f-conditions-1-stages"]
    both = form(rosa, conditions=["list"]) | rows | {"conditions[6].stages": ["C"]}
    assert "f-conditions-1-name" in [line.id for line in rosa.post("/studies/new/", both).context["screen"].summary]


def test_kinds_that_cannot_be_run_are_shown_closed_and_refused(rosa):
    assert '<option value="concept" disabled>concept (cannot be run yet)</option>' in (
        rosa.get("/studies/new/").content.decode()
    )
    (line,) = rosa.post("/studies/new/", form(rosa, kind=["concept"])).context["screen"].summary
    assert (line.id, "cannot be run yet" in line.message) == ("f-kind", True)


@pytest.mark.parametrize("owner", ["rosa", "somebody"])
def test_a_taken_name_is_told_in_the_same_words_whoever_has_it(rosa, django_user_model, owner):
    cast.study(owner=django_user_model.objects.get_or_create(username=owner)[0])
    (problem,) = rosa.post("/studies/new/", form(rosa, study=["scenes"])).context["problems"]
    assert str(problem) == "study: the name scenes is taken; choose another one"
    assert Study.objects.get().versions.count() == 1


def test_the_same_form_posted_twice_makes_one_study(rosa):
    data = form(rosa, study=["mine"])
    places = {rosa.post("/studies/new/", data).headers["Location"] for _ in range(2)}
    assert places == {"/studies/mine/design/"}
    assert Study.objects.get().versions.count() == 1


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("dataset.root", "/etc"),
        ("model.checkpoint", "../../x"),
        ("pages.consent", "var/secret_key"),
        ("pages.instructions", "/etc/passwd"),
    ],
)
def test_paths_outside_of_the_data_roots_are_refused_at_their_field(rosa, name, path):
    answer = rosa.post("/studies/new/", form(rosa) | {name: [path]})
    assert [problem.path for problem in answer.context["problems"]] == [name]
    assert not Study.objects.exists()


def test_a_pasted_file_makes_the_study(rosa):
    assert post_file(rosa, FILE).headers["Location"] == "/studies/scenes/design/"
    assert Study.objects.get().version.config == read(FILE)


def test_an_uploaded_file_is_read_in_place_of_the_text(rosa):
    upload = SimpleUploadedFile("a.yaml", b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())
    assert post_file(rosa, "not: this", file=upload).status_code == 302
    assert Study.objects.get().slug == "scenes"


def test_a_problem_of_a_file_stands_beside_its_line_and_the_text_is_kept(rosa):
    text = FILE.replace("items: {count", "items: {cuont") + "# <script>alert(1)</script>\n"
    answer = post_file(rosa, text)
    page = answer.content.decode()
    (bad,) = [line for line in answer.context["lines"] if line.problems]
    assert bad.text.startswith("items: {cuont")
    assert f'<a href="#line-{bad.number}">Line {bad.number}</a> <code>items.cuont</code>: unknown key' in page
    assert f'id="line-{bad.number}" class="bad-line"' in page
    assert posted_by(page)["text"] == [text.replace("\n", "\r\n")]
    assert "<script>alert" not in page


def test_a_path_outside_of_the_data_roots_is_told_beside_its_line(rosa):
    answer = post_file(rosa, FILE.replace("root: fixtures/clevr_demo", "root: /etc"))
    (bad,) = [line for line in answer.context["lines"] if line.problems]
    assert "root: /etc" in bad.text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x" * 10_000_000, "this file has 10.0 MB; a study file has at most 0.8 MB"),
        (b"x" * 300_000, "longer than a study file may be: 200,000 characters"),
        (b"[" * 3000, "nested more than 40 levels deep"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"a: \x00", "special characters are not allowed"),
        (b'study: "a\\0b"', "is missing"),
        (b"", "the file is empty"),
        (b"PK\x03\x04", "special characters are not allowed"),
    ],
)
def test_hostile_files_are_refused_in_a_sentence(rosa, content, words):
    answer = post_file(rosa, "kept", file=SimpleUploadedFile("a.yaml", content))
    assert answer.status_code == 422
    assert words in answer.context["problems"][0].message


def test_a_form_larger_than_the_site_takes_is_refused_as_too_long(rosa):
    assert rosa.post("/studies/new/", form(rosa, title=["x" * 10_000_000])).status_code == 413


def test_an_empty_list_leads_to_a_new_study_and_so_does_a_full_one(rosa):
    assert 'href="/studies/new/"' in rosa.get("/").content.decode()
    rosa.post("/studies/new/", form(rosa))
    assert 'href="/studies/new/"' in rosa.get("/").content.decode()

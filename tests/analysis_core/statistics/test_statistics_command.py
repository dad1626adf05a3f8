"""`python -m analysis_core.statistics`, end to end: what it prints, and how it ends."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis_core.statistics import alpha, alpha_interval
from analysis_core.statistics.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
ANSWERS = ROOT / "../shared/data/multiviz_human_answers/answers_long.csv"
COLUMNS = ["--unit", "item", "--rater", "rater", "--value", "answer"]
TABLE = (
    "rater,item,answer,truth\nann,1,A,A\nbea,1,A,A\nann,2,A,B\nbea,2,B,B\nann,3,B,B\nbea,3,B,B\nann,4,B,B\nbea,4,B,B\n"
)
COMMAND = [sys.executable, "-m", "analysis_core.statistics"]


def write(folder: Path, text: str, name: str = "answers.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_json_has_the_published_shape_at_full_precision(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([write(tmp_path, TABLE), *COLUMNS, "--truth", "truth", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    # Alpha 8 / 15 as in test_agreement, the others as in test_coefficients; ann is right in 3 of 4, bea in 4 of 4.
    [group] = report["groups"]
    assert report["level"] == "nominal"
    assert (group["group"], group["raters"], group["units"]) == (None, 2, 4)
    assert group["alpha"]["value"] == pytest.approx(8 / 15, abs=1e-15)
    assert (group["alpha"]["over"], group["alpha"]["undefined"]) == ("both", None)
    assert set(group["alpha"]) >= {"value", "interval", "over", "undefined"}
    assert group["percent"] == {"value": 0.75, "undefined": None}
    assert group["fleiss"] == {"value": pytest.approx(7 / 15, abs=1e-15), "undefined": None}
    assert group["ac1"] == {"value": pytest.approx(9 / 17, abs=1e-15), "undefined": None}
    assert group["accuracy"]["mean"] == 0.875
    assert group["accuracy"]["per_annotator"] == [0.75, 1.0]
    assert set(group["accuracy"]) >= {"mean", "std", "interval", "over", "per_annotator"}


@pytest.mark.skipif(not ANSWERS.is_file(), reason="the shared data folder is not on this machine")
def test_the_authors_answers_in_a_process_of_its_own_load_no_torch():
    script = (
        "import sys; from analysis_core.statistics.__main__ import main; status = main(sys.argv[1:]);"
        "assert not {'torch', 'pandas', 'django', 'scipy.stats'} & set(sys.modules); sys.exit(status)"
    )
    arguments = [str(ANSWERS), *COLUMNS, "--group", "group", "--where", "study=vqa_sim", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    groups = json.loads(done.stdout)["groups"]
    assert [(group["group"], round(group["alpha"]["value"], 4)) for group in groups] == [
        ("g1", 0.8602),
        ("g2", 0.5008),
        ("g3", 0.3850),
        ("g4", 0.5712),
        ("g5", 0.6133),
    ]
    for group in groups:
        low, high = group["alpha"]["interval"]
        assert (group["raters"], group["units"], group["accuracy"]) == (3, 20, None)
        assert low < group["alpha"]["value"] <= high <= 1


def test_the_table_names_groups_in_the_files_order_and_undefined_values_with_their_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    text = "g,item,rater,answer\nU,1,a,yes\nU,1,b,yes\nC,1,a,yes\nC,2,b,no\nB,1,a,yes\n"
    assert main([write(tmp_path, text), *COLUMNS, "--group", "g"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:4] for line in lines[1:4]] == [
        ["U", "2", "1", "undefined"],
        ["C", "2", "2", "undefined"],
        ["B", "1", "1", "undefined"],
    ]
    assert "U: alpha is undefined (no variation: all answers that can be compared are the same)." in lines
    assert "C: alpha is undefined (no overlap: no unit was answered by two raters)." in lines
    assert "B: alpha is undefined (no overlap: no unit was answered by two raters, as there is one rater)." in lines


def test_too_many_ordinal_values_have_an_alpha_and_a_note_in_place_of_an_interval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    # 7,500 units of three raters, all 22,500 values different.
    rows = "".join(f"r{k % 3},u{k // 3},{k}\n" for k in range(22_500))
    file = write(tmp_path, "rater,item,answer\n" + rows)
    assert main([file, *COLUMNS, "--level", "ordinal", "--json"]) == 0
    [group] = json.loads(capsys.readouterr().out)["groups"]
    assert group["alpha"]["value"] > 0.99
    assert group["alpha"]["interval"] is None
    assert group["notes"] == [
        "no interval for alpha: more than 20,000 different values at ordinal level would take too long; round them, or "
        "ask for these raters (--over items)"
    ]


def test_undefined_values_are_null_with_a_reason_in_the_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([write(tmp_path, "item,rater,answer\n1,a,x\n2,a,y\n"), *COLUMNS, "--json"]) == 0
    [group] = json.loads(capsys.readouterr().out)["groups"]
    assert (group["alpha"]["value"], group["alpha"]["interval"]) == (None, None)
    assert {group[name]["undefined"] for name in ("alpha", "percent", "fleiss", "ac1")} == {"no_overlap"}


def test_the_table_is_aligned_and_says_what_intervals_generalise_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = "".join(f"{r},{u},{'AB'[(u * r) % 3 % 2]},{'AB'[u % 2]}\n" for r in range(1, 5) for u in range(9))
    assert main([write(tmp_path, "rater,item,answer,truth\n" + rows), *COLUMNS, "--truth", "truth"]) == 0
    lines = capsys.readouterr().out.splitlines()
    starts = [lines[0].index(name) for name in ("group", "raters", "alpha", "percent", "Fleiss", "AC1", "accuracy")]
    assert all(lines[1][start] != " " and (start == 0 or lines[1][start - 1] == " ") for start in starts)
    assert any("new annotators and new items" in line for line in lines)


@pytest.mark.parametrize(
    ("over", "sentence"),
    [
        ("both", "Intervals (95 %) speak of new annotators and new items like these."),
        ("annotators", "Alpha's interval (95 %) speaks of new annotators like these, and of these items alone."),
        ("items", "Alpha's interval (95 %) speaks of new items like these, and of these annotators alone."),
    ],
)
def test_the_interval_is_the_one_asked_for_and_names_its_population(
    over: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    columns = ["AABBCCDDAC", "AABBCDDCAC", "ABBACCDDAC"]
    rows = "".join(f"{r},{u},{a},A\n" for r, answers in enumerate(columns) for u, a in enumerate(answers))
    arguments = [write(tmp_path, "rater,item,answer,truth\n" + rows), *COLUMNS, "--truth", "truth", "--over", over]
    assert main([*arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    [group] = report["groups"]
    assert (report["over"], group["alpha"]["over"], group["accuracy"]["over"]) == (over, over, "both")
    expected = alpha_interval([list(answers) for answers in columns], "nominal", over=over)
    assert group["alpha"]["interval"] == pytest.approx(expected.interval)
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert sentence in text
    assert ("Those of accuracy speak of new annotators and new items." in text) == (over != "both")


def test_two_raters_have_an_interval_over_items_and_agreeing_ones_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main([write(tmp_path, TABLE), *COLUMNS, "--over", "items", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["groups"][0]["alpha"]["interval"] is not None
    agreed = "rater,item,answer\na,1,A\nb,1,A\na,2,B\nb,2,B\n"
    assert main([write(tmp_path, agreed), *COLUMNS, "--over", "items"]) == 0
    assert "no interval for alpha: all agree" in capsys.readouterr().out


def test_declared_values_are_the_categories_of_ac1(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    # 19/27 with four categories: see test_coefficients.
    assert main([write(tmp_path, TABLE), *COLUMNS, "--values", "A, B, C, D", "--json"]) == 0
    [group] = json.loads(capsys.readouterr().out)["groups"]
    assert group["ac1"]["value"] == pytest.approx(19 / 27, abs=1e-15)


def test_declared_labels_have_their_order_at_ordinal_level(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = "rater,item,answer\na,1,poor\nb,1,fair\na,2,good\nb,2,good\na,3,fair\nb,3,fair\na,4,poor\nb,4,good\n"
    arguments = [write(tmp_path, text), *COLUMNS, "--level", "ordinal", "--values", "poor,fair,good", "--json"]
    assert main(arguments) == 0
    value = json.loads(capsys.readouterr().out)["groups"][0]["alpha"]["value"]
    assert value == pytest.approx(alpha([[0, 2, 1, 0], [1, 2, 1, 2]], "ordinal").value, abs=1e-12)


def test_numbers_are_compared_as_numbers_at_numeric_levels(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = "rater,item,answer\na,1,1\nb,1,1.0\na,2,2\nb,2,4\na,3,3\nb,3,\n"
    assert main([write(tmp_path, text), *COLUMNS, "--level", "interval", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)["groups"][0]["alpha"]["value"]
    assert value == pytest.approx(alpha([[1, 2, 3], [1, 4, None]], "interval").value, abs=1e-12)


def test_accuracy_per_confidence_is_told_in_numbers_and_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    # At confidence 4 one of two answers is right, at 5 both of two; the last answer has no confidence.
    text = "rater,item,answer,t,c\na,1,A,A,5\nb,1,A,A,5\na,2,B,A,4\nb,2,A,A,4\na,3,A,A,\n"
    arguments = [write(tmp_path, text), *COLUMNS, "--truth", "t", "--confidence-column", "c"]
    assert main([*arguments, "--json"]) == 0
    confidence = json.loads(capsys.readouterr().out)["groups"][0]["confidence"]
    assert [(level["level"], level["answers"], level["accuracy"]) for level in confidence["levels"]] == [
        (4, 2, 0.5),
        (5, 2, 1.0),
    ]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:5] for line in lines if line.startswith("all  ")][1:] == [
        ["all", "4", "2", "2", "0.500"],
        ["all", "5", "2", "2", "1.000"],
    ]
    assert any(line.startswith("all: When people said 5 they were right in 100") for line in lines)


def test_standard_input_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TABLE.encode())))
    assert main(["-", *COLUMNS, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["groups"][0]["raters"] == 2


def test_the_module_runs_as_a_command_on_a_pipe():
    done = subprocess.run([*COMMAND, "-", *COLUMNS], cwd=ROOT, input=TABLE, capture_output=True, text=True, check=True)
    assert "0.533" in done.stdout
    assert done.stderr == ""


def test_names_that_a_terminal_would_obey_are_spelled_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = write(tmp_path, 'g,item,rater,answer\n"a\nb\x1b[31m",1,x,A\n')
    assert main([file, *COLUMNS, "--group", "g"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith(r"a\nb\x1b[31m  1 ")
    assert main([write(tmp_path, "it\x1bem,rater,answer\n1,x,A\n"), *COLUMNS]) == 1
    assert capsys.readouterr().err.endswith("did you mean it\\x1bem?\n")


def test_output_that_cannot_write_unicode_stays_readable(tmp_path: Path):
    file = write(tmp_path, TABLE.replace("A", "Ä"))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*COMMAND, file, *COLUMNS, "--truth", "truth"], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    assert b"0.875 +- 0.177" in done.stdout


def test_the_help_explains_each_number_and_gives_two_examples(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.count("python -m analysis_core.statistics ") >= 3
    assert all(f"\n  {name} " in text for name in ("alpha", "percent", "Fleiss", "AC1", "accuracy"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["x.csv"], "required: --unit"),
        (["x.csv", *COLUMNS, "--level", "cardinal"], "invalid choice: 'cardinal'"),
        (["x.csv", *COLUMNS, "--where", "a"], "'a' is not COLUMN=TEXT"),
        (["x.csv", *COLUMNS, "--where", "a=1", "--where", "a=2"], "--where asks column 'a' for 2 texts"),
        (["x.csv", *COLUMNS, "--group", ""], "--group: a column has a name"),
        (["x.csv", *COLUMNS, "--values", "A\nB"], "is not a list of two or more different values"),
        (["x.csv", *COLUMNS, "--values", "A,A"], "'A,A' is not a list of two or more different values"),
        (["x.csv", *COLUMNS, "--values", "A"], "not a list of two or more different values"),
        (["x.csv", *COLUMNS, "--separator", "pipe"], "'pipe' is none of comma, semicolon, tab"),
        (["x.csv", *COLUMNS, "--confidence-column", "c"], "so it needs --truth"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err

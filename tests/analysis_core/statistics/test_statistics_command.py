"""`python -m analysis_core.statistics`, end to end, good files and bad ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from analysis_core.statistics import alpha
from analysis_core.statistics.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
ANSWERS = ROOT / "../shared/data/multiviz_human_answers/answers_long.csv"
COLUMNS = ["--unit", "item", "--rater", "rater", "--value", "answer"]
TABLE = (
    "rater,item,answer,truth\nann,1,A,A\nbea,1,A,A\nann,2,A,B\nbea,2,B,B\nann,3,B,B\nbea,3,B,B\nann,4,B,B\nbea,4,B,B\n"
)


def write(folder: Path, text: str, name: str = "answers.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_json_has_the_published_shape_at_full_precision(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([write(tmp_path, TABLE), *COLUMNS, "--truth", "truth", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    # Alpha 8 / 15 as in test_agreement; ann is right in 3 of 4, bea in 4 of 4.
    [group] = report["groups"]
    assert report["level"] == "nominal"
    assert (group["group"], group["raters"], group["units"]) == (None, 2, 4)
    assert group["alpha"] == {
        "value": pytest.approx(8 / 15, abs=1e-15),
        "interval": None,
        "over": "both",
        "undefined": None,
    }
    assert group["accuracy"]["mean"] == 0.875
    assert group["accuracy"]["per_annotator"] == [0.75, 1.0]
    assert set(group["accuracy"]) == {"mean", "std", "interval", "over", "per_annotator"}


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
    groups = {group["group"]: group for group in json.loads(done.stdout)["groups"]}
    assert [round(groups[f"g{k}"]["alpha"]["value"], 4) for k in range(1, 6)] == [
        0.8602,
        0.5008,
        0.3850,
        0.5712,
        0.6133,
    ]
    for group in groups.values():
        low, high = group["alpha"]["interval"]
        assert (group["raters"], group["units"], group["accuracy"]) == (3, 20, None)
        assert low < group["alpha"]["value"] <= high <= 1


def test_the_module_runs_as_a_command(tmp_path: Path):
    arguments = [sys.executable, "-m", "analysis_core.statistics", write(tmp_path, TABLE), *COLUMNS]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "0.533" in done.stdout


def test_the_table_names_groups_and_undefined_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = "g,item,rater,answer\nU,1,a,yes\nU,1,b,yes\nU+C,1,a,yes\nU+C,2,b,no\n"
    assert main([write(tmp_path, text), *COLUMNS, "--group", "g"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("U ")
    assert "undefined: no_variation" in lines[1]
    assert "undefined: no_overlap" in lines[2]


def test_numbers_are_compared_as_numbers_at_numeric_levels(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = "rater,item,answer\na,1,1\nb,1,1.0\na,2,2\nb,2,4\na,3,3\nb,3,\n"
    assert main([write(tmp_path, text), *COLUMNS, "--level", "interval", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)["groups"][0]["alpha"]["value"]
    assert value == alpha([[1, 2, 3], [1, 4, None]], "interval").value


def test_tabs_blanks_quotes_and_a_byte_order_mark_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = '\ufeffrater\titem\tanswer\nann\t1\t"a ""big"" cat"\nbea\t1\t a "big" cat \n\nann\t2\tnan\nbea\t2\tnan\n'
    assert main([write(tmp_path, text, "answers.tsv"), *COLUMNS, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["groups"][0]["alpha"]["value"] == 1


@pytest.mark.parametrize(
    ("text", "options", "sentences"),
    [
        ("rater,item,answer\na,1,x\na,1,y\n", [], ["line 3, field 'rater': 'a' has answered '1' already, in line 2"]),
        (
            "rater,item,answer\na,1,x\n,1,y\na,,z\n",
            [],
            ["line 3, field 'rater': is empty", "line 4, field 'item': is empty"],
        ),
        ("rater,item,answer\na,1\n", [], ["line 2: 2 cells where the header has 3"]),
        ("rater,itm,answer\na,1,x\n", [], ["'item'; did you mean itm?"]),
        ("rater,item,item,answer\na,1,1,x\n", [], ["line 1, field 'item': stands in the header twice"]),
        ("rater,item,answer\na,1,good\n", ["--level", "ordinal"], ["line 2, field 'answer': 'good' is not a number"]),
        ("rater,item,answer\na,1,1_0\n", ["--level", "ratio"], ["field 'answer': '1_0' is not a number"]),
        ("rater,item,answer\na,1,-1\n", ["--level", "ratio"], ["'-1': level ratio needs at least 0"]),
        ("rater,item,answer\na,1,inf\n", ["--level", "interval"], ["'inf': level interval needs finite numbers"]),
        (
            "rater,item,answer,t\na,1,x,x\nb,1,x,y\n",
            ["--truth", "t"],
            ["line 3, field 't': 'y', but an earlier line of the same unit says 'x'"],
        ),
        ("", [], ["has no header line"]),
        ("rater,item,answer\n", [], ["no rows"]),
        ("rater,item,answer\na,1,x\n", ["--where", "rater=b"], ["no rows that match --where"]),
        ('rater,item,answer\na,1,"x\n', [], ["is not CSV"]),
    ],
)
def test_bad_files_are_refused_with_line_and_column(
    text: str, options: list[str], sentences: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main([write(tmp_path, text), *COLUMNS, *options]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert len(output.err.splitlines()) == len(sentences)
    assert all(sentence in output.err for sentence in sentences)


def test_a_missing_file_and_one_that_is_no_text_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(tmp_path / "nowhere.csv"), *COLUMNS]) == 1
    assert "nowhere.csv: cannot be read: No such file" in capsys.readouterr().err
    (tmp_path / "latin.csv").write_bytes("rater,item,answer\na,1,\xe9\n".encode("latin-1"))
    assert main([str(tmp_path / "latin.csv"), *COLUMNS]) == 1
    assert "is not UTF-8 text" in capsys.readouterr().err


def test_many_problems_are_counted_after_twenty(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = "".join(f"a,{k},x\n" for k in range(25))
    assert main([write(tmp_path, "rater,item,answer\n" + rows), *COLUMNS, "--level", "interval"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), lines[-1]) == (21, "... and 5 more")


@pytest.mark.parametrize(
    "arguments", [["x.csv"], ["x.csv", *COLUMNS, "--level", "cardinal"], ["x.csv", *COLUMNS, "--where", "a"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err

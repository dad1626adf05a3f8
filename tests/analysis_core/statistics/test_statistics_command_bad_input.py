"""Bad files for `python -m analysis_core.statistics`: refused with exit code 1 and the place, nothing on stdout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis_core.statistics.__main__ import main

COLUMNS = ["--unit", "item", "--rater", "rater", "--value", "answer"]
HEADER = "rater,item,answer\n"
NUMBER = "is not a number, as level {} needs"


def refused(content: str | bytes, options: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on stderr, without the file's name in front of the place."""
    path = folder / "answers.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert main([str(path), *COLUMNS, *options]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    return [line.removeprefix(str(path)).removeprefix(", ") for line in output.err.splitlines()]


@pytest.mark.parametrize(
    ("rows", "options", "sentences"),
    [
        ("a,1,x\na,2,x\na,1,y\n", [], ["line 4, field 'rater': 'a' has answered '1' already, in line 2"]),
        ("a,1,x\n,1,y\na,,z\n", [], ["line 3, field 'rater': is empty", "line 4, field 'item': is empty"]),
        ("a,1\nb,1,x,y\n", [], ["line 2: 2 cells where the header has 3", "line 3: 4 cells where the header has 3"]),
        ("a,1,1\na,2,1_0\n", ["--level", "ratio"], [f"line 3, field 'answer': '1_0' {NUMBER.format('ratio')}"]),
        ("a,1,-1\n", ["--level", "ratio"], ["line 2, field 'answer': '-1': level ratio needs numbers of at least 0"]),
        ("a,1,inf\n", ["--level", "interval"], ["line 2, field 'answer': 'inf': level interval needs finite numbers"]),
        (
            "a,1,1e200\n",
            ["--level", "interval"],
            ["line 2, field 'answer': '1e200': numbers lie between 1e-100 and 1e+100 in size, or are 0"],
        ),
        (
            "a,1,good\n",
            ["--level", "ordinal"],
            [
                f"line 2, field 'answer': 'good' {NUMBER.format('ordinal')}; labels have an order where --values gives "
                "it, lowest first"
            ],
        ),
        (
            "a,1,1\nb,1,True\n",
            ["--level", "interval"],
            [
                f"line 3, field 'answer': 'True' {NUMBER.format('interval')}: truth values are labels "
                "(--level nominal), or write them as 1 and 0"
            ],
        ),
        (
            'a,1,"3,5"\n',
            ["--level", "interval"],
            [
                f"line 2, field 'answer': '3,5' {NUMBER.format('interval')}: decimal commas are read in files with "
                "semicolons only; write a point"
            ],
        ),
        (
            "a,1,A\nb,1,E\n",
            ["--values", "A,B,C,D"],
            ["line 3, field 'answer': 'E' is not one of the declared values A, B, C, D"],
        ),
        (
            "a,1,1\nb,1,6\n",
            ["--values", "1,2,3,4,5", "--level", "ordinal"],
            ["line 3, field 'answer': '6' is not one of the declared values 1, 2, 3, 4, 5"],
        ),
        (
            "a,1,poor\nb,1,great\n",
            ["--values", "poor,fair,good", "--level", "ordinal"],
            ["line 3, field 'answer': 'great' is not one of the declared values poor, fair, good"],
        ),
        (
            'a,1,"x\na,2,y\n',
            [],
            ["line 2: is not CSV: a quote that opens in this row is never closed"],
        ),
        (
            'a,1,x\na,2,"' + "x\n" * 70_000,
            [],
            [
                "line 3: is not CSV: a cell of more than 131,072 characters; is a quote of this row never closed?",
            ],
        ),
        ('a,1,x\na,2,"x"y\n', [], ["line 3: is not CSV: ',' expected after '\"'"]),
        ("", [], [": no rows"]),
        ("a,1,x\n", ["--where", "rater=b"], [": no rows that match --where"]),
    ],
)
def test_a_bad_row_is_named_by_line_and_column(
    rows: str, options: list[str], sentences: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert refused(HEADER + rows, options, tmp_path, capsys) == sentences


def test_a_row_that_spans_lines_is_named_by_the_line_in_which_it_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    text = HEADER + 'a,1,"two\nlines"\n\nb,1,"again\ntwo",more\n'
    assert refused(text, [], tmp_path, capsys) == ["line 5: 4 cells where the header has 3"]


def test_different_truths_of_one_unit_name_both_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = "rater,item,answer,t\na,1,x,\nb,1,x,x\na,2,x,x\nc,1,x,y\n"
    assert refused(text, ["--truth", "t"], tmp_path, capsys) == [
        "line 5, field 't': 'y', but line 3 has another truth for the same unit, '1'"
    ]


def test_a_truth_outside_the_declared_values_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = "rater,item,answer,t\na,1,A,A\nb,2,B,C\n"
    assert refused(text, ["--truth", "t", "--values", "A,B"], tmp_path, capsys) == [
        "line 3, field 't': 'C' is not one of the declared values A, B"
    ]


@pytest.mark.parametrize(("cell", "says"), [("high", "is not a number"), ("3.5", "is not a whole number")])
def test_a_confidence_that_is_no_whole_number_is_refused(
    cell: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    text = f"rater,item,answer,t,c\na,1,A,A,4\nb,1,A,A,{cell}\n"
    [line] = refused(text, ["--truth", "t", "--confidence-column", "c"], tmp_path, capsys)
    assert line.startswith(f"line 3, field 'c': '{cell}' {says}")


def test_more_than_twenty_confidences_are_no_levels(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = "rater,item,answer,t,c\n" + "".join(f"a,{row},A,A,{row}\n" for row in range(21))
    [line] = refused(text, ["--truth", "t", "--confidence-column", "c"], tmp_path, capsys)
    assert "has 21 different values; accuracy per confidence takes at most 20" in line


@pytest.mark.parametrize(
    ("header", "sentences"),
    [
        ("rater,itm,answer", ["unknown column in {}: 'item'; did you mean itm?"]),
        ("Rater,item,anwser", ["unknown column in {}: 'rater'; did you mean Rater", "'answer'; did you mean anwser"]),
        ("rater,item,item,answer", ["{}, line 1, field 'item': stands in the header twice"]),
        ("rater|item|answer", ["{}, line 1: has a single column, 'rater|item|answer': its separator is none of"]),
        ("", ["{}: has no header line"]),
        (" , ,", ["{}: has no header line"]),
    ],
)
def test_a_bad_header_is_refused_with_the_nearest_names(
    header: str, sentences: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "answers.csv"
    path.write_text(header + "\n" if header else "", encoding="utf-8")
    assert main([str(path), *COLUMNS]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(sentences)
    assert all(sentence.format(path) in line for sentence, line in zip(sentences, lines, strict=True))


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(tmp_path / "nowhere.csv"), *COLUMNS]) == 1
    assert capsys.readouterr().err == f"{tmp_path / 'nowhere.csv'}: cannot be read: No such file or directory\n"
    assert main([str(tmp_path), *COLUMNS]) == 1
    assert capsys.readouterr().err == f"{tmp_path}: cannot be read: Is a directory\n"


def test_latin_1_is_refused_with_the_place_and_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = "".join(f"a,{row},x\n" for row in range(5_000))
    content = (HEADER + rows + "a,Café,x\n").encode("latin-1")
    assert refused(content, [], tmp_path, capsys) == [
        "line 5002, field 'item': is not UTF-8 text (byte 0xe9; in Latin-1 that is 'é'): save the file as CSV UTF-8, "
        "or convert it: iconv -f WINDOWS-1252 -t UTF-8 OLD.csv > NEW.csv"
    ]


def test_latin_1_in_the_header_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    [line] = refused("rater,item,answer,größe\na,1,x,1\n".encode("latin-1"), [], tmp_path, capsys)
    assert line.startswith("line 1: is not UTF-8 text (byte 0xf6; in Latin-1 that is 'ö')")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04" + bytes(100), ": is a workbook (or another zip file), not text: save the sheet as CSV UTF-8"),
        (HEADER.encode("utf-16-le"), "line 1: has a NUL byte, so it is no CSV text: save it as CSV UTF-8"),
        (
            b"\xff\xfe" + HEADER.encode("utf-16-le") + b"\0",
            ": is not the text that its byte order mark announces",
        ),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    [line] = refused(content, [], tmp_path, capsys)
    assert line.startswith(sentence)


def test_a_nul_byte_is_refused_with_its_line_however_late_it_comes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    # The first 4,096 bytes are looked at before reading: these rows are beyond them. Rows begin in line 2.
    rows = "".join(f"a,{row},x\n" for row in range(2_000))
    [line] = refused(HEADER + rows + "a,late,\0x\n", [], tmp_path, capsys)
    assert line == "line 2002: has a NUL byte, so it is no CSV text: save it as CSV UTF-8"


def test_a_separator_that_was_named_and_separates_nothing_is_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    [line] = refused(HEADER + "a,1,x\n", ["--separator", "|"], tmp_path, capsys)
    assert line == "line 1: has a single column, 'rater,item,answer': '|' does not separate its cells"


def test_a_declared_number_cannot_be_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    [line] = refused(HEADER + "a,1,1\n", ["--level", "interval", "--values", "1,2,nan"], tmp_path, capsys)
    assert line == "among the declared values: 'nan' is a missing answer at level interval"


def test_many_problems_are_listed_in_the_files_order_and_counted_after_twenty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    # 5,000 answers that are no numbers, then each row once more: duplicates, found last, in later lines.
    rows = "".join(f"a,{row},x\n" for row in range(5_000))
    lines = refused(HEADER + "a,1,1\n" + rows + rows, ["--level", "interval"], tmp_path, capsys)
    assert len(lines) == 21
    assert lines[0] == "line 3, field 'answer': 'x' is not a number, as level interval needs"
    # Line 4 repeats line 2 and is no number: two problems.
    assert [line.split(":")[0] for line in lines[1:4]] == [
        "line 4, field 'answer'",
        "line 4, field 'rater'",
        "line 5, field 'answer'",
    ]
    # 10,000 answers that are no numbers and 5,001 duplicates.
    assert lines[-1] == f"... and {15_001 - 20} more"


def test_one_rater_one_item_and_no_overlap_are_no_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for rows in ("a,1,x\na,2,y\n", "a,1,x\n", "a,1,x\nb,2,x\n", "a,1,\nb,1,\n"):
        path = tmp_path / "answers.csv"
        path.write_text(HEADER + rows, encoding="utf-8")
        assert main([str(path), *COLUMNS, "--json"]) == 0
        [group] = json.loads(capsys.readouterr().out)["groups"]
        assert (group["alpha"]["value"], group["alpha"]["undefined"]) == (None, "no_overlap")

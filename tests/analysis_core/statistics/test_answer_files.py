"""Reading answers: encodings, separators, quotes, line ends, and what cells mean at each level."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from analysis_core.errors import BadInput, UnknownName
from analysis_core.statistics import ratings
from analysis_core.statistics.answer_files import Answers, BadRows, Columns, read_answers
from analysis_core.statistics.answer_rows import recognised
from analysis_core.statistics.answer_scale import Scale

COLUMNS = Columns("item", "rater", "answer")
ROWS = "rater,item,answer\nann,1,größe\nbea,1,\nann,2,klein\nbea,2,größe\n"


def read(
    content: str | bytes, folder: Path, level: str = "nominal", name: str = "answers.csv", **options: Any
) -> Answers:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_answers(path, options.pop("columns", COLUMNS), level, **options)


def table(answers: Answers, level: str = "nominal") -> list[list[Any]]:
    """The first group as [raters, units] of labels or numbers, None missing."""
    coded = answers.groups[0].ratings(level)
    labels = list(answers.scale.labels)
    cells: list[list[Any]] = [[None] * coded.units for _ in range(coded.raters)]
    for rater, unit, code in zip(coded.rater, coded.unit, coded.code, strict=True):
        value = float(coded.values[code])
        cells[rater][unit] = labels[int(value)] if answers.scale.by_label else value
    return cells


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_line_ends_and_separators_are_recognised(encoding: str, ends: str, separator: str, tmp_path: Path):
    content = ROWS.replace("\n", ends).replace(",", separator).encode(encoding)
    answers = read(content, tmp_path)
    assert table(answers) == [["größe", "klein"], [None, "größe"]]
    assert list(answers.groups[0].raters) == ["ann", "bea"]
    assert list(answers.groups[0].line) == [2, 3, 4, 5]


def test_excels_own_line_about_the_separator_is_understood_and_counted(tmp_path: Path):
    answers = read("sep=;\r\n" + ROWS.replace(",", ";"), tmp_path)
    assert table(answers) == [["größe", "klein"], [None, "größe"]]
    assert answers.groups[0].line[0] == 3


def test_the_separator_is_the_one_that_makes_the_wanted_columns():
    assert recognised('rater;"item, or picture";answer', ["rater", "answer"]) == ";"
    assert recognised("item,a;b;c;d;e", ["item"]) == ","
    assert recognised('"item","rater","answer"', COLUMNS.named()) == ","
    assert recognised("one", [], "one.tsv") == "\t"
    assert recognised("one", []) == ","


def test_a_separator_can_be_named(tmp_path: Path):
    assert table(read(ROWS.replace(",", "|"), tmp_path, separator="|"))[0] == ["größe", "klein"]


def test_quotes_blanks_blank_lines_and_tabs_are_read(tmp_path: Path):
    text = 'rater\titem\tanswer\nann\t1\t"a ""big"" cat"\nbea\t1\t a "big" cat \n\nann\t2\t"two\nlines"\nbea\t2\t2\n'
    answers = read(text, tmp_path, name="answers.tsv")
    assert table(answers) == [['a "big" cat', "two\nlines"], ['a "big" cat', "2"]]
    assert list(answers.groups[0].line) == [2, 3, 5, 7]


def test_the_last_line_needs_no_end(tmp_path: Path):
    assert table(read("rater,item,answer\na,1,x", tmp_path)) == [["x"]]


def test_groups_come_in_the_files_order_and_do_not_share_raters_or_units(tmp_path: Path):
    text = "g,rater,item,answer\nU,a,1,x\nC,b,2,x\nU,c,3,x\nC,a,1,y\n"
    answers = read(text, tmp_path, columns=Columns("item", "rater", "answer", group="g"))
    assert [(group.name, list(group.raters), list(group.units)) for group in answers.groups] == [
        ("U", ["a", "c"], ["1", "3"]),
        ("C", ["b", "a"], ["2", "1"]),
    ]


def test_right_and_wrong_are_missing_where_the_answer_or_the_truth_is(tmp_path: Path):
    text = "rater,item,answer,t\na,1,x,\nb,1,y,x\na,2,x,x\nb,2,,x\na,3,x,\n"
    answers = read(text, tmp_path, columns=Columns("item", "rater", "answer", truth="t"))
    correct = answers.groups[0].correct()
    found = {
        (int(r), int(u)): float(correct.values[c])
        for r, u, c in zip(correct.rater, correct.unit, correct.code, strict=True)
    }
    assert found == {(0, 0): 1, (1, 0): 0, (0, 1): 1}
    assert (correct.raters, correct.units) == (2, 3)


def test_truths_are_compared_as_numbers_at_numeric_levels(tmp_path: Path):
    text = "rater;item;answer;t\na;1;2,50;2.5\nb;1;2,5;2,5\n"
    answers = read(text, tmp_path, "interval", columns=Columns("item", "rater", "answer", truth="t"))
    assert answers.groups[0].correct().values.tolist() == [1.0]


def test_decimal_commas_are_read_in_files_with_semicolons(tmp_path: Path):
    answers = read("rater;item;answer\na;1;3,5\nb;1;3.5\na;2;-1,25\n", tmp_path, "interval")
    assert table(answers, "interval") == [[3.5, -1.25], [3.5, None]]


def test_not_available_is_a_label_at_nominal_level_and_missing_at_others_and_said_so(tmp_path: Path):
    text = "rater,item,answer\na,1,nan\nb,1,NA\na,2,1\nb,2,NA\n"
    nominal = read(text, tmp_path)
    assert table(nominal) == [["nan", "1"], ["NA", "NA"]]
    assert nominal.notes == (
        "Cells with the text 'NA' (2), 'nan' (1) count as an answer at nominal level; "
        "a missing answer is an empty cell.",
    )
    ordinal = read(text, tmp_path, "ordinal")
    assert table(ordinal, "ordinal") == [[None, 1], [None, None]]
    assert ordinal.notes == ("Cells with the text 'NA' (2), 'nan' (1) count as missing at level ordinal.",)


def test_labels_that_differ_in_case_only_are_answers_of_their_own_and_named(tmp_path: Path):
    text = "rater,item,answer\na,1,Yes\nb,1,yes\na,2,no\n"
    assert read(text, tmp_path).notes == (
        "Labels that differ in their case only are different answers: 'Yes' and 'yes'.",
    )
    assert read(text, tmp_path, values=("Yes", "yes", "no")).notes == ()


def test_a_declared_na_is_a_value_like_others(tmp_path: Path):
    text = "rater,item,answer\na,1,NA\nb,1,A\n"
    answers = read(text, tmp_path, values=("A", "NA"))
    assert (table(answers), answers.notes) == ([["NA"], ["A"]], ())
    with pytest.raises(BadRows, match="line 2, field 'answer': 'NA' is not one of the declared values A, B"):
        read(text, tmp_path, values=("A", "B"))


def test_truth_values_are_labels_at_nominal_level(tmp_path: Path):
    assert table(read("rater,item,answer\na,1,true\nb,1,yes\na,2,false\n", tmp_path)) == [
        ["true", "false"],
        ["yes", None],
    ]


def test_declared_labels_are_ordered_as_declared_at_ordinal_level():
    scale = Scale("ordinal", ("poor", "fair", "good"))
    assert [scale.code(text) for text in ("good", "poor", "fair")] == [2, 0, 1]
    assert math.isnan(scale.code("NA"))


def test_declared_numbers_are_compared_as_numbers():
    scale = Scale("ordinal", ("1", "2", "10"))
    assert [scale.code(text) for text in ("10", "2.0", "1")] == [10, 2, 1]
    with pytest.raises(ValueError, match="'3' is not one of the declared values 1, 2, 10"):
        scale.code("3")


def test_many_declared_values_are_not_all_listed():
    scale = Scale("nominal", tuple(map(str, range(100))))
    with pytest.raises(ValueError, match="declared values 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 88 more"):
        scale.code("x")


@pytest.mark.parametrize("values", [("A",), ("A", "A"), ("A", "")])
def test_a_domain_needs_two_different_values(values: tuple[str, ...]):
    with pytest.raises(BadInput, match="two or more different"):
        Scale("nominal", values)


def test_a_domain_of_labels_does_not_fit_an_interval_level():
    with pytest.raises(BadInput, match="among the declared values: 'good' is not a number, as level interval needs"):
        Scale("interval", ("1", "good"))


def test_a_misspelt_level_names_the_nearest(tmp_path: Path):
    with pytest.raises(UnknownName, match="did you mean nominal"):
        read(ROWS, tmp_path, "nominl")


def test_a_rater_who_answered_nothing_and_an_item_that_nobody_answered_are_counted(tmp_path: Path):
    coded = read("rater,item,answer\na,1,x\nb,2,\n", tmp_path).groups[0].ratings("nominal")
    assert (coded.raters, coded.units, len(coded.rater)) == (2, 2, 1)
    assert isinstance(coded, ratings.Ratings)

"""What YAML would silently change is an error that names key and line."""

from __future__ import annotations

import pytest

from studies.yaml_strict import Problem, StudyFileError, parse


def problems(text: str) -> list[Problem]:
    with pytest.raises(StudyFileError) as caught:
        parse(text)
    return caught.value.problems


def test_plain_values_keep_their_types() -> None:
    parsed = parse("a: 1\nb: [x, 2.5, true, null, '007', \"yes\"]\n")
    assert parsed.value == {"a": 1, "b": ["x", 2.5, True, None, "007", "yes"]}


def test_the_line_of_every_key_is_known() -> None:
    parsed = parse("a: 1\nb:\n  c: 2\n")
    assert parsed.line(("b", "c")) == 3
    assert parsed.line(("b", "missing")) == 2


@pytest.mark.parametrize("word", ["yes", "No", "ON", "off", "y", "N"])
def test_words_that_yaml_reads_as_booleans_are_refused(word: str) -> None:
    (problem,) = problems(f"title: {word}")
    assert problem.path == "title"
    assert problem.line == 1
    assert word in problem.message


@pytest.mark.parametrize("number", ["010", "007", "-012"])
def test_octal_numbers_are_refused(number: str) -> None:
    (problem,) = problems(f"a:\n  seed: {number}")
    assert (problem.path, problem.line) == ("a.seed", 2)
    assert "octal" in problem.message


def test_a_key_that_stands_twice_is_refused_at_its_second_place() -> None:
    (problem,) = problems("a: {b: 1}\nc: 2\nc: 3\n")
    assert (problem.path, problem.line) == ("c", 3)


def test_duplicates_inside_lists_name_the_place_in_the_list() -> None:
    (problem,) = problems("arms:\n- {name: a}\n- {name: b, name: c}\n")
    assert problem.path == "arms[1].name"


def test_every_problem_is_reported_at_once() -> None:
    assert len(problems("a: yes\nb: 010\na: 1\n")) == 3


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_an_empty_file_is_said_to_be_empty(text: str) -> None:
    assert "empty" in problems(text)[0].message


def test_broken_yaml_names_the_line() -> None:
    (problem,) = problems("a: 1\nb: [1, 2\n")
    assert problem.line in (2, 3)
    assert "not valid YAML" in problem.message


def test_an_alias_to_its_own_parent_does_not_hang() -> None:
    assert "alias" in problems("a: &x [*x]\n")[0].message


def test_python_tags_are_refused() -> None:
    assert problems("a: !!python/object/apply:os.system ['true']\n")


def test_dates_must_be_quoted() -> None:
    assert "quote it" in problems("title: 2024-01-01\n")[0].message


def test_times_that_yaml_reads_as_numbers_are_refused() -> None:
    assert "base 60" in problems("seed: 1:30\n")[0].message


@pytest.mark.parametrize("text", ["[" * 3000, "a: " + "[" * 100 + "]" * 100, "{a: " * 3000])
def test_nesting_beyond_reason_is_refused_and_python_s_stack_holds(text: str) -> None:
    (problem,) = problems(text)
    assert "nested more than 40 levels deep" in problem.message
    assert problem.line == 1


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert "aliases that repeat aliases" in problems("\n".join(lines))[0].message


def test_a_text_longer_than_any_study_file_is_refused() -> None:
    assert "200,000 characters" in problems("title: " + "x" * 300_000)[0].message

"""What intervals cover and tests reject in simulated studies; and the command that writes it into the documentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from analysis_core.statistics import Population, alpha
from analysis_core.statistics.simulation import as_letters, draw_items, simulate_answers
from benchmarks.coverage import __main__ as command
from benchmarks.coverage import document, rejections
from benchmarks.coverage.designs import Design, alpha_of_these_annotators, alpha_of_these_items, tables
from benchmarks.coverage.measured import WANTED, Row, Section, measured, sections
from benchmarks.coverage.methods import ACCURACY, ANNOTATORS, CANDIDATES, DEFAULT, ITEMS, Method

SEED = 11


def row(design: Design, method: Method, number: int) -> Row:
    return next(measured(Section("", (design,), (method,)), number, SEED))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("design", "method", "number"),
    [
        (Design(Population(), 5, 40), DEFAULT, 2_000),
        (Design(Population(), 10, 40), DEFAULT, 2_000),
        (Design(Population(accuracy=0.85, annotator_sd=1.0), 10, 40), DEFAULT, 1_500),
        (Design(Population(), 5, 40), ANNOTATORS, 1_500),
        (Design(Population(), 3, 20), ACCURACY, 2_000),
        (Design(Population(accuracy=0.9, annotator_sd=1.0), 5, 40), ACCURACY, 1_500),
    ],
)
def test_the_intervals_that_are_offered_cover_what_they_promise(design: Design, method: Method, number: int):
    found = row(design, method, number)
    # Two standard errors of the simulation: about one point.
    assert WANTED[0] - 2 * found.error <= found.coverage <= WANTED[1] + 2 * found.error
    assert (found.verdict, found.undefined) == ("", 0)


@pytest.mark.slow
def test_intervals_that_are_not_offered_for_both_cover_too_little():
    design = Design(Population(), 5, 40)
    over_items, with_copies = CANDIDATES[4], CANDIDATES[5]
    assert row(design, over_items, 300).coverage < 0.88
    assert row(design, with_copies, 300).coverage < 0.9


@pytest.mark.slow
def test_tests_that_are_offered_keep_their_level_and_those_that_are_not_do_not():
    apart = Population(annotator_sd=1.0)
    chosen = [null for null in rejections.nulls() if null.population == apart and null.sizes[0] < 7]
    for null in chosen:
        studies = 600 if null.offered else 200
        found = rejections.rejections(null, studies, SEED)
        if null.offered:
            assert found.rejected <= 0.05 + 3 * found.error, null.name
        else:
            assert found.rejected > 0.3, null.name
    assert {null.name for null in chosen} >= {"accuracy", "alpha", "confidence", "trend of alpha", "paired over items"}


def test_the_alpha_of_endless_annotators_is_what_many_of_them_show():
    population, rng = Population(), np.random.default_rng(0)
    effects = draw_items(population, items=12, tables=1, rng=rng)
    answers = simulate_answers(population, annotators=4_000, items=12, tables=1, rng=rng, item_effects=effects)
    letters = as_letters(answers, 4, rng=rng)
    expected = alpha(letters[0], "nominal").value
    assert alpha_of_these_items(population, effects, answers, letters)[0] == pytest.approx(expected, abs=0.01)


def test_the_alpha_of_these_annotators_is_what_many_items_show():
    population, rng = Population(annotator_sd=1.0), np.random.default_rng(1)
    people = rng.standard_normal((1, 3))
    answers = simulate_answers(population, annotators=3, items=40_000, tables=1, rng=rng, annotator_effects=people)
    expected = alpha(as_letters(answers, 4, rng=rng)[0], "nominal").value
    # 40,000 items: standard error about .003.
    assert alpha_of_these_annotators(population, people)[0] == pytest.approx(expected, abs=0.012)


def test_a_design_simulates_the_same_tables_whatever_else_is_simulated():
    design = Design(Population(), 3, 6, missing=0.3)
    first, second = (list(tables(design, 4, SEED)) for _ in range(2))
    assert all(np.array_equal(a.letters, b.letters, equal_nan=True) for a, b in zip(first, second, strict=True))
    assert np.array_equal(np.isnan(first[0].letters), np.isnan(first[0].right))
    assert np.isnan(first[0].letters).any()
    assert {"both", "annotators", "items", "accuracy"} == set(first[0].truth)


def test_the_refused_tests_are_the_textbook_ones():
    null = next(null for null in rejections.nulls() if not null.offered)
    study = next(rejections.studies(null, 1, SEED))
    counts, n = [part.sum() for part in study.right], study.right[0].size
    assert rejections.pooled(study) == pytest.approx(proportions_ztest(counts, [n, n])[1])
    shares = [part.mean(axis=0) for part in study.right]
    assert rejections.paired(study) == pytest.approx(stats.ttest_rel(*shares).pvalue)


def test_each_candidate_gives_ends_around_alpha_and_none_where_nothing_is_known():
    table = next(tables(Design(Population(), 5, 20), 1, SEED))
    value = alpha(table.letters, "nominal").value
    for method in (*CANDIDATES, ANNOTATORS, ITEMS):
        low, high = method.interval(table, 0)
        assert low < value + 0.2, method.name
        assert high > value - 0.05, method.name
    same = next(tables(Design(Population(), 3, 4), 1, SEED))
    same.letters[:] = np.arange(4)
    assert all(method.interval(same, 0) is None for method in (DEFAULT, ANNOTATORS, CANDIDATES[1], CANDIDATES[2]))


@pytest.mark.parametrize(("coverage", "verdict"), [(0.9, "too narrow"), (0.92, ""), (0.95, ""), (0.99, "wide")])
def test_a_row_is_marked_only_beyond_the_error_of_the_simulation(coverage: float, verdict: str):
    # 500 tables: two standard errors of 95 % are .0195.
    assert Row(Design(Population(), 5, 40), DEFAULT, coverage, 0.3, 0.0, 500).verdict == verdict


def test_the_tables_stand_between_their_marks(tmp_path: Path):
    there = tmp_path / "statistics.md"
    there.write_text(f"before\n{document.BEGIN}\nold\n{document.END}\nafter\n", encoding="utf-8")
    document.write("new", there)
    document.write("newer", there)
    assert there.read_text(encoding="utf-8") == f"before\n{document.BEGIN}\nnewer\n{document.END}\nafter\n"
    there.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="coverage: begin"):
        document.write("new", there)


def test_the_document_has_a_line_for_every_design_and_method():
    section = Section("Title", (Design(Population(), 3, 20), Design(Population(choices=2), 5, 12, 0.2)), (DEFAULT,))
    found = list(measured(section, 3, SEED))
    test = rejections.rejections(rejections.nulls()[0], 4, SEED)
    text = document.markdown([(section, found)], [("Tests", [test])], "python -m benchmarks.coverage", SEED)
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert lines[1].startswith("| 3 x 20 | 0.7, SDs 0.5 and 1, 4 choices | **jackknife")
    assert "| 5 x 12 | 0.7, SDs 0.5 and 1, 2 choices, 20% missing |" in lines[2]
    assert lines[4].startswith("| accuracy | 2 x 5, 20 | 0.7, SDs 0.5 and 1 |")
    assert len({line.count("|") for line in lines[:3]}) == 1


def test_every_section_holds_its_intervals_against_the_population_they_name():
    for section in sections():
        for method in section.methods:
            names = {"both": "new annotators, new items", "accuracy": "new annotators, new items"}
            names |= {"annotators": "new annotators, these items", "items": "these annotators, new items"}
            assert method.population == names[method.truth]


@pytest.mark.parametrize("wrong", ["0", "many", "-3"])
def test_a_number_of_tables_that_cannot_be_is_wrong_usage(wrong: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as error:
        command.main(["--tables", wrong])
    assert error.value.code == 2
    assert "--tables" in capsys.readouterr().err

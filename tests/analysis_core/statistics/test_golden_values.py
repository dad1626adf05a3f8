"""Published coefficients and accuracies, and those that the data's own readme recomputed with other packages."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis_core.statistics import accuracy, alpha
from analysis_core.statistics.coefficients import fleiss_kappa, gwet_ac1, percent_agreement

DATA = Path(__file__).resolve().parents[3] / "../shared/data"
CANONICAL = DATA / "agreement_canonical"
SNOW_TASKS = ["rte", "temp", "wsd"]
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data folder is not on this machine")
Table = list[list[Any]]


def rows_of(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=delimiter))[1:]


def wide(name: str) -> Table:
    """One row per unit and one column per rater after the first, as [raters, units]; empty cells missing."""
    return [
        list(column)
        for column in zip(*([c or None for c in row[1:]] for row in rows_of(CANONICAL / name)), strict=True)
    ]


def numbers(table: Table) -> Table:
    return [[None if cell is None else float(cell) for cell in row] for row in table]


def from_counts(counts: Iterable[Sequence[float]]) -> Table:
    """Units x categories of counts as [raters, units] of categories; who a rater is does not matter here."""
    units = [[k for k, count in enumerate(row) for _ in range(int(count))] for row in counts]
    most = max(map(len, units))
    return [list(column) for column in zip(*(unit + [None] * (most - len(unit)) for unit in units), strict=True)]


def counted(name: str) -> Table:
    return from_counts([float(cell) for cell in row[1:]] for row in rows_of(CANONICAL / name))


def contingency(name: str) -> Table:
    """Two raters' cross table of pairs as [2, pairs]."""
    cells = [[int(cell) for cell in row[1:]] for row in rows_of(CANONICAL / name)]
    pairs = [(a, b) for a, row in enumerate(cells) for b, count in enumerate(row) for _ in range(count)]
    return [list(rater) for rater in zip(*pairs, strict=True)]


def long(rows: Iterable[tuple[str, str, Any]]) -> Table:
    """(rater, unit, answer) as [raters, units], both in order of appearance."""
    table: dict[str, dict[str, Any]] = defaultdict(dict)
    units: dict[str, None] = {}
    for rater, unit, answer in rows:
        table[rater][unit] = answer
        units[unit] = None
    return [[answers.get(unit) for unit in units] for answers in table.values()]


@needs_data
def test_krippendorffs_four_coders_give_every_published_coefficient():
    table = wide("irrCAC_cac.raw4raters.csv")
    published = {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849, "ratio": 0.797}
    for level, value in published.items():
        assert alpha(numbers(table), level).value == pytest.approx(value, abs=5e-4)
    assert alpha(table, "nominal").value == pytest.approx(0.74342, abs=5e-6)
    assert fleiss_kappa(table).value == pytest.approx(0.76117, abs=5e-6)
    assert gwet_ac1(table).value == pytest.approx(0.77544, abs=5e-6)
    assert percent_agreement(table).value == pytest.approx(0.8181818, abs=5e-8)


@needs_data
def test_fleiss_psychiatric_diagnoses_give_the_published_values_from_labels_and_from_counts():
    for table in (wide("irr_diagnoses.csv"), counted("raters_diagnostic.csv")):
        assert fleiss_kappa(table).value == pytest.approx(0.43024, abs=5e-6)
        assert gwet_ac1(table).value == pytest.approx(0.44788, abs=5e-6)
        assert alpha(table, "nominal").value == pytest.approx(0.4334, abs=5e-5)
    assert fleiss_kappa(wide("irr_diagnoses.csv")[:4]).value == pytest.approx(0.48933, abs=5e-6)


@needs_data
def test_six_psychiatrists_give_the_values_of_gwets_package():
    table = counted("irrCAC_distrib.6raters.csv")
    assert fleiss_kappa(table).value == pytest.approx(0.4139265, abs=5e-8)
    assert gwet_ac1(table).value == pytest.approx(0.4448007, abs=5e-8)
    assert alpha(table, "nominal").value == pytest.approx(0.4204384, abs=5e-8)
    assert percent_agreement(table).value == pytest.approx(0.5511111, abs=5e-8)


@needs_data
def test_two_abstractors_give_the_values_of_gwets_package():
    table = contingency("irrCAC_cont3x3abstractors.csv")
    # With two raters Fleiss' kappa is Scott's pi.
    assert fleiss_kappa(table).value == pytest.approx(0.7962397, abs=5e-8)
    assert gwet_ac1(table).value == pytest.approx(0.8493305, abs=5e-8)
    assert alpha(table, "nominal").value == pytest.approx(0.7972585, abs=5e-8)
    assert percent_agreement(table).value == pytest.approx(0.89, abs=1e-12)


@needs_data
def test_further_classic_tables_give_the_values_of_their_readme():
    assert gwet_ac1(counted("irrCAC_cac.dist4cat.csv")).value == pytest.approx(0.3518903, abs=5e-8)
    assert fleiss_kappa(counted("raters_uterine.csv")).value == pytest.approx(0.3562, abs=5e-5)
    assert fleiss_kappa(counted("raters_winetable.csv")).value == pytest.approx(0.0399, abs=5e-5)
    assert percent_agreement(contingency("irrCAC_cont4x4diagnosis.csv")).value == pytest.approx(0.5874, abs=5e-5)


@needs_data
@pytest.mark.parametrize(
    ("file", "level", "published", "digits"),
    [
        ("krippendorff_wikipedia_3coders", "nominal", 0.691, 3),
        ("krippendorff_wikipedia_3coders", "ordinal", 0.8067, 4),
        ("krippendorff_wikipedia_3coders", "interval", 0.811, 3),
        ("krippendorff_wikipedia_3coders", "ratio", 0.8089, 4),
        ("irrCAC_cac.raw5obser", "nominal", 0.4805, 4),
        ("irrCAC_cac.raw5obser", "ordinal", 0.7687, 4),
        ("irrCAC_cac.raw5obser", "interval", 0.7719, 4),
        ("irrCAC_cac.raw5obser", "ratio", 0.6792, 4),
        ("irr_anxiety", "interval", 0.1701, 4),
        ("irr_anxiety", "ordinal", 0.2284, 4),
    ],
)
def test_classic_tables_give_their_published_alphas(file: str, level: str, published: float, digits: int):
    assert alpha(numbers(wide(f"{file}.csv")), level).value == pytest.approx(published, abs=0.5 * 10**-digits)


@needs_data
def test_caries_patterns_give_the_values_of_their_readme():
    patterns = np.array(rows_of(CANONICAL / "rater_caries.csv"), dtype=float)
    table = np.repeat(patterns[:, :5], patterns[:, 5].astype(int), axis=0).T
    assert table.shape == (5, 3859)
    assert fleiss_kappa(table).value == pytest.approx(0.2770, abs=5e-5)
    assert alpha(table, "nominal").value == pytest.approx(0.2771, abs=5e-5)


@needs_data
def test_anaesthetists_of_whom_one_answered_three_times():
    passes: dict[tuple[str, str], list[float]] = defaultdict(list)
    for item, rater, rating in rows_of(CANONICAL / "rater_anesthesia.csv"):
        passes[rater, item].append(float(rating))
    columns = long((f"{r}-{n}", item, answer) for (r, item), found in passes.items() for n, answer in enumerate(found))
    first = long((r, item, found[0]) for (r, item), found in passes.items())
    assert (len(columns), len(first)) == (7, 5)
    assert alpha(columns, "nominal").value == pytest.approx(0.5858, abs=5e-5)
    assert alpha(columns, "ordinal").value == pytest.approx(0.7987, abs=5e-5)
    assert alpha(first, "nominal").value == pytest.approx(0.5843, abs=5e-5)


@needs_data
@pytest.mark.parametrize(
    ("study", "group", "published"),
    [
        ("vqa_sim", "g1", 0.8602),
        ("vqa_sim", "g2", 0.5008),
        ("vqa_sim", "g3", 0.3850),
        ("vqa_sim", "g4", 0.5712),
        ("vqa_sim", "g5", 0.6133),
        ("vqa_repr_concepts", "g1", 0.5970),
        ("vqa_repr_concepts", "g2", 0.5410),
        ("vqa_repr_concepts", "g3", 0.2122),
    ],
)
def test_the_authors_own_answers_give_the_published_agreements(study: str, group: str, published: float):
    rows = rows_of(DATA / "multiviz_human_answers/answers_long.csv")
    table = long((rater, item, answer) for s, g, rater, item, answer in rows if (s, g) == (study, group))
    found = alpha(table, "nominal")
    assert found.value == pytest.approx(published, abs=5e-5)
    assert (found.raters, found.units) == (3, 20 if study == "vqa_sim" else 12)


@cache
def snow(task: str) -> tuple[Table, list[str], list[str]]:
    """Answers [workers, items], the items' truths, and the labels."""
    rows = rows_of(DATA / f"snow2008_mturk/{task}.tsv", "\t")
    gold = {item: truth for _, item, _, truth in rows}
    table = long((worker, item, response) for worker, item, response, _ in rows)
    return table, [gold[item] for item in dict.fromkeys(row[1] for row in rows)], sorted({row[2] for row in rows})


def right(table: Table, truths: Sequence[str]) -> Table:
    return [[None if a is None else int(a == t) for a, t in zip(row, truths, strict=True)] for row in table]


@needs_data
@pytest.mark.parametrize(
    ("task", "majority", "mean", "agreement"),
    [("rte", 0.8969, 0.7291, 0.2415), ("temp", 0.9361, 0.7338, 0.2234), ("wsd", 0.9944, 0.9819, 0.9372)],
)
def test_snow_2008_majority_votes_workers_and_agreement(task: str, majority: float, mean: float, agreement: float):
    table, truths, labels = snow(task)
    units = list(zip(*table, strict=True))
    # Two voters who break ties in opposite ways: their mean counts a tie as one half.
    voters = [[max(order, key=unit.count) for unit in units] for order in (labels, labels[::-1])]
    assert accuracy(right(voters, truths)).mean == pytest.approx(majority, abs=5e-5)
    # The data's individual accuracy counts every answer once; ours counts every worker once, however many they gave.
    given = [sum(answer is not None for answer in row) for row in table]
    per_worker = accuracy(right(table, truths)).per_annotator
    assert np.average(np.array(per_worker), weights=given) == pytest.approx(mean, abs=5e-5)
    assert alpha(table, "nominal").value == pytest.approx(agreement, abs=5e-5)


@needs_data
@pytest.mark.parametrize(
    ("task", "agreement"),
    [
        ("wordsim", 0.6701),
        ("anger", 0.3533),
        ("disgust", 0.4275),
        ("fear", 0.2854),
        ("joy", 0.2159),
        ("sadness", 0.4370),
        ("surprise", 0.0568),
        ("valence", 0.3256),
    ],
)
def test_snow_2008_alphas_of_ratings(task: str, agreement: float):
    table, _, _ = snow(task)
    assert alpha(numbers(table), "interval").value == pytest.approx(agreement, abs=5e-5)


@cache
def nlvr(split: str) -> tuple[Table, list[str]]:
    """Judgements [10 raters, examples] (five per example) and the labels."""
    examples = []
    for name in split.split("+"):
        with (DATA / f"nlvr/{name}/{name}.json").open(encoding="utf-8") as file:
            examples += [(f"{name}{n}", json.loads(line)) for n, line in enumerate(file)]
    rows = sorted((rater, key, answer) for key, e in examples for rater, answer in e["evals"].items())
    labels = {key: e["label"] for key, e in examples}
    table = long(rows)
    return table, [labels[key] for key in dict.fromkeys(key for _, key, _ in rows)]


@needs_data
@pytest.mark.parametrize(
    ("split", "examples", "agreement", "sensible", "fleiss", "mean"),
    [
        ("dev", 989, 0.7995, 0.8395, 0.7994, 0.9457),
        ("test", 990, 0.8246, 0.8608, 0.8246, 0.9543),
        ("dev+test", 1979, 0.8120, 0.8501, 0.8120, 0.9498),
    ],
)
def test_nlvr_judgements_over_three_answers(
    split: str, examples: int, agreement: float, sensible: float, fleiss: float, mean: float
):
    """The first figure is alpha over true, false and nonsense; the second takes nonsense as missing."""
    table, truths = nlvr(split)
    assert (len(table), len(truths)) == (10, examples)
    assert alpha(table, "nominal").value == pytest.approx(agreement, abs=5e-5)
    assert fleiss_kappa(table).value == pytest.approx(fleiss, abs=5e-5)
    without = [[None if answer == "nonsense" else answer for answer in row] for row in table]
    assert alpha(without, "nominal").value == pytest.approx(sensible, abs=5e-5)
    assert accuracy(right(table, truths)).mean == pytest.approx(mean, abs=5e-5)
    majority = [max(("true", "false"), key=unit.count) for unit in zip(*table, strict=True)]
    assert accuracy(right([majority], truths)).mean == 1.0


@needs_data
@pytest.mark.parametrize(("split", "kept", "fleiss"), [("dev", 931, 0.8410), ("test", 938, 0.8622)])
def test_nlvr_examples_that_nobody_called_nonsense(split: str, kept: int, fleiss: float):
    table, _ = nlvr(split)
    units = [unit for unit in zip(*table, strict=True) if "nonsense" not in unit]
    assert len(units) == kept
    assert fleiss_kappa(list(zip(*units, strict=True))).value == pytest.approx(fleiss, abs=5e-5)


@needs_data
def test_nlvr_accuracy_of_each_rater_shows_the_weak_one():
    expected = [0.980, 0.978, 0.875, 0.922, 0.977, 0.937, 0.951, 0.951, 0.984, 0.903]
    table, truths = nlvr("dev")
    assert accuracy(right(table, truths)).per_annotator == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(("right_of_twenty", "points"), [((8, 10, 13), 12.6), ((13, 14, 16), 7.6)])
def test_the_standard_deviation_of_three_annotators_has_two_degrees_of_freedom(
    right_of_twenty: tuple[int, ...], points: float
):
    # (40, 50, 65) has mean 51.67 and squares summing to 316.7: sqrt(316.7 / 2) = 12.58; (65, 70, 80): 71.67, 7.64.
    table = [[1] * n + [0] * (20 - n) for n in right_of_twenty]
    found = accuracy(table)
    assert round(100 * found.std, 1) == points
    assert found.mean == pytest.approx(sum(right_of_twenty) / 60, abs=1e-12)

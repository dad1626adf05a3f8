"""The planner reproduces its reference figures within the error of both simulations, and writes its tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis_core.statistics import Design, Population, interval_widths, marginal_accuracy, power
from benchmarks import planning


@pytest.mark.slow
@pytest.mark.parametrize(("size", "reference"), planning.WIDTHS.items())
def test_alphas_expected_width_is_the_reference(size: tuple[int, int], reference: float) -> None:
    design = Design(accuracies=(0.7,), annotators=size[0], items=size[1])
    found = interval_widths(design, tables=200, seed=1, over="items")[0]
    assert found.alpha is not None
    assert found.alpha_error is not None
    # The reference is rounded to two digits; its own error is not told and taken to be as large as ours.
    assert found.alpha == pytest.approx(reference, abs=0.005 + 3 * 2**0.5 * found.alpha_error)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "reference"), planning.POWERS.items())
def test_power_is_the_reference(case: tuple[tuple[float, ...], int], reference: float) -> None:
    found = power(Design(accuracies=case[0], annotators=case[1]), simulations=6000, seed=1, tables=0)
    assert found.error is not None
    # As above; three errors of both simulations, and half a digit of rounding
    assert found.power == pytest.approx(reference, abs=0.005 + 3 * 2**0.5 * found.error)


def test_an_accuracy_of_all_is_turned_into_that_of_the_average() -> None:
    accuracy = planning.of_average(0.55, planning.TRUTH)
    assert marginal_accuracy(Population(accuracy)) == pytest.approx(0.55, abs=1e-9)


def test_the_command_puts_its_tables_between_the_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "statistics.md"
    document.write_text(f"before\n{planning.BEGIN}\nstale\n{planning.END}\nafter\n")
    monkeypatch.setattr(planning, "DOCUMENT", document)
    monkeypatch.setattr(planning, "PILOTS", ((6, 10),))
    assert planning.main(["--tables", "4", "--studies", "50", "--pilots", "3", "--write"]) == 0
    text = document.read_text()
    assert text.startswith(f"before\n{planning.BEGIN}\n| annotators x items |")
    assert text.endswith(f"{planning.END}\nafter\n")
    assert "stale" not in text
    assert capsys.readouterr().out.strip() in text


def test_a_document_without_marks_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "statistics.md"
    document.write_text("nothing\n")
    assert not planning.write("tables", document)
    assert document.read_text() == "nothing\n"

"""The report as LaTeX: it compiles, whatever people call things, and its tables carry their watermark."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from studies.reports.build import build
from studies.reports.export import render
from studies.reports.latex_escape import escaped
from studies.reports.shape import Report
from tests.studies.reports.answers import make_sheet, make_version, right

#: Everything that LaTeX reads as a command or joins, and letters that no 8-bit encoding has together
HOSTILE = (
    r"100 % of $x_1$ & {y}~z^2 #1 \input{/etc/passwd} \\ [1] *** `` '' -- --- <a> | "
    '"q" × ± – — “ü” Łódź ąęñçø ½ µ α Ω 中 😀 ﬁ'
)


@pytest.fixture
def report() -> Report:
    version = make_version(wrong_items=(3, 4))
    for count in (8, 10, 13):
        make_sheet(version, "U", right(count), confidence=4, kind="simulated")
        make_sheet(version, "U+Rl", right(count + 5), confidence=3, helpful="of" * 10, kind="simulated")
    return build(version)


@pytest.mark.django_db
def test_8_10_and_13_of_20_are_51_7_and_12_6_as_in_the_paper(report: Report) -> None:
    # .51667 and .12583, worked out in test_report_build.py
    assert re.search(r"^U & 3 & 51\.7 \$\\pm\$ 12\.6 & ", render(report, "latex"), re.M)


@pytest.mark.django_db
def test_every_table_of_a_simulated_report_carries_the_mark(report: Report) -> None:
    captions = re.findall(r"\\caption\{(.*)\}$", render(report, "latex"), re.M)
    assert len(captions) == 2
    assert all(caption.startswith(r"\textbf{SIMULATED: answers") for caption in captions)


@pytest.mark.django_db
def test_the_second_intervals_of_alpha_stand_below_the_table_with_their_population(report: Report) -> None:
    (note,) = re.findall(
        r"intervals of \$\\alpha\$ for these annotators and new items: (.*)\.\}$", render(report, "latex"), re.M
    )
    low, high = report.conditions[1].alpha.interval_items or (0, 0)
    assert note.split("; ")[1] == f"U+Rl $[{low:.2f}, {high:.2f}]$"


@pytest.mark.django_db
def test_tables_and_methods_lie_between_comments(report: Report) -> None:
    text = render(report, "latex")
    for name in ("conditions", "tests", "methods", "notes"):
        assert text.index(f"% ---- {name}: begin ----") < text.index(f"% ---- {name}: end ----")
    assert "without exclusions" not in text


@pytest.mark.django_db
def test_what_cannot_be_computed_is_a_dash_or_undefined() -> None:
    version = make_version(count=4)
    make_sheet(version, "U", "AAAA")
    make_sheet(version, "U", "AAAA")
    text = render(build(version), "latex")
    assert r"U & 2 & 100.0 $\pm$ 0.0 & -- & undefined & --" in text
    assert r"U+Rl & 0 & -- & -- & undefined & --" in text
    assert "nan" not in text.lower()


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("50 % & more", r"50 \% \& more"),
        ("a_b^c ~ #1 {x} $y$", r"a\_b\textasciicircum{}c \textasciitilde{} \#1 \{x\} \$y\$"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("two\n\nlines", "two lines"),
        ("a--b---c", "a-{}-b-{}-{}-c"),
        ("Müller, Łódź, façade, Erdős", r"M\"{u}ller, \L{}\'{o}d\'{z}, fa\c{c}ade, Erd\H{o}s"),
        ("ą ﬁ Ａ ½", "a fi A 1/2"),
        ("α, Ω, µm, 2 × 2", r"\ensuremath{\alpha}, \ensuremath{\Omega}, \ensuremath{\mu}m, 2 \ensuremath{\times} 2"),
        ("中", "{[}U+4E2D{]}"),
        ("[1] *x*", r"{[}1{]} {*}x{*}"),
    ],
)
def test_text_is_escaped_into_ascii(text: str, latex: str) -> None:
    assert escaped(text) == latex


def test_every_letter_becomes_printable_ascii_without_an_open_brace() -> None:
    for number in (*range(0x3000), 0x4E2D, 0x1F600, 0xFB01, 0xFF3B, 0xFF3C):
        latex = escaped(f"a{chr(number)}b")
        assert latex.isascii(), hex(number)
        assert latex.isprintable(), hex(number)
        bare = latex.replace(r"\{", "").replace(r"\}", "")
        assert bare.count("{") == bare.count("}"), hex(number)
        # A backslash begins a command of SPECIAL, SIGNS, ACCENTS or Greek, and nothing that was written
        assert not re.search(r"\\(input|write|def|end|\\)", latex), hex(number)


@pytest.mark.django_db
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("names", ["plain", "hostile"])
def test_the_document_compiles(report: Report, names: str, tmp_path: Path) -> None:
    if names == "hostile":
        arms = tuple(condition.model_copy(update={"name": f"[{HOSTILE}"}) for condition in report.conditions)
        warned = (*report.warnings, HOSTILE)
        report = report.model_copy(
            update={"title": HOSTILE, "conditions": arms, "warnings": warned, "study": "x%\n\\y"}
        )
    (tmp_path / "report.tex").write_text(render(report, "latex"), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "report.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "report.pdf").stat().st_size > 10_000
    log = (tmp_path / "report.log").read_text(encoding="latin-1")
    assert "Missing character" not in log
    if names == "plain":
        assert "Overfull" not in log, "everything lies within a plain article's margins"

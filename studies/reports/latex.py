"""A report as a LaTeX document that compiles as it stands; its tables lie between comments and can be pasted alone.

It needs the package booktabs and no particular encoding: all text is ASCII, see latex_escape.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from studies.reports import figures
from studies.reports.latex_escape import escaped
from studies.reports.shape import AlphaFigures, Bounds, ConditionReport, Report

NONE = "--"
#: Names longer than this many letters are broken into lines
LONG_NAME = 24
HEAD = r"""\documentclass{article}
\usepackage{booktabs}
\begin{document}\sloppy"""
TAIL = r"\end{document}"


def as_latex(report: Report) -> str:
    """The whole document; lines end with a newline."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"% {_comment(report.study)}, version {report.version}, {_comment(report.software)}"
    yield HEAD
    if report.mark:
        yield rf"\noindent\textbf{{{escaped(report.mark)}}}\par\bigskip"
    yield rf"\section*{{{escaped(report.title)}}}"
    yield rf"\noindent {escaped(report.primary.sentence)}"
    yield from _marked("conditions", _conditions(report))
    yield from _marked("without exclusions", _without_exclusions(report))
    yield from _marked("tests", _tests(report))
    yield from _marked("methods", _methods(report))
    if report.warnings:
        items = [rf"\item {escaped(warning)}" for warning in report.warnings]
        yield from _marked("notes", [r"\paragraph{Please note}", r"\begin{itemize}", *items, r"\end{itemize}"])
    yield TAIL


def _marked(name: str, lines: Iterable[str]) -> Iterator[str]:
    lines = list(lines)
    if lines:
        yield from ("", f"% ---- {name}: begin ----", *lines, f"% ---- {name}: end ----")


def _conditions(report: Report) -> Iterator[str]:
    """Condition x (accuracy, alpha), and confidence where it was asked for."""
    has_confidence = any(condition.confidence for condition in report.conditions)
    head = ["Condition", "$n$", r"Accuracy (\%)", r"95\,\% interval", r"$\alpha$", r"95\,\% interval"]
    rows = [_condition(condition) for condition in report.conditions]
    if has_confidence:
        head = [*head, "Confidence"]
        rows = [[*row, _spread(c)] for row, c in zip(rows, report.conditions, strict=True)]
    items = report.conditions[0].items if report.conditions else 0
    guessing = f" Guessing reaches {100 * report.chance:.1f}\\,\\%." if report.chance is not None else ""
    caption = (
        f"{escaped(_sentence(report.title))} {items} items; $n$ annotators; accuracy: mean $\\pm$ standard deviation"
        f" over annotators; $\\alpha$: Krippendorff's, nominal. Intervals hold for new annotators and new"
        f" items.{guessing}"
    )
    longest = max((len(condition.name) for condition in report.conditions), default=0)
    names = r"p{0.3\linewidth}" if longest > LONG_NAME else "l"
    note = _over_items(report.conditions)
    yield from _table(report, caption, names + "r" * (len(head) - 1), head, rows, note=note)


def _over_items(conditions: Iterable[ConditionReport]) -> str:
    """The second intervals of alpha in a sentence: a further column would be wider than a page."""
    known = [
        f"{escaped(condition.name)} {_interval(condition.alpha.interval_items, 1, 2)}"
        for condition in conditions
        if condition.alpha.interval_items
    ]
    return rf"95\,\% intervals of $\alpha$ for {figures.THESE}: {'; '.join(known)}." if known else ""


def _condition(condition: ConditionReport) -> list[str]:
    accuracy = condition.accuracy
    return [
        escaped(condition.name),
        str(condition.annotators),
        _mean_std(100 * accuracy.mean, accuracy.std) if accuracy and accuracy.mean is not None else NONE,
        _interval(accuracy.interval, 100, 1) if accuracy else NONE,
        _alpha(condition.alpha),
        _interval(condition.alpha.interval, 1, 2),
    ]


def _without_exclusions(report: Report) -> Iterator[str]:
    """The same figures of all finished sheets, where a rule left one out."""
    if report.exclusions is None or not any(condition.excluded for condition in report.conditions):
        return
    rows = []
    for each in report.exclusions.without:
        accuracy = each.accuracy
        share = _mean_std(100 * accuracy.mean, accuracy.std) if accuracy and accuracy.mean is not None else NONE
        rows.append([escaped(each.name), str(each.annotators), share, _alpha(each.alpha)])
    rules = figures.listed([rule.rule for rule in report.exclusions.rules])
    caption = f"All finished sheets, those too that the plan leaves out ({escaped(rules)})."
    yield from _table(report, caption, "lrrr", ["Condition", "$n$", r"Accuracy (\%)", r"$\alpha$"], rows)


def _tests(report: Report) -> Iterator[str]:
    if not report.comparisons and not report.trends:
        return
    rows = [
        [
            escaped(pair.statistic),
            f"{escaped(pair.b)} minus {escaped(pair.a)}",
            f"${pair.difference:+.3f}$",
            _p(pair.p),
            _p(pair.p_adjusted),
            _p(pair.smallest_possible_p),
        ]
        for pair in report.comparisons
    ]
    trends = [
        [
            escaped(trend.statistic),
            f"trend over {len(trend.order)} conditions",
            NONE if trend.correlation is None else f"$r = {trend.correlation:+.3f}$",
            _p(trend.p),
            NONE,
            _p(trend.smallest_possible_p),
        ]
        for trend in report.trends
    ]
    head = ["Statistic", "Comparison", "Difference", "$p$", "$p$ (Holm)", "smallest $p$"]
    caption = (
        "Two-sided permutation tests in which whole annotators change their condition; smallest $p$: what no answers"
        " could fall below with these numbers of annotators."
    )
    yield from _table(report, caption, "llrrrr", head, [*rows, *trends], rule_after=len(rows) if trends else 0)


def _methods(report: Report) -> Iterator[str]:
    paragraphs = [escaped(paragraph) for paragraph in report.methods.split("\n") if paragraph]
    yield r"\paragraph{Methods}" + "\n" + "\n\n".join(paragraphs)


def _table(
    report: Report,
    caption: str,
    columns: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    rule_after: int = 0,
    note: str = "",
) -> Iterator[str]:
    # A table that is pasted elsewhere takes its watermark along.
    mark = rf"\textbf{{{escaped(report.mark)}.}} " if report.mark else ""
    yield r"\begin{table}[htbp]"
    yield r"\centering\footnotesize\setlength{\tabcolsep}{3pt}\setlength{\belowcaptionskip}{4pt}"
    yield rf"\caption{{{mark}{caption}}}"
    yield rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}"
    yield r"\toprule"
    yield " & ".join(head) + r" \\"
    yield r"\midrule"
    for number, row in enumerate(rows, start=1):
        yield " & ".join(row) + r" \\"
        if number == rule_after and number < len(rows):
            yield r"\midrule"
    yield r"\bottomrule"
    yield r"\end{tabular}"
    if note:
        yield rf"\par\smallskip\parbox{{0.95\linewidth}}{{\footnotesize {note}}}"
    yield r"\end{table}"


def _mean_std(percent: float, std: float | None) -> str:
    return f"{percent:.1f}" if std is None else rf"{percent:.1f} $\pm$ {100 * std:.1f}"


def _interval(bounds: Bounds | None, factor: int, digits: int) -> str:
    return NONE if bounds is None else "$[" + ", ".join(f"{factor * bound:.{digits}f}" for bound in bounds) + "]$"


def _alpha(found: AlphaFigures) -> str:
    return "undefined" if found.undefined else f"${found.value:.2f}$"


def _spread(condition: ConditionReport) -> str:
    found = condition.confidence
    if found is None or found.mean is None:
        return NONE
    return f"{found.mean:.2f}" if found.std is None else rf"{found.mean:.2f} $\pm$ {found.std:.2f}"


def _p(p: float) -> str:
    return "$<0.001$" if p < 0.001 else f"{p:.3f}"


def _sentence(title: str) -> str:
    return title if title.rstrip().endswith((".", "!", "?")) else f"{title}."


def _comment(text: str) -> str:
    return " ".join(text.split())

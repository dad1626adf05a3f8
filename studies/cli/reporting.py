"""simulate, report, export."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from studies.cli.output import Output, Refused
from studies.cli.subjects import actor, study_named
from studies.selectors import is_precomputed
from studies.services.simulation import parse_policy, sheets_simulate


def simulate(arguments: Namespace, output: Output) -> None:
    """Fill sheets with simulated annotators; they never count as data."""
    version = study_named(arguments.slug).version
    if not is_precomputed(version):
        raise Refused([f"the artefacts are not ready: run `study precompute {arguments.slug} --wait` first"])
    try:
        policy = parse_policy(arguments.policy)
    except ValueError as error:
        raise Refused([error]) from error
    if arguments.per_condition < 1:
        raise Refused([f"--per-condition is {arguments.per_condition}; it must be at least 1"])
    with output.bar("simulating") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        sheets = sheets_simulate(
            version=version,
            policy=policy,
            per_condition=arguments.per_condition,
            seed=arguments.seed,
            progress=progress,
        )
    output.line(f"{arguments.slug}: {len(sheets)} simulated sheets ({policy.name})")
    there = version.sheets.filter(kind="simulated").count() - len(sheets)
    if there:
        output.note(f"{there} simulated sheets were there already; they stay, whatever their policy")


def report(arguments: Namespace, output: Output) -> None:
    """Print or write the report."""
    from studies.reports.build import ReportRefused, report_row_for
    from studies.reports.export import render
    from studies.reports.shape import Report

    try:
        row = report_row_for(study_named(arguments.slug), peek=arguments.peek, actor=actor())
    except ReportRefused as error:
        raise Refused([error]) from error
    text = render(Report.model_validate(row.body), "json" if arguments.json else arguments.format, row.charts)
    if arguments.output is None:
        output.line(text.rstrip("\n"))
        return
    try:
        Path(arguments.output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused([f"{arguments.output}: {error.strerror or error}"]) from error
    output.note(f"written to {arguments.output}")


def export(arguments: Namespace, output: Output) -> None:
    """Write all data of a study into a zip: answers, sheets, items, times, definition, report, codebook, audit log."""
    from studies.reports.archive import export_write
    from studies.reports.archive_rules import export_allow
    from studies.reports.stored import ReportRefused

    study, target = study_named(arguments.slug), Path(arguments.output)
    part = target.with_name(f"{target.name}.part")
    try:
        export_allow(study, peek=arguments.peek, actor=actor())
        with part.open("wb") as file:
            export_write(study.version, file)
        part.replace(target)
    except ReportRefused as error:
        raise Refused([error]) from error
    except OSError as error:
        raise Refused([f"{target}: {error.strerror or error}"]) from error
    finally:
        part.unlink(missing_ok=True)
    output.line(f"{arguments.slug}: written to {target}")

"""`python -m benchmarks.load`: how quick the annotators' pages are with many at once, and whether anything is lost."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.load.browser import Browser
from benchmarks.load.children import processor_seconds
from benchmarks.load.filling import Annotator, together
from benchmarks.load.place import own_place
from benchmarks.load.tally import Tally, table

EXPLANATION = """\
Two scenarios against the web processes as the demo starts them, on a database of its own and loopback only:
  filling   so many annotators fill in sheets of the demo's size: every picture, drafts, times on page, submits
  starts    so many invites are opened within some seconds
Afterwards the database is compared with what the annotators were told. Nothing passes or fails by its time; the exit
status is 1 where an answer is lost or doubled, a request failed, or the arms are not balanced.
"""
MOST_ANNOTATORS, MOST_SECONDS = 500, 3600


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 nothing lost and nothing failed, 1 otherwise."""
    options = parser().parse_args(arguments)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with own_place(options.database) as port:
        report = measure(options, port)
    sys.stdout.write(json.dumps(report, indent=1, default=Tally.as_json) + "\n" if options.json else _text(report))
    return 0 if all(_is_sound(found) for found in report["scenarios"].values()) else 1


def measure(options: argparse.Namespace, port: int) -> dict[str, Any]:
    """Both scenarios in turn on the same processes."""
    from benchmarks.load import study
    from benchmarks.load.work import Work
    from studies.processes import Processes

    studies = {
        name: study.make(f"load-{name}", count)
        for name, count in (("filling", options.annotators), ("starts", options.starts))
        if count
    }
    before, found = os.getloadavg()[0], {}
    with Processes(port) as processes:
        processes.start_web()
        processes.wait_for_web()
        work = Work(processes) if options.worker else None
        if "filling" in studies:
            before_filling = processor_seconds(processes.pid("web"))
            found["filling"] = _filling(*studies["filling"], port, options)
            used = processor_seconds(processes.pid("web")) - before_filling
            found["filling"]["web processes"] = f"{100 * used / found['filling']['seconds']:.0f} % of a core"
        if "starts" in studies:
            found["starts"] = _starts(*studies["starts"], port, options)
        computed = work.computed() if work else None
    machine = {"cores": os.cpu_count(), "load_before": before, "load_after": os.getloadavg()[0]}
    return {"database": options.database, "machine": machine, "worker": computed, "scenarios": found}


def _filling(study: Any, links: list[str], port: int, options: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.load.check import lost_and_doubled

    tally, begun = Tally(), time.monotonic()
    people = _people(links, port, tally)
    together(people, lambda person: person.fill(options.think, begun + options.seconds))
    seconds = time.monotonic() - begun
    lost, doubled = lost_and_doubled(study, people)
    answers = sum(len(person.acknowledged) for person in people)
    counts = {
        "annotators": len(people),
        "seconds": round(seconds),
        "answers": answers,
        "lost": lost,
        "doubled": doubled,
    }
    requests = sum(len(taken) for kind, taken in tally.seconds.items() if kind != "whole page")
    return {**counts, "requests per second": round(requests / seconds, 1), "tally": tally}


def _starts(study: Any, links: list[str], port: int, options: argparse.Namespace) -> dict[str, Any]:
    from benchmarks.load.check import arms

    tally = Tally()
    people = _people(links, port, tally)
    together(people, lambda person: person.arrive(options.within))
    counts = arms(study)
    return {"invites": len(people), "arms": counts, "apart": max(counts) - min(counts), "tally": tally}


def _people(links: list[str], port: int, tally: Tally) -> list[Annotator]:
    return [Annotator(link, Browser(port), tally, random.Random(seed)) for seed, link in enumerate(links)]


def _is_sound(found: dict[str, Any]) -> bool:
    wrong = found.get("lost", 0) + found.get("doubled", 0) + (found.get("apart", 0) > 1)
    return not wrong and not found["tally"].problems


def _text(report: dict[str, Any]) -> str:
    machine = report["machine"]
    loads = f"load {machine['load_before']:.1f} before and {machine['load_after']:.1f} after"
    computed = report["worker"]
    worker = "no worker" if computed is None else f"a worker at nice 19 computed {computed} artefacts meanwhile"
    parts = [f"{report['database']}, {machine['cores']} cores, {loads}; {worker}\n"]
    for name, found in report["scenarios"].items():
        tally = found["tally"]
        said = ", ".join(f"{key} {value}" for key, value in found.items() if key != "tally")
        parts.append(f"\n{name}: {said}, failed {sum(tally.problems.values())}\n{table(tally)}")
        parts += [f"  {count} x {problem}\n" for problem, count in tally.problems.most_common(10)]
    return "".join(parts)


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.load",
        description=EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="sqlite (default)")
    people = _whole(MOST_ANNOTATORS)
    made.add_argument("--annotators", metavar="N", type=people, default=100, help="who fill in sheets (100); 0: nobody")
    made.add_argument("--think", metavar="S", type=float, default=10, help="seconds of thinking per page (10)")
    seconds = _whole(MOST_SECONDS)
    made.add_argument("--seconds", metavar="S", type=seconds, default=180, help="how long they are filling in (180)")
    made.add_argument("--starts", metavar="N", type=people, default=50, help="invites that are opened (50); 0: none")
    made.add_argument("--within", metavar="S", type=float, default=10, help="seconds in which they are opened (10)")
    made.add_argument("--worker", action="store_true", help="a worker precomputes the demo's study at nice 19")
    made.add_argument("--json", action="store_true", help="JSON in place of the table")
    return made


def _whole(most: int) -> Any:
    def read(text: str) -> int:
        number = int(text)
        if not 0 <= number <= most:
            raise argparse.ArgumentTypeError(f"0 to {most}")
        return number

    return read


if __name__ == "__main__":
    sys.exit(main())

"""One pass over as much as VQA 2.0, and all paths: a process of its own, `python -m benchmarks.sparse_at_scale`.

sparse.py and extremes.py start it and read the JSON that it prints: seconds of each part, without the time in which the
data are drawn; the most memory that the process ever held (VmHWM: ru_maxrss is inherited from the parent); optimality.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

#: Set for a further run where OpenBLAS takes kernels without AVX-512 on a processor that has it.
WIDER = {"OPENBLAS_CORETYPE": "SkylakeX"}


def run(
    share: float,
    *,
    classes: int,
    everything: bool = False,
    precision: str = "float64",
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Figures of one run; `everything` adds extremes and histograms to the pass; `environment`: set on top of ours."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.sparse_at_scale",
        str(share),
        str(classes),
        *["--everything"] * everything,
        f"--precision={precision}",
    ]
    done = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def has_wider_kernels() -> bool:
    """Whether OpenBLAS leaves AVX-512 unused that the processor has."""
    from threadpoolctl import threadpool_info

    flags = Path("/proc/cpuinfo")
    kernels = {info.get("architecture") for info in threadpool_info() if info["internal_api"] == "openblas"}
    return flags.exists() and "avx512f" in flags.read_text(encoding="utf-8") and kernels == {"Haswell"}


class Timed:
    """An accumulator whose time is added up, wall and CPU."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.options, self.seconds, self.cpu = inner, inner.options, 0.0, 0.0

    def add(self, *chunk: Any) -> None:
        start, cpu = time.perf_counter(), time.process_time()
        self.inner.add(*chunk)
        self.seconds += time.perf_counter() - start
        self.cpu += time.process_time() - cpu

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.inner.state()
        return found

    def restore(self, state: dict[str, Any]) -> None:
        self.inner.restore(state)


def figures(share: float, classes: int, *, everything: bool, precision: str = "float64") -> dict[str, Any]:
    """Do it, in this process."""
    begun = time.perf_counter()
    import torch
    from threadpoolctl import ThreadpoolController

    from analysis_core.stages import homotopy, prediction, streaming
    from analysis_core.stages.extremes import ExtremesSoFar
    from analysis_core.stages.gram import Sums, moments_of
    from analysis_core.stages.histograms import HistogramsSoFar
    from benchmarks.feature_matrices import as_large_as_vqa

    torch.set_num_threads(int(os.environ.get("TORCH_THREADS", "1")))
    imported = time.perf_counter() - begun
    drawn, pools = [0.0, 0.0], ThreadpoolController()

    def chunks() -> Iterator[Any]:
        source = as_large_as_vqa(share, classes=classes)
        while True:
            start, cpu = time.perf_counter(), time.process_time()
            # On one thread: those of BLAS that helped to draw would go on waiting for work beside the pass.
            with pools.limit(limits=1):
                part = next(source, None)
            drawn[0] += time.perf_counter() - start
            drawn[1] += time.process_time() - cpu
            if part is None:
                return
            yield part

    sums, ends, counts = Timed(Sums(precision)), Timed(ExtremesSoFar(3)), Timed(HistogramsSoFar(32))
    wanted = {"moments": sums, **({"extremes": ends, "histograms": counts} if everything else {})}
    start, cpu = time.perf_counter(), time.process_time()
    rows = streaming.stream(chunks(), None, wanted)
    data = moments_of(sums.inner)
    read, read_cpu = time.perf_counter() - start - drawn[0], time.process_time() - cpu - drawn[1]
    start, cpu = time.perf_counter(), time.process_time()
    path = prediction.sparse_path(data)
    solved, solved_cpu = time.perf_counter() - start, time.process_time() - cpu
    memory = peak()
    return {
        "rows": rows,
        "import": imported,
        "drawn": drawn[0],
        "read": read,
        "paths": solved,
        "read_cpu": read_cpu,
        "paths_cpu": solved_cpu,
        "extremes": ends.seconds,
        "histograms": counts.seconds,
        "extremes_cpu": ends.cpu,
        "histograms_cpu": counts.cpu,
        "peak_mib": memory,
        "kkt": max(
            homotopy.violation(
                homotopy.Path(knots.numpy(), support.numpy(), table.numpy(), 0.0),
                data.gram,
                data.cross[:, k],
                data.usable,
                l2=0.0,
            )
            for k, (knots, support, table) in enumerate(zip(path.knots, path.support, path.coefficients, strict=True))
        ),
        "classes": sum(len(knots) > 0 for knots in path.knots),
        "knots": sum(len(knots) for knots in path.knots),
    }


def peak() -> float | None:
    """The most memory that this process ever held, MiB; None where the kernel does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    found = [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
    return found[0] if found else None


def main() -> int:
    """Print the figures."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.sparse_at_scale", description=__doc__)
    made.add_argument("share", type=float, help="of 443,000 datapoints")
    made.add_argument("classes", type=int)
    made.add_argument("--everything", action="store_true", help="extremes and histograms in the same pass")
    made.add_argument("--precision", default="float64", help="of products of features within a chunk")
    options = made.parse_args()
    import warnings

    # At a sixteenth some classes never occur; the number of those that do is among the figures.
    warnings.simplefilter("ignore", RuntimeWarning)
    found = figures(options.share, options.classes, everything=options.everything, precision=options.precision)
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

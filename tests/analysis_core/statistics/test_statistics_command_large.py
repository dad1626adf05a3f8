"""A million answers: read as a stream, in bounded memory, with the right numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
RATERS, UNITS, PER_UNIT = 1_000, 100_000, 10
MEGABYTES = 500
SCRIPT = """
import sys
from analysis_core.statistics.__main__ import main
status = main(sys.argv[1:])
# Not ru_maxrss: after fork and exec that is at least what the process of the tests had.
(peak,) = (line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:"))
sys.stderr.write(str(int(peak) // 1024))
sys.exit(status)
"""


@pytest.mark.slow
def test_a_million_answers_of_a_thousand_raters_fit_into_half_a_gigabyte(tmp_path: Path):
    """A dense table would have 10^8 cells: 800 MB for one copy."""
    if not Path("/proc/self/status").exists():
        pytest.skip("peak memory is read from /proc, which this system does not have")
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, UNITS)
    # Ten consecutive raters from a random one on: each answers a unit at most once.
    rater = (rng.integers(0, RATERS, UNITS)[:, None] + np.arange(PER_UNIT)) % RATERS
    knows = rng.random((UNITS, PER_UNIT)) < 0.6
    answer = np.where(knows, truth[:, None], rng.integers(0, 4, (UNITS, PER_UNIT)))
    path = tmp_path / "million.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("item,rater,answer,truth\n")
        for unit in range(UNITS):
            right = "ABCD"[truth[unit]]
            file.writelines(
                f"u{unit},r{r},{'ABCD'[a]},{right}\n" for r, a in zip(rater[unit], answer[unit], strict=True)
            )
    columns = ["--unit", "item", "--rater", "rater", "--value", "answer", "--truth", "truth", "--values", "A,B,C,D"]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path), *columns, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stderr) < MEGABYTES
    [group] = json.loads(done.stdout)["groups"]
    assert (group["raters"], group["units"]) == (RATERS, UNITS)
    # Two raters both know with probability .36 and then agree; otherwise they agree by chance, 1/4: alpha is .36.
    # Standard errors: about .001 for each coefficient, .0005 for accuracy = .6 + .4 / 4 = .7.
    for coefficient in ("alpha", "fleiss", "ac1"):
        assert group[coefficient]["value"] == pytest.approx(0.36, abs=0.005)
    assert group["percent"]["value"] == pytest.approx(0.36 + 0.64 / 4, abs=0.005)
    assert group["accuracy"]["mean"] == pytest.approx(0.7, abs=0.003)
    low, high = group["alpha"]["interval"]
    assert low < group["alpha"]["value"] < high < low + 0.02
    assert group["accuracy"]["interval"] is None
    assert group["notes"] == ["no interval for accuracy: 1,000 raters x 100,000 units are too many for its table"]

"""Importing the library, its statistics, registries and the feature store loads no torch."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import analysis_core; dir(analysis_core)", ("torch", "numpy", "django")),
        ("import analysis_core.statistics", ("torch", "django")),
        ("from analysis_core import datasets, models; datasets.names(); models.names()", ("torch", "django")),
        ("from analysis_core import stages, Logit, Atoms, errors; dir(stages)", ("torch", "numpy")),
        ("import analysis_core.store", ("torch", "django")),
        ("import analysis_core.pipeline", ("django", "celery", "studies")),
    ],
)
def test_importing_loads_only_what_it_needs(statement, absent):
    program = f"{statement}\nimport sys\nprint([m for m in {absent!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_had():
    import analysis_core

    for name in analysis_core.__all__:
        if name not in ("evaluation", "visualizations"):
            assert getattr(analysis_core, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        analysis_core.nothing  # noqa: B018

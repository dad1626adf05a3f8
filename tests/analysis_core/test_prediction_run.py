"""The prediction run: every sample once, in order, the same bytes whether or not it was killed in between."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from analysis_core import prediction_run
from analysis_core.errors import BadData, BadInput, UnknownName
from analysis_core.store import FeatureStore
from tests.analysis_core import toys

ROOT = Path(__file__).resolve().parents[2]
KEY = {"data": "toy"}


class Dataset:
    """Bilinear samples; number `broken` cannot be read."""

    labels, label_types = ("no", "yes"), {}

    def __init__(self, n=10, broken=None):
        self.n, self.broken = n, broken

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if i == self.broken:
            raise OSError("disk")
        x = {"a": toys.random(1, 3, 2, seed=i), "b": toys.random(1, 4, 5, seed=100 + i)}
        return {"id": f"s{i}", "label": i % 2, "answer_type": "boolean", "text": "not kept", **x}


def model():
    return toys.bilinear(toys.random(6, 20))


def test_every_sample_is_predicted_in_order_with_its_facts(tmp_path):
    seen = []
    store = prediction_run.run(model(), Dataset(), tmp_path, key=KEY, batch=4, progress=lambda *a: seen.append(a))
    assert store.complete
    assert seen == [(0, 10), (4, 10), (8, 10), (10, 10)]
    a, b = Dataset()[7]["a"].flatten(), Dataset()[7]["b"].flatten()
    expected = float(a @ toys.random(6, 20) @ b)
    assert float(store.logits[7, 0]) == pytest.approx(expected, rel=1e-6)
    point = list(store.points())[7]
    assert point == {"id": "s7", "label": 1, "answer_type": "boolean", "predicted": 0 if expected >= 0 else 1}


def test_a_run_that_failed_goes_on_and_gives_the_same_bytes(tmp_path):
    with pytest.raises(OSError, match="disk"):
        prediction_run.run(model(), Dataset(broken=9), tmp_path / "a", key=KEY, batch=4)
    resumed = model()
    prediction_run.run(resumed, Dataset(), tmp_path / "a", key=KEY, batch=4)
    assert resumed.rows == 2
    prediction_run.run(model(), Dataset(), tmp_path / "b", key=KEY, batch=4)
    for name in ("features.npy", "logits.npy", "points.jsonl", "meta.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_complete_store_is_not_computed_again(tmp_path):
    prediction_run.run(model(), Dataset(), tmp_path, key=KEY)
    again = model()
    assert prediction_run.run(again, Dataset(), tmp_path, key=KEY).complete
    assert again.rows == 0


def test_a_killed_process_leaves_a_store_that_is_continued(tmp_path):
    program = (
        "import os, signal\n"
        "from analysis_core import prediction_run\n"
        "from tests.analysis_core.test_prediction_run import Dataset, KEY, model\n"
        "def progress(done, total):\n"
        "    if done >= 8: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"prediction_run.run(model(), Dataset(), {str(tmp_path / 'a')!r}, key=KEY, batch=4, progress=progress)\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(FeatureStore.open(tmp_path / "a")) == 8
    store = prediction_run.run(model(), Dataset(), tmp_path / "a", key=KEY, batch=4)
    assert store.complete
    whole = prediction_run.run(model(), Dataset(), tmp_path / "b", key=KEY, batch=4)
    np.testing.assert_array_equal(store.features, whole.features)


def test_named_layers_are_stored_beside_the_features(tmp_path):
    store = prediction_run.run(model(), Dataset(), tmp_path / "a", key=KEY, layers=["doubled"], batch=4)
    expected = prediction_run.predict(model(), [Dataset()[7]], layers=["doubled"]).layers["doubled"].flatten(1)
    np.testing.assert_array_equal(store.layer("doubled")[7], expected[0].float())
    assert store.layers == ("penultimate", "doubled")
    plain = prediction_run.run(model(), Dataset(), tmp_path / "b", key=KEY, batch=4)
    np.testing.assert_array_equal(store.features, plain.features)
    with pytest.raises(UnknownName, match="doubled"):
        prediction_run.run(model(), Dataset(), tmp_path / "c", key=KEY, layers=["double"])
    with pytest.raises(BadData, match="no further layers"):
        prediction_run.run(model(), Dataset(), tmp_path / "b", key=KEY, layers=["doubled"])


def test_running_out_of_memory_halves_the_batch(tmp_path):
    greedy, plain = model(), model()

    def function(a, b):
        if len(a) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return plain.function(a, b)

    greedy.function = function
    store = prediction_run.run(greedy, Dataset(), tmp_path, key=KEY, batch=8)
    assert store.complete


def test_samples_of_different_shapes_are_refused_with_the_reason():
    samples = [toys.sample(n=3), toys.sample(n=2)]
    encoded = [toys.additive().encode(s) for s in samples]
    with pytest.raises(BadInput, match="pad"):
        prediction_run.collate(encoded)

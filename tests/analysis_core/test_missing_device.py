"""A device that is not there is told before anything is loaded, with what to take instead."""

import pytest
import torch

from analysis_core import models
from analysis_core.devices import require_device
from analysis_core.errors import AnalysisError, BadInput, MissingDevice


@pytest.fixture
def no_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_cuda_that_is_missing_says_what_to_take(no_cuda):
    with pytest.raises(MissingDevice, match=r"^device 'cuda' is not available, .*: take device='cpu'$") as caught:
        require_device("cuda")
    assert isinstance(caught.value, AnalysisError)


def test_a_gpu_beyond_the_last_one_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert str(require_device("cuda:1")) == "cuda:1"
    with pytest.raises(MissingDevice, match="'cuda:7' does not exist: this machine has cuda:0 to cuda:1"):
        require_device("cuda:7")


def test_what_is_no_device_is_refused_and_the_processor_is_always_there():
    assert require_device("cpu") == require_device(torch.device("cpu")) == torch.device("cpu")
    for name in ("gpu", "", None):
        with pytest.raises(BadInput, match="is no device: give 'cpu'"):
            require_device(name)
    with pytest.raises(BadInput, match="tensors on device 'meta' have no values"):
        require_device("meta")


def test_a_checkpoint_is_not_read_for_a_device_that_is_not_there(no_cuda, tmp_path):
    described = models.Checkpoint(tmp_path, "any", (), {}, {}, "")
    with pytest.raises(MissingDevice, match="take device='cpu'"):
        described.tensors("cuda")


def test_loading_a_model_for_a_missing_device_is_told_in_the_same_words(no_cuda, monkeypatch, tmp_path):
    monkeypatch.setattr(models, "describe", lambda name, checkpoint: None)
    with pytest.raises(MissingDevice, match="take device='cpu'"):
        models.load("cnn_lstm_sa", checkpoint=tmp_path, device="cuda")

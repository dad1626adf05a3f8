"""The command line of models trained on generated scenes: what is given reaches the plan, the rest stays."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from analysis_core.training import cnn_lstm_sa, lxmert

MODELS = pytest.mark.parametrize(
    ("module", "name"), [(cnn_lstm_sa, "cnn_lstm_sa"), (lxmert, "lxmert")], ids=["cnn_lstm_sa", "lxmert"]
)


def called(module, monkeypatch, *arguments):
    """What `train` gets, and the exit code."""
    got = []
    monkeypatch.setattr(
        module, "train", lambda *values: got.append((*values, torch.get_num_threads())) or {"held_out": {"overall": 3}}
    )
    monkeypatch.setattr(sys, "argv", ["program", *arguments])
    threads = torch.get_num_threads()
    try:
        with pytest.raises(SystemExit) as ended:
            module.main()
    finally:
        torch.set_num_threads(threads)
    return got, ended.value.code


@MODELS
def test_defaults_are_the_plans(module, name, monkeypatch, capsys):
    got, code = called(module, monkeypatch, "--out", "here")
    assert got == [(module.Plan(), Path("here"), Path("var/training") / name, 1)]
    assert code == 0
    assert json.loads(capsys.readouterr().err) == 3


@MODELS
def test_what_is_given_reaches_the_run(module, name, monkeypatch):
    arguments = "--out a --seed 5 --pictures 6 --scenes 7 --steps 8 --work b --threads 2"
    got, _ = called(module, monkeypatch, *arguments.split())
    assert got == [(replace(module.Plan(), seed=5, pictures=6, scenes=7, steps=8), Path("a"), Path("b"), 2)]


@MODELS
def test_help_names_the_module_and_its_two_parts(module, name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["program", "--help"])
    with pytest.raises(SystemExit):
        module.main()
    told = " ".join(capsys.readouterr().out.split())
    assert f"usage: python -m analysis_core.training.{name} " in told
    sees, reasons = {"lxmert": ("crop CNN", "transformer"), "cnn_lstm_sa": ("backbone", "reasoner")}[name]
    assert f"scenes that train the {sees}" in told
    assert f"steps of the {reasons}" in told

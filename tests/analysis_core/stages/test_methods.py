"""Methods of stage U by name: listed without torch, called with their own options, extended by entry points."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from analysis_core import Logit, stages
from analysis_core.errors import UnknownName
from analysis_core.registry import Registry
from analysis_core.stages import methods, unimodal
from tests.analysis_core import toys


def test_every_listed_method_is_there_and_is_the_one_of_unimodal():
    assert set(methods.GRADIENTS) < set(stages.names())
    for name in stages.names():
        assert stages.method(name) is getattr(unimodal, name)


def test_listing_loads_neither_torch_nor_numpy():
    program = "import sys; from analysis_core import stages; stages.names(); print({'torch', 'numpy'} & {*sys.modules})"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_options_of_a_method_are_its_keyword_arguments():
    assert methods.options_of("gradient_x_input") == ("origin",)
    assert methods.options_of("saliency") == ()
    assert "seed" in methods.options_of("lime")


def test_an_unknown_method_or_option_gets_the_nearest_name():
    with pytest.raises(UnknownName, match="did you mean integrated_gradients"):
        stages.method("integrated_gradient")
    with pytest.raises(UnknownName, match="did you mean tolerance"):
        methods.attribute("integrated_gradients", toys.additive(), toys.sample(), [Logit(0)], tolerence=1)


def test_an_installed_package_adds_a_method_and_replaces_none(monkeypatch):
    def entry_points(group):
        assert group == "analysis_core.methods"
        return [EntryPoint("mine", f"{__name__}:mine", group), EntryPoint("lime", f"{__name__}:mine", group)]

    monkeypatch.setattr("analysis_core.registry.entry_points", entry_points)
    monkeypatch.setattr(methods, "_REGISTRY", Registry("method", {"lime": "analysis_core.stages.lime:lime"}))
    assert stages.names() == ("lime", "mine")
    assert methods.attribute("mine", toys.additive(), toys.sample(), [Logit(0)], power=3) == [3]
    assert stages.method("lime") is unimodal.lime


def mine(model, sample, targets, *, power=2):
    """What a package might add."""
    return [power for _ in targets]

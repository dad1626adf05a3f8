"""Registries list names without importing what they stand for, and name the nearest to a misspelt one."""

import pytest

from analysis_core import datasets, models
from analysis_core.errors import BrokenEntry, UnknownName
from analysis_core.registry import Registry


def test_names_are_sorted_and_nothing_is_imported_for_them():
    registry = Registry("thing", {"b": "nowhere.at:all", "a": "json:dumps"})
    assert registry.names() == ("a", "b")
    assert registry.get("a")([1]) == "[1]"


def test_a_misspelt_name_gets_the_nearest_one():
    with pytest.raises(UnknownName, match="did you mean clevr"):
        datasets.load("clever", root=".", split="val")
    with pytest.raises(UnknownName, match="did you mean cnn_lstm_sa"):
        models.load("cnn_lstm", checkpoint=".")
    with pytest.raises(UnknownName, match="known: a"):
        Registry("thing", {"a": "json:dumps"}).get("zzzzzz")


def test_installed_packages_add_by_entry_point(monkeypatch):
    from importlib.metadata import EntryPoint

    def entry_points(group):
        assert group == "analysis_core.things"
        return [EntryPoint("mine", "json:loads", group), EntryPoint("a", "json:loads", group)]

    monkeypatch.setattr("analysis_core.registry.entry_points", entry_points)
    registry = Registry("thing", {"a": "json:dumps"})
    assert registry.get("mine")("[1]") == [1]
    # What is built in is not replaced from outside.
    assert registry.get("a")([1]) == "[1]"


@pytest.mark.parametrize("path", ["nowhere.at:all", "json:missing", "json"])
def test_an_entry_that_points_to_nothing_is_told_with_where_it_points(path):
    with pytest.raises(BrokenEntry, match=f"thing 'b' points to '{path}', which cannot be imported"):
        Registry("thing", {"b": path}).get("b")

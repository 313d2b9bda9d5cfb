"""Relative places and the user's code: from where one is, then beside the recipe, and the same for good."""

from __future__ import annotations

import sys

import pytest

from trainwright import recipe
from trainwright.errors import DataError, ErrorList, RecipeError
from trainwright.recipe.locating import located
from trainwright.recipe.salt import identity

TABLE = """
name: rows
data:
  source: {name: table, path: PATH}
  inputs: {x: {type: number}}
  targets: {y: {type: category}}
model: MODEL
train: {epochs: 1}
"""
NETS = """
from torch import nn

class Good(nn.Module):
    def __init__(self, *, width: int = 4):
        super().__init__()
"""


@pytest.fixture
def places(tmp_path, monkeypatch):
    """`work/` to start from and `sub/` with a recipe, a table in both."""
    for name in ("work", "sub"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def write(path, *, data="t.csv", model="mlp"):
    path.write_text(TABLE.replace("PATH", data).replace("MODEL", model))
    return path


def source_path(loaded):
    return loaded.recipe.data.source["path"]


def test_here_comes_before_beside_the_recipe(places):
    file = write(places / "sub" / "r.yaml")
    (places / "sub" / "t.csv").touch()
    assert source_path(recipe.load(file)) == str(places / "sub" / "t.csv")
    (places / "work" / "t.csv").touch()
    assert source_path(recipe.load(file)) == str(places / "work" / "t.csv")
    plain = recipe.load(file).resolved
    assert source_path(recipe.load(plain)) == str(places / "work" / "t.csv")


def test_the_resolved_recipe_can_be_used_from_anywhere(places, monkeypatch):
    (places / "work" / "t.csv").touch()
    loaded = recipe.load(write(places / "sub" / "r.yaml"))
    (places / "resolved.yaml").write_text(loaded.dump_resolved())
    monkeypatch.chdir("/")
    again = recipe.load(places / "resolved.yaml")
    assert again.resolved == loaded.resolved and not again.missing


def test_the_place_is_no_part_of_the_salt(places):
    (places / "work" / "t.csv").touch()
    (places / "sub" / "t.csv").touch()
    here = recipe.load(write(places / "sub" / "r.yaml"))
    there = recipe.load(write(places / "sub" / "r.yaml", data=str(places / "sub" / "t.csv")))
    assert source_path(here) != source_path(there)
    assert identity(here, "data").salt == identity(there, "data").salt


def test_both_places_are_named_where_nothing_is_found(places):
    loaded = recipe.load(write(places / "sub" / "r.yaml"))
    assert source_path(loaded) == "t.csv"
    expected = f"looked for {places / 'work' / 't.csv'} and for {places / 'sub' / 't.csv'}"
    assert loaded.missing == {"data.source.path": expected}
    with pytest.raises(DataError) as error, located(loaded):
        raise DataError("t.csv does not exist", where="data.source.path")
    assert error.value.why == expected and "r.yaml:4" in error.value.where


def test_code_beside_the_recipe_is_found_and_remembered(places, monkeypatch):
    (places / "sub" / "nets_beside.py").write_text(NETS)
    (places / "work" / "t.csv").touch()
    loaded = recipe.load(write(places / "sub" / "r.yaml", model="'nets_beside:Good'"))
    assert loaded.recipe.code == [str(places / "sub")]
    digests = identity(loaded).parts["content"]["code"]
    assert len(digests["nets_beside"]) == 64 and "code" not in identity(loaded).parts["recipe"]
    (places / "resolved.yaml").write_text(loaded.dump_resolved())
    # As in another process, started elsewhere, where another module has the same name.
    (places / "work" / "nets_beside.py").write_text("Good = None\n")
    monkeypatch.delitem(sys.modules, "nets_beside")
    sys.path[:] = [place for place in sys.path if place != str(places / "sub")]
    again = recipe.load(places / "resolved.yaml")
    assert sys.modules["nets_beside"].__file__ == str(places / "sub" / "nets_beside.py")
    assert identity(again).salt == identity(loaded).salt
    monkeypatch.delitem(sys.modules, "nets_beside")


def test_code_that_is_nowhere_names_the_places(places):
    with pytest.raises((RecipeError, ErrorList)) as error:
        recipe.load(write(places / "sub" / "r.yaml", model="'nets_nowhere:Good'"))
    assert f"searched in {places / 'work'}, {places / 'sub'} and in the installed" in str(error.value)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_initial_weights_are_those_of_a_run_by_its_id(places, monkeypatch, elsewhere):
    runs = places / ("shared" if elsewhere else "work/runs")
    monkeypatch.delenv("TRAINWRIGHT_RUNS", raising=False)
    if elsewhere:
        monkeypatch.setenv("TRAINWRIGHT_RUNS", str(runs))
    run = runs / "rows-0123456789"
    (run / "weights").mkdir(parents=True)
    (run / "weights" / "best.safetensors").write_bytes(b"weights")
    file = write(places / "work" / "r.yaml")

    by_id = recipe.load(file, {"init.path": "rows-0123456789"})
    assert by_id.recipe.init.path == str(run) and "init.path" not in by_id.missing
    by_path = recipe.load(file, {"init.path": str(run)})
    assert identity(by_id, data="").salt == identity(by_path, data="").salt
    # What lies here comes first, and no path out of the runs is an id.
    (places / "work" / "rows-0123456789").mkdir()
    assert recipe.load(file, {"init.path": "rows-0123456789"}).recipe.init.path == str(
        places / "work" / "rows-0123456789"
    )
    for text in ("rows-9999999999", "x/../rows-0123456789"):
        assert "init.path" in recipe.load(file, {"init.path": text}).missing

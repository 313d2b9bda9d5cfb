import pytest

from trainwright.errors import RecipeError
from trainwright.recipe import copy_recipe, find, shipped, shipped_names


def test_each_has_a_launch_line_and_a_description():
    for recipe in shipped():
        assert recipe.launch.endswith((f"trainwright train {recipe.name}", f"trainwright tune {recipe.name}"))
        assert recipe.description


def test_names():
    assert "digits" in shipped_names()
    assert find("digits").name == "digits.yaml"


def test_unknown_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match="did you mean `digits`"):
        find("digit")
    (tmp_path / "mine.yaml").touch()
    with pytest.raises(RecipeError, match=r"did you mean the file mine\.yaml"):
        find("mine")


def test_directory(tmp_path):
    with pytest.raises(RecipeError, match="this is a directory"):
        find(tmp_path)


def test_copy(tmp_path):
    target = copy_recipe("digits", tmp_path / "own.yaml")
    assert target.read_text() == find("digits").read_text()
    assert copy_recipe("digits", tmp_path) == tmp_path / "digits.yaml"
    with pytest.raises(RecipeError, match="is not overwritten"):
        copy_recipe("digits", target)
    with pytest.raises(RecipeError, match="cannot be written"):
        copy_recipe("digits", tmp_path / "no" / "own.yaml")

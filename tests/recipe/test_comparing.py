import pytest

from trainwright.errors import RecipeError
from trainwright.recipe import diff, diff_with_base, load

pytestmark = pytest.mark.usefixtures("samples")

BASE = """\
name: base
data:
  source: digits
  inputs: {image: {type: image, size: [8, 8]}}
  targets: {label: category}
model: cnn
train: {optimizer: {name: sgd, lr: 0.5}}
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "child.yaml").write_text("extends: base.yaml\nname: child\nmodel: {widths: [4]}\n")


def test_same_recipe_has_no_differences(files):
    assert diff(load("base.yaml"), load("base.yaml")) == []


def test_changed_added_and_removed(files):
    words = ["train.optimizer=adamw", "data.targets.other=number", "data.inputs.image.size=[9, 9]"]
    found = {item.path: item for item in diff(load("base.yaml"), load("base.yaml", words))}
    lr = found["train.optimizer.lr"]
    assert (lr.kind, lr.left, lr.right) == ("changed", 0.5, 0.001)
    assert str(lr.left_origin) == "base.yaml:7"
    assert str(lr.right_origin) == "default"
    assert found["train.optimizer.betas"].kind == "added"
    assert found["train.optimizer.momentum"].kind == "removed"
    assert found["data.targets.other.type"].right == "number"
    size = found["data.inputs.image.size"]
    assert (size.left, size.right) == ([8, 8], [9, 9])
    assert str(size) == "~ data.inputs.image.size: [8, 8] (base.yaml:4) -> [9, 9] (override)"


def test_with_its_base(files):
    assert [str(item) for item in diff_with_base("child.yaml")] == [
        "~ name: base (base.yaml:1) -> child (child.yaml:2)",
        "~ model.widths: [16, 32] (default) -> [4] (child.yaml:3)",
    ]


def test_base_in_another_folder(files, tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "deep.yaml").write_text("extends: ../base.yaml\nname: deep\n")
    assert [item.path for item in diff_with_base("sub/deep.yaml")] == ["name"]


def test_recipe_without_base(files):
    with pytest.raises(RecipeError, match="extends no other"):
        diff_with_base("base.yaml")

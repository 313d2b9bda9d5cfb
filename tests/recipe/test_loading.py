# ruff: noqa: E501
from pathlib import Path

import pytest

from trainwright.errors import ErrorList, RecipeError
from trainwright.recipe import load

pytestmark = pytest.mark.usefixtures("samples")

RECIPE = """\
# trainwright train small.yaml
name: small
data:
  source: digits
  inputs:
    image: {type: image, size: [8, 8]}
  targets:
    label: category
  augment: [flip, {name: random_crop, padding: 2}]
model: cnn
train:
  epochs: 3
  optimizer: {name: sgd, lr: 1e-1, momentum: 0.9}
aliases: {train-steps: train.steps}
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "small.yaml") -> str:
        (tmp_path / name).write_text(text)
        return name

    return write


def said(caught: pytest.ExceptionInfo) -> list[str]:
    error = caught.value
    return [str(item) for item in (error.errors if isinstance(error, ErrorList) else [error])]


def test_components_are_filled_in(write):
    recipe = load(write(RECIPE)).recipe
    assert recipe.train.optimizer == {
        "name": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0,
    }  # fmt: skip
    assert recipe.model["widths"] == [16, 32]
    assert recipe.data.augment[0] == {"name": "flip", "probability": 0.5, "direction": "left"}
    assert recipe.train.schedule["name"] == "constant"
    assert recipe.data.sampler == {"name": "shuffle"}
    assert recipe.task["aggregator"] == {"name": "sum", "scale": 1.0}


def test_columns_hold_their_processors(write):
    recipe = load(write(RECIPE)).recipe
    image, label = recipe.data.inputs["image"], recipe.data.targets["label"]
    assert image.processor == {"name": "image", "size": [8, 8], "mode": "a", "pad": -1, "mean": [8, 8]}
    assert label.processor == {"name": "category", "classes": None}
    assert label.weight == 1.0


def test_origins(write):
    origins = load(write(RECIPE), ["train.epochs=5"]).origins
    assert str(origins["train.optimizer.lr"]) == "small.yaml:13"
    assert str(origins["train.optimizer.nesterov"]) == "default"
    assert str(origins["train.epochs"]) == "override"
    assert str(origins["model.name"]) == "small.yaml:10"
    assert str(origins["data.targets.label.type"]) == "small.yaml:8"
    assert str(origins["data.augment.0.name"]) == "small.yaml:9"
    assert str(origins["data.augment.0.probability"]) == "default"


def test_every_value_has_an_origin(write):
    from trainwright.recipe.nodes import join_path, leaves

    loaded = load(write(RECIPE))
    assert all(join_path(path) in loaded.origins for path, _ in leaves(loaded.resolved))


def test_text_is_kept_as_given(write):
    loaded = load(write(RECIPE), {"train.seed": 1})
    assert loaded.as_given == RECIPE
    assert loaded.overrides == {"train.seed": 1}


def test_resolved_copy_loads_to_the_same_recipe(write):
    loaded = load(
        write(RECIPE), {"train.ema.decay": 0.9, "description": 'with "$${quotes}" # and\nlines: on'}
    )
    again = load(write(loaded.dump_resolved(), "resolved.yaml"))
    assert again.recipe == loaded.recipe
    assert again.resolved == loaded.resolved
    assert load(write(again.dump_resolved(), "third.yaml")).resolved == loaded.resolved


def test_resolved_copy_names_origins(write):
    text = load(write(RECIPE), ["train.seed=4"]).dump_resolved()
    assert "    lr: 0.1  # small.yaml:13\n" in text
    assert "  seed: 4  # override\n" in text
    assert "      size: [8, 8]  # small.yaml:6\n" in text


def test_recipe_from_python(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA", "/data")
    loaded = load(
        {
            "name": "x",
            "data": {
                "source": {"name": "folder", "root": "${DATA}/a"},
                "inputs": {"image": {"type": "image", "size": (8, 8)}},
                "targets": {"label": "category"},
            },
            "model": "cnn",
        }
    )
    assert loaded.recipe.data.source["root"] == "/data/a"
    assert loaded.source == "given"
    (tmp_path / "again.yaml").write_text(loaded.as_given)
    assert load(tmp_path / "again.yaml").recipe == loaded.recipe


def test_recipe_from_python_names_key_paths():
    with pytest.raises(ErrorList) as caught:
        load({"name": "x", "data": {"source": "digits", "inputs": {"image": "image"}}, "modle": "cnn"})
    assert any(text.startswith("modle: unknown key") for text in said(caught))


def test_all_problems_at_once_each_with_line_and_path(write):
    text = (
        RECIPE.replace("epochs: 3", "epochs: -3")
        .replace("lr: 1e-1", "lr: fast")
        .replace("model: cnn", "model: cn")
    )
    text = text.replace("size: [8, 8]", "siez: [8, 8]").replace("padding: 2", "padding: two")
    with pytest.raises(ErrorList) as caught:
        load(write(text))
    assert said(caught) == [
        "small.yaml:6: data.inputs.image.siez: unknown parameter of processor `image`: `siez`\n"
        "  fix: did you mean `size`?",
        "small.yaml:6: data.inputs.image.size: processor `image` needs `size`\n"
        "  fix: give a whole number >= 1 or a list of whole numbers >= 1",
        "small.yaml:9: data.augment.1.padding: expected a whole number >= 0, got the text `two`\n"
        "  fix: give a whole number >= 0",
        "small.yaml:10: model.name: there is no model `cn`\n"
        "  fix: did you mean `cnn`? known: cnn, any of timm's "
        f"{len(timm())} models, or your own `module:attribute`",
        "small.yaml:12: train.epochs: expected a number >= 0 or null, got -3\n  fix: give a number >= 0 or null",
        "small.yaml:13: train.optimizer.lr: expected a number > 0, got the text `fast`\n"
        "  fix: give a number > 0",
    ]
    assert caught.value.exit_code == 2


def timm() -> dict[str, tuple[str, ...]]:
    from trainwright.registry import timm_names

    return timm_names()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("train:", "trian:", "small.yaml:11: trian: unknown key `trian`\n  fix: did you mean `train`?"),
        ("  epochs: 3", "  lr: 3", "small.yaml:12: train.lr: unknown key `lr`\n  fix: did you mean `train.optimizer.lr`?"),
        ("name: small", "name: 'a b'", "small.yaml:2: name: expected text that matches ^[A-Za-z0-9][A-Za-z0-9_.-]*$, got the text `a b`\n  fix: give text that matches ^[A-Za-z0-9][A-Za-z0-9_.-]*$"),
        ("train-steps: train.steps", "x: train.stepz", "small.yaml:14: aliases.x: there is no key `train.stepz`\n  fix: did you mean `train.steps`?"),
        ("  source: digits\n", "", "small.yaml:3: data.source: `source` is missing\n  fix: give a source (a name, or a mapping with `name` and its parameters)"),
        ("label: category", "label: {type: category, los: focal}", "small.yaml:8: data.targets.label.los: unknown parameter of processor `category`: `los`\n  fix: did you mean `loss`?"),
        ("momentum: 0.9", "nesterov: true", "small.yaml:13: train.optimizer.nesterov: `nesterov: true` has no effect when momentum == 0\n  why: momentum is 0.0\n  fix: remove `nesterov`, or change the other"),
    ],
)  # fmt: skip
def test_one_problem(write, old: str, new: str, expected: str):
    with pytest.raises(RecipeError) as caught:
        load(write(RECIPE.replace(old, new)))
    assert str(caught.value) == expected


def test_values_of_wholly_wrong_types(write):
    text = "name: [x]\ndata: {source: 3, inputs: {}, targets: {a: {type: 5}, b: 3}, augment: flip, split: {val: 2}}\n"
    text += "model: {width: 3}\ntrain: {optimizer: [sgd], freeze: a, ema: true, checkpoint: null}\n"
    text += "plugins: 3\naliases: {x: a..b}\n"
    with pytest.raises(ErrorList) as caught:
        load(write(text))
    places = [text.split(": ")[1] for text in said(caught)]
    assert sorted(places) == sorted(
        [
            "name",
            "data.source",
            "data.inputs",
            "data.targets.a.type",
            "data.targets.b",
            "data.augment",
            "data.split.val",
            "model.name",
            "train.optimizer",
            "train.freeze",
            "train.ema",
            "train.checkpoint",
            "plugins",
            "aliases.x",
        ]
    )
    assert all(len(text) < 260 and "pydantic" not in text for text in said(caught))


def test_root_that_is_no_mapping(write):
    with pytest.raises(RecipeError, match="a recipe is a mapping"):
        load(write("- 1\n"))
    with pytest.raises(RecipeError, match="a recipe is a mapping"):
        load(write(""))


def test_text_that_is_not_utf8(tmp_path):
    (tmp_path / "r.yaml").write_bytes(b"name: \xff\xfe\n")
    with pytest.raises(RecipeError, match="not UTF-8"):
        load(tmp_path / "r.yaml")


def test_missing_file_names_the_closest(write):
    write(RECIPE, "mnist.yaml")
    with pytest.raises(RecipeError, match=r"did you mean mnist\.yaml"):
        load("minst.yaml")


def test_user_module_that_fails_is_one_error(write, tmp_path):
    (tmp_path / "own_broken_net.py").write_text("import json\n1 / 0\n")
    with pytest.raises(RecipeError) as caught:
        load(write(RECIPE.replace("model: cnn", "model: own_broken_net:Net")))
    assert caught.value.where == "small.yaml:10"
    assert "ZeroDivisionError" in caught.value.what
    assert caught.value.why.endswith("own_broken_net.py:2")


def test_plugins_are_imported(write, tmp_path, user_module):
    user_module("own_plugin_a", "from pathlib import Path\nPath('imported').touch()\n")
    load(write(RECIPE + "plugins: [own_plugin_a]\n"))
    assert (tmp_path / "imported").exists()
    with pytest.raises(RecipeError, match=r"small\.yaml:15: plugins\.0: there is no module `own_plugin_b`"):
        load(write(RECIPE + "plugins: [own_plugin_b]\n"))


def test_unannotated_user_parameter_is_a_notice(write, user_module):
    user_module("own_net_c", "class Net:\n    def __init__(self, num_classes, *, depth=3): ...\n")
    loaded = load(write(RECIPE.replace("model: cnn", "model: {name: own_net_c:Net, depth: 4}")))
    assert loaded.notices == ["model own_net_c:Net: `depth` has no readable annotation and is not checked"]


def test_extends_a_file_beside_it(write):
    write(RECIPE, "base.yaml")
    child = (
        "extends: base.yaml\nname: child\ntrain:\n  epochs: 9\n  optimizer: {lr: 0.5}\ndata:\n  augment: []\n"
    )
    loaded = load(write(child, "child.yaml"))
    assert loaded.recipe.name == "child"
    assert loaded.recipe.train.epochs == 9
    assert loaded.recipe.train.optimizer["momentum"] == 0.9
    assert loaded.recipe.train.optimizer["lr"] == 0.5
    assert loaded.recipe.data.augment == []
    assert str(loaded.origins["train.optimizer.momentum"]) == "base.yaml:13"
    assert str(loaded.origins["train.optimizer.lr"]) == "child.yaml:5"
    assert loaded.base == "base.yaml"
    assert "extends" not in loaded.resolved
    again = load(write(loaded.dump_resolved(), "resolved.yaml"))
    assert again.recipe == loaded.recipe


def test_another_component_in_the_child_drops_parameters_loudly(write):
    write(RECIPE, "base.yaml")
    child = "extends: base.yaml\ntrain: {optimizer: adamw}\ndata: {augment: [], inputs: {image: number}}\n"
    loaded = load(write(child, "c.yaml"))
    assert loaded.recipe.train.optimizer == {"name": "adamw", "lr": 0.001, "betas": [0.9, 0.999]}
    assert loaded.notices == [
        "train.optimizer: adamw takes the place of sgd, so lr (base.yaml:13), momentum (base.yaml:13) no longer applies",
        "data.inputs.image: number takes the place of image, so size (base.yaml:6) no longer applies",
    ]  # fmt: skip


def test_null_in_the_child(write):
    write(RECIPE + "init: {path: w.safetensors}\n", "base.yaml")
    loaded = load(
        write("extends: base.yaml\ninit: null\ntrain: {epochs: null, batch_size: null}\n", "c.yaml")
    )
    assert loaded.recipe.init is None
    assert loaded.recipe.train.epochs is None
    assert loaded.recipe.train.batch_size == 64


def test_extends_is_one_level_deep(write):
    write(RECIPE, "a.yaml")
    write("extends: a.yaml\n", "b.yaml")
    with pytest.raises(RecipeError, match="itself extends another"):
        load(write("extends: b.yaml\n", "c.yaml"))


def test_extends_what_is_not_there(write):
    with pytest.raises(RecipeError, match="no such recipe file"):
        load(write("extends: nothing.yaml\n"))


def test_problem_in_the_base_names_the_base(write):
    write(RECIPE.replace("epochs: 3", "epochs: -1"), "base.yaml")
    with pytest.raises(RecipeError) as caught:
        load(write("extends: base.yaml\n"))
    assert caught.value.where == "base.yaml:12"

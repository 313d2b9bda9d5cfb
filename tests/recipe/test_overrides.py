import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainwright.errors import ErrorList, RecipeError
from trainwright.recipe import LoadedRecipe, load
from trainwright.recipe.overrides import read_overrides
from trainwright.recipe.writing import flow

pytestmark = pytest.mark.usefixtures("samples")

RECIPE = {
    "name": "small",
    "data": {
        "source": "digits",
        "inputs": {"image": {"type": "image", "size": [8, 8]}},
        "targets": {"label": "category"},
        "augment": ["flip", {"name": "random_crop", "padding": 2}],
    },
    "model": {"name": "cnn", "widths": [4]},
    "train": {
        "optimizer": {"name": "sgd", "lr": 0.5, "momentum": 0.5},
        "ema": {"decay": 0.9},
        "early_stop": None,
    },
    "aliases": {"train-steps": "train.steps", "padding": "data.augment.1.padding"},
}


def changed(*words: str) -> LoadedRecipe:
    return load(RECIPE, list(words))


@pytest.mark.parametrize(
    "words",
    [["train.epochs=3"], ["--train.epochs=3"], ["--train.epochs", "3"], ["train.epochs= 3 "]],
)
def test_spellings_are_the_same(words: list[str]):
    assert load(RECIPE, words).recipe == load(RECIPE, {"train.epochs": 3}).recipe
    assert load(RECIPE, words).recipe.train.epochs == 3


def test_values_are_yaml_1_2():
    train = changed("train.optimizer.lr=1e-3", "train.device=on", "--train.freeze", "[a.*, 'b']").recipe.train
    assert train.optimizer["lr"] == 0.001
    assert train.device == "on"
    assert train.freeze == ["a.*", "b"]


def test_negative_number_is_a_value():
    assert changed("--data.inputs.image.pad", "-3").recipe.data.inputs["image"].processor["pad"] == -3


def test_section_that_the_recipe_does_not_have():
    recipe = changed("train.early_stop.patience=2", "train.clip.norm=1", "data.split.val=0.5").recipe
    assert recipe.train.early_stop is not None and recipe.train.early_stop.patience == 2
    assert recipe.train.clip.norm == 1
    assert recipe.data.split is not None and recipe.data.split.val == 0.5


def test_parameter_of_a_bare_name():
    recipe = changed("data.targets.label.classes=[a, b]", "data.augment.0.probability=0.1").recipe
    assert recipe.data.targets["label"].processor["classes"] == ["a", "b"]
    assert recipe.data.augment[0] == {"name": "flip", "probability": 0.1, "direction": "left"}


def test_parameter_of_a_default_component():
    assert changed("train.schedule.warmup_steps=5").recipe.train.schedule == {
        "name": "constant",
        "warmup_steps": 5,
    }
    assert changed("task.aggregator.scale=2").recipe.task["aggregator"] == {"name": "sum", "scale": 2.0}


def test_list_items():
    recipe = changed("data.augment.1.padding=3", "data.augment.2={name: flip}", "model.widths.0=9").recipe
    assert recipe.data.augment[1]["padding"] == 3
    assert len(recipe.data.augment) == 3
    assert recipe.model["widths"] == [9]


def test_item_beyond_the_end():
    with pytest.raises(RecipeError, match="has 2 items"):
        changed("data.augment.5=flip")


def test_list_that_the_recipe_does_not_have():
    recipe = changed("data.targets.label.metrics.0=accuracy").recipe
    assert recipe.data.targets["label"].metrics == [{"name": "accuracy"}]


def test_null_unsets():
    recipe = changed(
        "train.ema=null", "train.checkpoint.every_minutes=null", "train.optimizer.lr=null"
    ).recipe
    assert recipe.train.ema is None
    assert recipe.train.checkpoint.every_minutes is None
    assert recipe.train.optimizer["lr"] == 0.01


def test_null_removes_items_and_entries():
    recipe = changed("data.augment.0=null", "data.augment.1=null", "data.targets.label=null").recipe
    assert recipe.data.augment == []
    assert recipe.data.targets == {}


def test_aliases():
    recipe = changed("--train-steps", "7", "padding=0").recipe
    assert recipe.train.steps == 7
    assert recipe.data.augment[1]["padding"] == 0


def test_alias_given_by_an_override_is_not_needed_for_key_paths():
    assert changed("aliases.x=train.seed").recipe.aliases["x"] == "train.seed"


@pytest.mark.parametrize("words", [["train.optimizer=adamw"], ["train.optimizer.name=adamw"]])
def test_another_component_drops_parameters_loudly(words: list[str]):
    loaded = changed(*words)
    assert loaded.recipe.train.optimizer == {"name": "adamw", "lr": 0.001, "betas": [0.9, 0.999]}
    assert loaded.notices == [
        "train.optimizer: adamw takes the place of sgd, so lr (given), momentum (given) no longer applies"
    ]


def test_the_same_component_keeps_its_parameters():
    loaded = changed("train.optimizer=sgd")
    assert loaded.recipe.train.optimizer["lr"] == 0.5
    assert loaded.notices == []


@pytest.mark.parametrize("order", [1, -1])
def test_parameters_of_the_new_component_may_come_first(order: int):
    words = ["train.optimizer.betas=[0.5, 0.6]", "train.optimizer=adamw"][::order]
    assert changed(*words).recipe.train.optimizer["betas"] == [0.5, 0.6]


def test_whole_mapping_replaces():
    loaded = changed("train.optimizer={name: adamw, lr: 0.25}")
    assert loaded.recipe.train.optimizer["lr"] == 0.25
    assert loaded.notices == [
        "train.optimizer: adamw takes the place of sgd, so momentum (given) no longer applies"
    ]


def test_another_column_type_drops_the_processor_s_parameters_only():
    loaded = load({**RECIPE, "data": {**RECIPE["data"], "augment": []}}, ["data.inputs.image.type=number"])
    assert loaded.recipe.data.inputs["image"].processor == {"name": "number"}
    assert loaded.notices == [
        "data.inputs.image: number takes the place of image, so size (given) no longer applies"
    ]


@pytest.mark.parametrize(
    ("word", "guess"),
    [
        ("train.optimzer.lr=1", "train.optimizer.lr"),
        ("train.epoch=1", "train.epochs"),
        ("epochs=1", "train.epochs"),
        ("lr=1", "train.optimizer.lr"),
        ("batch_size=1", "train.batch_size"),
        ("train.lr=1", "train.optimizer.lr"),
        ("train.optimizer.nestrov=true", "train.optimizer.nesterov"),
        ("data.inputs.image.siez=1", "data.inputs.image.size"),
        ("data.augment.1.paddin=1", "data.augment.1.padding"),
    ],
)
def test_unknown_key_path_names_the_closest(word: str, guess: str):
    with pytest.raises(RecipeError) as caught:
        changed(word)
    assert caught.value.where == f"override {word.partition('=')[0]}"
    assert caught.value.fix == f"did you mean `{guess}`?"


def test_all_wrong_overrides_at_once():
    with pytest.raises(ErrorList) as caught:
        changed("a=1", "b.c=2", "train.seed=3")
    assert len(caught.value.errors) == 2


def test_wrong_value_names_the_override():
    with pytest.raises(RecipeError) as caught:
        changed("train.batch_size=0")
    assert str(caught.value).splitlines() == [
        "override train.batch_size: expected a whole number >= 1, got 0",
        "  fix: give a whole number >= 1",
    ]


def test_way_through_a_value():
    with pytest.raises(RecipeError, match="there is no key `name"):
        changed("name.x=1")


@pytest.mark.parametrize("words", [["train.epochs"], ["--train.epochs"], ["--a", "--b", "1"], ["=3"]])
def test_what_is_no_override(words: list[str]):
    with pytest.raises(RecipeError, match=r"has no value|is not an override"):
        read_overrides(words)


def test_value_that_is_no_yaml():
    with pytest.raises(RecipeError) as caught:
        read_overrides(["a.b=[1"])
    assert caught.value.where == "override a.b=[1"


def test_one_string_is_a_mistake_of_the_caller():
    with pytest.raises(TypeError):
        read_overrides("train.epochs=3")


def test_variables_in_overrides(monkeypatch):
    monkeypatch.setenv("WHERE", "/w")
    assert changed("init.path=${WHERE}/x").recipe.init.path == "/w/x"
    assert load(RECIPE, {"init.path": "${WHERE}/x"}).recipe.init.path == "/w/x"


KEYS = {
    "train.epochs": st.floats(min_value=1e-6, max_value=1e6) | st.none(),
    "train.batch_size": st.integers(min_value=1, max_value=10**6),
    "train.device": st.text().filter(lambda text: "${" not in text),
    "train.optimizer.lr": st.floats(min_value=1e-9, max_value=1e9),
    "train.freeze": st.lists(st.text().filter(lambda text: "${" not in text), max_size=3),
    "train.compile": st.booleans() | st.just("auto"),
    "train.ema.decay": st.floats(min_value=0, max_value=0.99),
    "data.augment.1.padding": st.integers(min_value=0, max_value=100),
    "data.targets.label.classes": st.lists(st.text(), max_size=3) | st.none(),
}


@given(st.fixed_dictionaries({}, optional=KEYS))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_spellings_and_the_resolved_copy_agree(tmp_path, values: dict):
    values = {key: value for key, value in values.items() if "${" not in str(value)}
    by_value = load(RECIPE, values)
    words = [f"{key}={flow(value)}" for key, value in values.items()]
    assert load(RECIPE, words).recipe == by_value.recipe
    assert load(RECIPE, words[::-1]).recipe == by_value.recipe
    assert (
        load(RECIPE, [part for word in words for part in f"--{word}".split("=", 1)]).recipe == by_value.recipe
    )
    resolved = tmp_path / "resolved.yaml"
    resolved.write_text(by_value.dump_resolved(), encoding="utf-8")
    again = load(resolved)
    assert again.recipe == by_value.recipe
    assert again.resolved == by_value.resolved


def test_alias_of_a_parameter_outlives_another_choice():
    recipe = {**RECIPE, "aliases": {"momentum": "train.optimizer.momentum"}}
    assert load(recipe, ["train.optimizer=adamw"]).recipe.train.optimizer["name"] == "adamw"
    with pytest.raises(RecipeError, match="there is no key"):
        load({**RECIPE, "aliases": {"x": "train.optimizer.momentu"}})

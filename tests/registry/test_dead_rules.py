"""Every rule that calls a value dead fires on a case of its own, and not where the value counts."""

from __future__ import annotations

from typing import Any

import pytest

from trainwright.errors import ErrorList, RecipeError
from trainwright.recipe import load
from trainwright.recipe.rules import DEAD_WHEN
from trainwright.recipe.shipped import shipped_names
from trainwright.registry import check, describe, kinds, names

Key = tuple[str, str, str]
Given = dict[str, Any]

_DECAY = {"decay_norm_and_bias": (False, {}, {"weight_decay": 0.1})}
_NUMBERS: dict[str, Any] = {
    "activation": ("gelu", {"hidden": []}, {"hidden": [8]}),
    "dropout": (0.5, {"hidden": []}, {"hidden": [8]}),
}
_MLP = {
    **_NUMBERS,
    "batch_norm": (True, {"hidden": []}, {"hidden": [8]}),
    "embedding": (7, {"categories": "one_hot"}, {"categories": "embed"}),
}
_SPECTRUM: dict[str, Any] = {
    name: (value, {"features": "spectrogram"}, {"features": "mel"})
    for name, value in {"mels": 20, "low": 50.0, "high": 4000.0}.items()
}
_PALETTE = {"palette": {"sky": [0, 0, 255], "road": [90, 90, 90]}}
CASES: dict[tuple[str, str], dict[str, tuple[Any, Given, Given]]] = {
    ("optimizer", "sgd"): {
        "nesterov": (True, {}, {"momentum": 0.9}),
        "dampening": (0.1, {}, {"momentum": 0.9}),
        "decay_norm_and_bias": (False, {"weight_decay": 0}, {"weight_decay": 0.1}),
    },
    ("optimizer", "adamw"): {"decay_norm_and_bias": (False, {"weight_decay": 0}, {})},
    ("optimizer", "adam"): _DECAY,
    ("optimizer", "adagrad"): _DECAY,
    ("optimizer", "adadelta"): _DECAY,
    ("optimizer", "adamax"): _DECAY,
    ("optimizer", "rmsprop"): _DECAY,
    ("optimizer", "nadam"): {**_DECAY, "decoupled": (True, {}, {"weight_decay": 0.1})},
    ("schedule", "step"): {
        "at_fractions": ([0.5], {"at_epochs": [3]}, {}),
        "at_epochs": ([3], {"every_epochs": 2}, {}),
    },
    ("schedule", "cosine"): {"cycle_decay": (0.5, {}, {"cycles": 3})},
    ("schedule", "one_cycle"): {
        "base_momentum": (0.8, {}, {"cycle_momentum": True}),
        "max_momentum": (0.99, {}, {"cycle_momentum": True}),
    },
    ("model", "mlp"): _MLP,
    ("encoder", "mlp"): _MLP,
    ("model", "monotone"): {"others": (7, {"hidden": []}, {"hidden": [8]})},
    ("model", "compose"): _NUMBERS,
    ("head", "fcos"): {"alpha": (0.5, {"classification": "quality_focal"}, {"classification": "focal"})},
    ("head", "point_regression"): {
        "beta": (0.5, {"distance": "wing"}, {"distance": "smooth_l1"}),
        "wing_width": (5.0, {"distance": "smooth_l1"}, {"distance": "wing"}),
        "wing_curvature": (1.0, {"distance": "smooth_l1"}, {"distance": "wing"}),
    },
    ("processor", "image"): {
        "fill": (9, {"size": 8}, {"size": 8, "resize": "letterbox"}),
        "resize": ("crop", {}, {"size": 8}),
        "interpolation": ("nearest", {}, {"size": 8}),
        "reduce": (False, {}, {"size": 8}),
        "image": ("photo", {"size": 8}, {}),
        "store": (16, {}, {"size": 8}),
        "evaluation": ("crop", {"size": 8}, {"size": 8, "store": 16}),
        "alpha": ("black", {"mode": "bands"}, {"mode": "rgb"}),
    },
    ("processor", "mask"): {
        "classes": (["a", "b"], _PALETTE, {}),
        "ids": ([1, 2], _PALETTE, {"classes": ["a", "b"]}),
        "void": ([7], _PALETTE, {}),
    },
    ("processor", "audio"): {
        "window": (512, {"features": "waveform"}, {"features": "mel"}),
        "hop": (128, {"features": "waveform"}, {"features": "mel"}),
        **_SPECTRUM,
    },
    ("processor", "series"): {
        "align": ("end", {"adjust": "resample"}, {"adjust": "pad"}),
        "plot_height": (32, {}, {"as_image": "plot"}),
    },
    ("processor", "video"): {
        "stride": (3, {"sampling": "uniform"}, {"sampling": "center"}),
        "fill": (9, {"resize": "crop"}, {"resize": "letterbox"}),
    },
    ("source", "degraded"): {
        "seed": (3, {"root": "x"}, {"root": "x", "noise": 25}),
        "clip": (False, {"root": "x"}, {"root": "x", "noise": 25}),
    },
    ("source", "series"): {
        "label_rule": ("last", {"path": "x"}, {"path": "x", "label": "y", "window": 8}),
        "stride": (4, {"path": "x"}, {"path": "x", "window": 8}),
        "horizon": (2, {"path": "x"}, {"path": "x", "window": 8}),
        "gap": (3, {"path": "x", "window": 8}, {"path": "x", "window": 8, "horizon": 2}),
    },
    ("sampler", "weighted"): {
        "target": ("label", {"column": "w"}, {"classes": {"cat": 2.0}}),
    },
}
"""Component -> parameter -> a value (no default), a setting that makes it dead, one in which it counts."""

RULES: list[Key] = [
    (kind, name, parameter)
    for kind in kinds()
    for name in names(kind)
    for parameter in describe(kind, name).dead_when
]


def problems(key: Key, value: Any, beside: Given) -> list[str]:
    kind, name, parameter = key
    given = {"type" if kind == "processor" else "name": name, **beside, parameter: value}
    checked = check(kind, given, name_key="type" if kind == "processor" else "name")
    assert all(problem.fix for problem in checked.problems)
    return [
        problem.what
        for problem in checked.problems
        if problem.path == (parameter,) and "has no effect" in problem.what
    ]


@pytest.mark.parametrize("key", RULES, ids="-".join)
def test_every_rule_of_a_component_fires_and_only_where_the_value_is_dead(key: Key):
    kind, name, parameter = key
    value, dead, alive = CASES[kind, name][parameter]
    assert value != describe(kind, name).parameter(parameter).default
    assert problems(key, value, dead)
    assert not problems(key, value, alive)


def test_every_case_has_its_rule():
    assert {(*component, parameter) for component, cases in CASES.items() for parameter in cases} == set(
        RULES
    )


_COLUMNS: Given = {"inputs": {"image": "image"}, "targets": {"label": "category"}}
_IGNORED = dict.fromkeys(("diverging", "exploding", "vanishing"), "ignore")
SECTIONS: dict[str, tuple[Given, Given]] = {
    "data.split.seed": ({"data.split.seed": 3}, {"data.split": {"val": 0.2, "seed": 3}}),
    "data.split.stratify": ({"data.split.stratify": False}, {"data.split": {"val": 0.2, "stratify": False}}),
    "data.on_bad.limit": (
        {"data.on_bad": {"policy": "stop", "limit": 0.5}},
        {"data.on_bad": {"policy": "skip", "limit": 0.5}},
    ),
    "data.on_bad.wait": ({"data.on_bad.wait": 3.0}, {"data.on_bad": {"policy": "retry", "wait": 3.0}}),
    "data.targets.*.class_weights": (
        {"data.targets": {"label": {"type": "number", "class_weights": "auto"}}},
        {"data.targets": {"label": {"type": "category", "class_weights": "auto"}}},
    ),
    "model.pretrained": (
        {"model": {"name": "resnet18", "pretrained": True}, "init": {"path": "w"}},
        {"model": {"name": "resnet18", "pretrained": True}, "init": {"path": "w", "exclude": ["fc.*"]}},
    ),
    "train.early_stop.mode": (
        {"train.early_stop": {"mode": "max"}},
        {"train.early_stop": {"mode": "max", "monitor": "val/accuracy"}, "data.split": {"val": 0.2}},
    ),
    "train.health.every": (
        {"train.health": {**_IGNORED, "every": 7}},
        {"train.health.every": 7},
    ),
    "train.health.lr_factor": (
        {"train.health": {**_IGNORED, "lr_factor": 0.1}},
        {"train.health": {"diverging": "roll_back", "lr_factor": 0.1}},
    ),
    "train.health.rollbacks": (
        {"train.health": {**_IGNORED, "rollbacks": 1}},
        {"train.health": {"diverging": "roll_back", "rollbacks": 1}},
    ),
    "train.wait_minutes": (
        {"train.device": "cpu", "train.wait_minutes": 5},
        {"train.device": "cuda", "train.wait_minutes": 5},
    ),
    "train.checkpoint.mode": (
        {"train.checkpoint": {"mode": "max"}},
        {"train.checkpoint": {"mode": "max", "monitor": "val/accuracy"}, "data.split": {"val": 0.2}},
    ),
}
"""Key path -> overrides that make its value dead, overrides in which it counts."""


def refusals(overrides: Given) -> list[RecipeError]:
    base = {"name": "a", "data": {"source": "digits", **_COLUMNS, "split": {}}, "model": "cnn"}
    try:
        load(base, overrides)
    except ErrorList as several:
        return [error for error in several.errors if isinstance(error, RecipeError)]
    except RecipeError as error:
        return [error]
    return []


@pytest.mark.parametrize("key", DEAD_WHEN)
def test_every_rule_of_a_section_fires_and_only_where_the_value_is_dead(key: str):
    dead, alive = SECTIONS[key]
    name = key.rpartition(".")[2]
    found = [error for error in refusals(dead) if f"`{name}` has no effect" in error.what]
    assert [error.why for error in found] == [DEAD_WHEN[key]]
    assert found[0].fix
    assert not [error for error in refusals(alive) if "has no effect" in error.what]


@pytest.mark.parametrize("name", shipped_names())
def test_no_rule_fires_on_a_recipe_that_ships(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATA", "data")
    try:
        load(name)
    except (RecipeError, ErrorList) as error:
        assert "has no effect" not in str(error)

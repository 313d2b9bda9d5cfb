"""Weights for other classes than those of the data: told by name, whatever their shapes."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import trainwright as tw
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError, UserError
from trainwright.models.weight_classes import (
    classes_in,
    classes_of,
    differences,
    metadata,
    refuse_other_classes,
)
from trainwright.models.weights import apply_weights
from trainwright.workflows.gate import check_data


def net(outputs: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 5), nn.Linear(5, outputs))


def test_classes_go_into_a_file_and_come_back(tmp_path):
    specs = {
        "kind": TensorSpec("category", (), classes=("b", "ä, c", "a")),
        "size": TensorSpec("number", (1,)),
    }
    save_file(net().state_dict(), tmp_path / "w.safetensors", metadata=metadata(classes_of(specs)))
    assert classes_in(tmp_path / "w.safetensors") == {"kind": ["b", "ä, c", "a"]}


@pytest.mark.parametrize("kept", [None, {"format": "pt"}, {"trainwright.classes": "[1"}])
def test_files_that_name_no_classes(tmp_path, kept):
    save_file(net().state_dict(), tmp_path / "w.safetensors", metadata=kept)
    assert classes_in(tmp_path / "w.safetensors") == {}
    torch.save(net().state_dict(), tmp_path / "w.pt")
    assert classes_in(tmp_path / "w.pt") == {}


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ({"y": ["a", "b", "c"]}, {}),
        ({"y": ["a", "c", "b"]}, {"y": "in another order: the weights have [a, c, b], the data [a, b, c]"}),
        ({"y": ["a", "b", "d"]}, {"y": "others: the weights have [a, b, d], the data [a, b, c]"}),
        (
            {"label": ["c", "b", "a"]},
            {"y": "in another order: the weights have [c, b, a], the data [a, b, c]"},
        ),
        ({"y": ["a", "b"]}, {}),  # the shapes tell that
        ({}, {}),
    ],
)
def test_what_is_different(theirs, said):
    assert differences(theirs, {"y": ("a", "b", "c")}) == said


def test_only_an_output_layer_that_was_loaded_counts():
    theirs, ours = {"y": ["b", "a", "c"]}, {"y": ("a", "b", "c")}
    model = net()
    refused = apply_weights(model, net().state_dict())
    with pytest.raises(
        ModelError, match="the classes of 'y' in the weights are not those of the data"
    ) as error:
        refuse_other_classes(model, refused, theirs, ours)
    assert "[b, a, c]" in error.value.why and "[a, b, c]" in error.value.why
    first_left_out = apply_weights(model, net().state_dict(), exclude=["0.*"])
    with pytest.raises(ModelError):
        refuse_other_classes(model, first_left_out, theirs, ours)
    refuse_other_classes(model, apply_weights(model, net().state_dict(), exclude=["1.*"]), theirs, ours)
    refuse_other_classes(model, refused, ours, ours)


def recipe(**rest):
    return {
        "name": "flowers",
        "data": {
            "source": "iris",
            "inputs": {"x": {"type": "number", "columns": ["sepal_length", "petal_length"]}},
            "targets": {"species": {"type": "category"}},
            "split": {"val": 0.2},
        },
        "model": {"name": "mlp", "hidden": [8]},
        "train": {"steps": 2, "batch_size": 8, "threads": 1},
    } | rest


def test_a_run_refuses_weights_of_another_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = tw.train(recipe())
    assert classes_in(first.path) == {"species": ["setosa", "versicolor", "virginica"]}
    again = recipe(init={"path": str(first.path)})
    assert check_data(again).in_order
    turned = {"type": "category", "classes": ["virginica", "setosa", "versicolor"]}
    other = again | {"data": again["data"] | {"targets": {"species": turned}}}
    with pytest.raises(UserError, match="classes of 'species' in the weights"):
        tw.train(other)
    [finding] = [item for item in check_data(other).findings.found if "weights" in item["what"]]
    assert finding["severity"] == "error"
    assert "[setosa, versicolor, virginica], the data [virginica, setosa, versicolor]" in finding["what"]

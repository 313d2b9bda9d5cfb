"""Networks written as layers: values against plain PyTorch, and every mistake by its words."""

import copy

import pytest
import torch
from torch import nn

from tests.models.specs import ABC, FOUR, GREY, ONE, parameters
from trainwright.data.types import TensorSpec
from trainwright.errors import ErrorList, ModelError, RecipeError
from trainwright.models.layers import layers
from trainwright.models.penalties import penalties, projections


def _net(definition, inputs=None, outputs=10, **options):
    return layers(inputs or {"x": GREY}, outputs, layers=definition, **options)


def test_a_list_is_the_same_as_plain_pytorch():
    net = _net(
        [
            {"type": "conv", "filters": 4, "kernel": 5, "stride": 2, "activation": "relu"},
            "batch_norm",
            {"type": "max_pool", "size": 3},
            "flatten",
            {"type": "dense", "units": "outputs"},
        ]
    )
    plain = nn.Sequential(
        nn.Conv2d(1, 4, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.BatchNorm2d(4),
        nn.MaxPool2d(3),
        nn.Flatten(),
        nn.Linear(4 * 4 * 4, 10),
    )
    for mine, theirs in zip(net.state_dict().values(), plain.state_dict().values(), strict=True):
        theirs.copy_(mine)
    x = torch.randn(3, 1, 28, 28)
    assert torch.equal(net(x), plain(x))
    assert list(net.state_dict())[:2] == ["conv1.weight", "conv1.bias"]


def test_names_of_keras_are_understood():
    ours = _net([{"type": "conv", "filters": 4}, "global_avg_pool", {"type": "dense", "units": 10}])
    keras = _net(
        [
            {
                "type": "Conv2D",
                "filters": 4,
                "kernel_size": 3,
                "kernel_initializer": "zeros",
                "use_bias": True,
            },
            "GlobalAveragePooling2D",
            {"type": "Dense", "units": 10},
        ]
    )
    assert parameters(ours) == parameters(keras)
    assert keras.conv1.weight.abs().sum() == 0


def test_a_graph_in_any_order_is_walked_back_from_its_output():
    definition = [
        {"type": "dense", "units": "outputs", "name": "out", "inputs": "sum"},
        {"type": "add", "name": "sum", "inputs": ["left", "right"]},
        {"type": "dense", "units": 5, "name": "left", "inputs": "a"},
        {"type": "dense", "units": 5, "name": "right", "inputs": "b"},
    ]
    net = _net(definition, {"a": FOUR, "b": ONE}, 3, output="out")
    a, b = torch.randn(2, 4), torch.randn(2, 1)
    assert torch.equal(net({"a": a, "b": b}), net.out(net.left(a) + net.right(b)))


def test_a_graph_can_be_written_inside_its_output_and_is_deduplicated_by_name():
    stem = {"type": "dense", "units": 6, "name": "stem", "inputs": "x"}
    left = {"type": "dense", "units": 2, "name": "left", "inputs": [stem]}
    right = {"type": "dense", "units": 3, "name": "right", "inputs": [copy.deepcopy(stem)]}
    net = _net([{"type": "concat", "inputs": [left, right]}], {"x": FOUR}, 5)
    assert parameters(net) == (4 + 1) * 6 + (6 + 1) * 2 + (6 + 1) * 3
    x = torch.randn(2, 4)
    assert torch.equal(net(x), torch.cat([net.left(net.stem(x)), net.right(net.stem(x))], 1))


def test_weights_can_be_shared():
    definition = [
        {"type": "dense", "units": 3, "name": "tower", "inputs": "a"},
        {"shared": "tower", "name": "again", "inputs": "b"},
        {"type": "subtract", "inputs": ["tower", "again"]},
    ]
    net = _net(definition, {"a": FOUR, "b": FOUR}, 3)
    a, b = torch.randn(2, 4), torch.randn(2, 4)
    assert parameters(net) == 15
    assert torch.equal(net({"a": a, "b": b}), net.tower(a) - net.tower(b))


def test_several_outputs_by_target():
    definition = [
        {"type": "dense", "units": 8, "name": "body"},
        {"type": "dense", "units": 3, "name": "kind", "inputs": "body"},
        {"type": "dense", "units": 1, "name": "size", "inputs": "body"},
    ]
    out = _net(definition, {"x": FOUR}, 4, output={"species": "kind", "length": "size"})(torch.zeros(2, 4))
    assert {name: tuple(value.shape) for name, value in out.items()} == {"species": (2, 3), "length": (2, 1)}


def test_a_category_column_tells_an_embedding_its_classes():
    definition = [{"type": "embedding", "width": 6}, {"type": "dense", "units": "outputs"}]
    assert _net(definition, {"c": ABC}, 2).embedding1.weight.shape == (3, 6)


def test_every_kind_of_layer_runs():
    series = TensorSpec("number", (12, 5))
    net = _net(
        [
            {"type": "permute", "order": [2, 1]},
            {"type": "conv1d", "filters": 8, "padding": "valid"},
            {"type": "group_norm", "groups": 4},
            "gelu",
            {"type": "spatial_dropout", "rate": 0.1},
            {"type": "avg_pool", "size": 2},
            {"type": "upsample", "factor": 2, "mode": "linear"},
            {"type": "zero_pad", "size": 1},
            {"type": "permute", "order": [2, 1]},
            "layer_norm",
            {"type": "lstm", "units": 7, "bidirectional": True, "return_sequences": True},
            {"type": "gru", "units": 6, "layers": 2, "dropout": 0.1},
            {"type": "gaussian_noise", "std": 0.1},
            {"type": "reshape", "shape": [2, -1]},
            {"type": "conv_transpose", "filters": 3, "kernel": 4, "stride": 2},
            "global_max_pool",
            {"type": "residual", "layers": [{"type": "dense", "units": 9, "activation": "tanh"}]},
            {"type": "dropout", "rate": 0.2},
            {"type": "dense", "units": "outputs"},
        ],
        {"x": series},
        4,
    )
    assert net(torch.randn(2, 12, 5)).shape == (2, 4)


def test_the_last_state_of_both_directions():
    net = _net([{"type": "lstm", "units": 3, "bidirectional": True}], {"x": TensorSpec("number", (6, 2))}, 6)
    x = torch.randn(2, 6, 2)
    steps, _ = net.lstm1.rnn(x)
    assert torch.allclose(net(x), torch.cat([steps[:, -1, :3], steps[:, 0, 3:]], 1))


@pytest.mark.parametrize("size", [7, 8])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_same_padding_gives_the_ceiling(size, stride, kernel):
    spec = {"x": TensorSpec("image", (1, size, size))}
    net = _net([{"type": "conv", "filters": 2, "kernel": kernel, "stride": stride}, "flatten"], spec, 0)
    assert net(torch.zeros(1, 1, size, size)).shape[1] == 2 * (-(-size // stride)) ** 2


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 2), (4, 2), (5, 2), (3, 3), (5, 3)])
def test_transposed_same_padding_multiplies_exactly(kernel, stride):
    layer = {"type": "conv_transpose", "filters": 1, "kernel": kernel, "stride": stride}
    net = _net([layer, "flatten"], {"x": TensorSpec("image", (1, 5, 5))}, 0)
    assert net(torch.zeros(1, 1, 5, 5)).shape[1] == (5 * stride) ** 2


def test_a_residual_block_projects_where_shapes_differ():
    inner = [{"type": "conv", "filters": 6, "stride": 2}]
    net = _net([{"type": "residual", "layers": inner}, "flatten"], {"x": TensorSpec("image", (3, 9, 9))}, 0)
    block = net.residual1
    x = torch.randn(2, 3, 9, 9)
    expected = block.block.conv1(x) + nn.functional.conv2d(x, block.shortcut.weight, stride=2)
    assert torch.allclose(net(x), expected.flatten(1))


def test_frozen_layers_and_their_statistics_stay():
    net = _net(
        [
            {"type": "conv", "filters": 2, "trainable": False},
            {"type": "batch_norm", "trainable": False},
            "flatten",
            {"type": "dense", "units": 10},
        ]
    )
    trained = [name for name, p in net.named_parameters() if p.requires_grad]
    assert trained == ["dense1.weight", "dense1.bias"]
    net.train()(torch.randn(4, 1, 28, 28))
    assert net.batch_norm1.running_mean.abs().sum() == 0


def test_initializers():
    net = _net(
        [
            {
                "type": "dense",
                "units": 4,
                "initializer": "orthogonal",
                "bias_initializer": {"name": "constant", "value": 0.5},
            }
        ],
        {"x": FOUR},
        4,
    )
    weight = net.dense1.weight
    assert torch.allclose(weight @ weight.T, torch.eye(4), atol=1e-5)
    assert net.dense1.bias.tolist() == [0.5] * 4


def test_penalties_are_the_textbook_sums():
    net = _net(
        [
            {"type": "dense", "units": 5, "regularizer": {"name": "l1_l2", "l1": 0.1, "l2": 0.2}},
            {"type": "dense", "units": 3, "regularizer": {"name": "l2", "strength": 0.5}},
        ],
        {"x": FOUR},
        3,
    )
    a, b = net.dense1.weight.detach(), net.dense2.weight.detach()
    expected = 0.1 * a.abs().sum() + 0.2 * (a * a).sum() + 0.5 * (b * b).sum()
    assert torch.allclose(sum(ask() for ask in penalties(net)), expected)


def test_penalties_and_constraints_of_a_copy_are_its_own():
    definition = [{"type": "dense", "units": 3, "regularizer": "l2", "constraint": "unit_norm"}]
    net = _net(definition, {"x": FOUR}, 3)
    twin = copy.deepcopy(net)
    penalties(twin)[0]().backward()
    projections(twin)[0]()
    assert net.dense1.weight.grad is None
    assert torch.allclose(twin.dense1.weight.norm(dim=1), torch.ones(3))
    assert not torch.allclose(net.dense1.weight.norm(dim=1), torch.ones(3))


def test_a_network_without_penalties_asks_for_nothing():
    net = _net([{"type": "dense", "units": 3}], {"x": FOUR}, 3)
    assert penalties(net) == projections(net) == []


def test_building_draws_as_often_as_pytorch_would():
    torch.manual_seed(3)
    net = _net(
        [{"type": "dense", "units": 6}, {"type": "gaussian_noise"}, {"type": "dense", "units": 3}],
        {"x": FOUR},
        3,
    )
    torch.manual_seed(3)
    first, second = nn.Linear(4, 6), nn.Linear(6, 3)
    assert torch.equal(net.dense1.weight, first.weight)
    assert torch.equal(net.dense2.weight, second.weight)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (
            [{"type": "dense", "units": 3}],
            r"layers.0 \(dense1\): dense reads .* not \[1, 28, 28\](.|\n)*flatten",
        ),
        (["flatten", {"type": "dense", "units": 3}], r"layers.1 \(dense1\): the output has 3 .* need 10"),
        ([{"type": "conv", "filters": 3}], r"'conv1' gives \[3, 28, 28\], but the targets need a vector"),
        (["flatten", {"type": "dense", "units": 10, "inputs": "flaten1"}], r"no layer or input 'flaten1'"),
        (["flatten", {"type": "dense", "units": 10, "name": "train"}], r"cannot be called 'train'"),
        (["flatten", {"type": "dense", "units": 10, "name": "a.b"}], r"cannot be called 'a.b'"),
        ([{"type": "flatten", "name": "x"}], r"both called 'x'"),
        (
            [
                {"type": "conv", "filters": 3, "name": "a", "inputs": "b"},
                {"type": "conv", "filters": 3, "name": "b", "inputs": "a"},
            ],
            r"cycle: b <- a <- b",
        ),
        (
            [
                {"type": "conv", "filters": 3, "name": "a"},
                {"type": "conv", "filters": 4, "name": "b", "inputs": "x"},
                {"type": "add", "inputs": ["a", "b"]},
            ],
            r"layers.2 \(add1\): add cannot join \[3, 28, 28\] and \[4, 28, 28\]",
        ),
        (
            [{"type": "conv", "filters": 3, "name": "a"}, {"type": "conv", "filters": 4, "name": "a"}],
            r"two layers are called 'a', number 0 and number 1",
        ),
        (["max_pool"] * 6, r"layers.4 \(max_pool5\).*cannot read \[1, 1, 1\]"),
        ([{"filters": 3}], r"layers.0: this layer has no type"),
        ([{"type": "reshape", "shape": [7, 5]}], r"\[1, 28, 28\] has 784 values and cannot become \[7, 5\]"),
        ([{"type": "lstm", "units": 3}], r"steps and features, not \[1, 28, 28\]"),
        ([{"type": "embedding", "width": 3}], r"how many classes"),
        ([{"type": "conv", "filters": 4, "kernel": 4, "stride": 2}], r"cannot be padded alike"),
        ([{"type": "conv", "filters": 6, "groups": 4}], r"layers.0 \(conv1\).*cannot read \[1, 28, 28\]"),
        (["flatten", {"type": "dense", "units": 10, "trainable": "no"}], r"trainable is 'no'"),
        (
            [{"type": "flatten", "initializer": "zeros"}, {"type": "dense", "units": 10}],
            r"flatten has no weight for this initializer",
        ),
        ([{"shared": "nothing"}], r"no layer or input 'nothing'"),
        ([], r"empty"),
    ],
    ids=lambda value: None,
)
def test_mistakes_name_the_layer_and_the_shapes(definition, words):
    with pytest.raises(ModelError, match=words):
        _net(definition)


def test_unknown_types_and_parameters_name_the_nearest():
    with pytest.raises(RecipeError, match=r"no layer `convv`(.|\n)*`conv`"):
        _net(["convv"])
    with pytest.raises(ErrorList, match=r"`filter`(.|\n)*`filters`"):
        _net([{"type": "conv", "filter": 3}])


def test_a_layer_that_no_output_needs_is_refused():
    with pytest.raises(ModelError, match="no output needs layer 'spare'"):
        _net(
            [
                "flatten",
                {"type": "dense", "units": 2, "name": "spare"},
                {"type": "dense", "units": 10, "inputs": "flatten1"},
            ]
        )


def test_with_several_inputs_the_first_layer_must_choose():
    with pytest.raises(ModelError, match="does not say which of the inputs a, b"):
        _net([{"type": "dense", "units": 3}], {"a": FOUR, "b": FOUR}, 3)


def test_an_input_that_nothing_reads_is_refused():
    with pytest.raises(ModelError, match="no layer reads the input 'b'"):
        _net([{"type": "dense", "units": 3, "inputs": "a"}], {"a": FOUR, "b": FOUR}, 3)


def test_a_layer_of_the_users_own():
    net = _net(["flatten", {"type": "torch.nn:Linear", "out_features": 10}])
    assert net(torch.zeros(2, 1, 28, 28)).shape == (2, 10)

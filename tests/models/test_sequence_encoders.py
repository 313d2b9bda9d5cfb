"""Encoders of series, texts and sounds: against PyTorch's own layers, and blind to padding."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.models.specs import GREY, parameters
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.fcn import fcn
from trainwright.models.inception_time import inception_time
from trainwright.models.recurrent import recurrent
from trainwright.models.transformer import transformer

SERIES = TensorSpec("series", (3, 20))
TEXT = TensorSpec("text", (6,), "int64", ("", "<unknown>", "a", "b", "c"))
MEL = TensorSpec("image", (1, 8, 20))
WAVE = TensorSpec("audio", (1, 200))
INPUTS = {"series": SERIES, "text": TEXT, "image": MEL, "audio": WAVE}


def some(spec, count=4, seed=0):
    draw = torch.Generator().manual_seed(seed)
    if spec.type == "text":
        return torch.randint(1, len(spec.classes), (count, *spec.shape), generator=draw)
    return torch.randn(count, *spec.shape, generator=draw)


@pytest.mark.parametrize("spec", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize(
    ("build", "options", "features"),
    [
        (recurrent, {"units": 5}, 5),
        (recurrent, {"units": 5, "bidirectional": True, "layers": 2, "pool": "mean", "cell": "gru"}, 10),
        (recurrent, {"units": 5, "convolutions": [4, 6], "pool": "max", "dropout": 0.2}, 5),
        (transformer, {"width": 8, "heads": 2, "layers": 1}, 8),
        (transformer, {"width": 8, "heads": 2, "layers": 1, "patch": 3}, 8),
    ],
)
def test_features_and_outputs_of_every_input_with_steps(spec, build, options, features):
    x = some(spec)
    assert build({"x": spec}, 0, **options)(x).shape == (4, features)
    model = build({"x": spec}, 7, **options)
    out = model(x)
    assert out.shape == (4, 7)
    out.sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.parametrize("spec", [SERIES, WAVE], ids=["series", "audio"])
@pytest.mark.parametrize(
    ("build", "options", "features"),
    [
        (fcn, {"widths": [4, 5], "kernels": [8, 3], "dropout": 0.1}, 5),
        (fcn, {"widths": [4], "kernels": [3], "stride": 4}, 4),
        (inception_time, {"filters": 2, "depth": 4, "kernels": [9, 5]}, 6),
    ],
)
def test_convolutions_along_time(spec, build, options, features):
    assert build({"x": spec}, 0, **options)(some(spec)).shape == (4, features)
    assert build({"x": spec}, 7, **options)(some(spec)).shape == (4, 7)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 3])
def test_stacked_layers_in_both_directions_are_those_of_pytorch(cell, layers):
    model = recurrent({"x": SERIES}, 0, cell=cell, units=4, layers=layers, bidirectional=True)
    kind = nn.LSTM if cell == "lstm" else nn.GRU
    theirs = kind(3, 4, layers, batch_first=True, bidirectional=True)
    for place, layer in enumerate(model.layers):
        for end, direction in zip(("", "_reverse"), layer.directions, strict=True):
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                own = getattr(direction, f"{name}_l0")
                getattr(theirs, f"{name}_l{place}{end}").data.copy_(own.data)
    x = some(SERIES)
    steps, state = theirs(x.transpose(1, 2))
    last = state[0] if cell == "lstm" else state
    torch.testing.assert_close(model(x), torch.cat([last[-2], last[-1]], 1))
    model.pool = "mean"
    torch.testing.assert_close(model(x), steps.mean(1))


@pytest.mark.parametrize(
    "build",
    [
        lambda spec: recurrent({"x": spec}, 0, units=4, bidirectional=True, layers=2),
        lambda spec: recurrent({"x": spec}, 0, units=4, bidirectional=True, pool="mean"),
        lambda spec: recurrent({"x": spec}, 0, units=4, pool="max"),
        lambda spec: transformer({"x": spec}, 0, width=8, heads=2),
    ],
)
def test_the_padding_of_a_text_changes_nothing(build):
    torch.manual_seed(0)
    long = TensorSpec("text", (9,), "int64", TEXT.classes)
    short = TensorSpec("text", (3,), "int64", TEXT.classes)
    model, other = build(long).eval(), build(short).eval()
    state = {name: value[:, :3] if name == "places" else value for name, value in model.state_dict().items()}
    other.load_state_dict(state)
    ids = torch.tensor([[2, 3, 0], [4, 2, 3], [1, 0, 0]])
    padded = torch.cat([ids, torch.zeros(3, 6, dtype=torch.int64)], 1)
    torch.testing.assert_close(model(padded), other(ids))
    nothing = model(torch.zeros(2, 9, dtype=torch.int64))
    assert torch.isfinite(nothing).all()


def test_the_parameters_are_those_of_the_papers():
    one = {"x": TensorSpec("series", (1, 150))}
    convolutions = 1 * 128 * 8 + 128 * 256 * 5 + 256 * 128 * 3
    assert parameters(fcn(one, 2)) == convolutions + 2 * (128 + 256 + 128) + 128 * 2 + 2
    filters, kernels = 32, 39 + 19 + 9
    first = filters * kernels + filters + 2 * 128
    rest = 128 * 32 + 32 * filters * kernels + 128 * filters + 2 * 128
    shortcuts = (1 * 128 + 2 * 128) + (128 * 128 + 2 * 128)
    assert parameters(inception_time(one, 2)) == first + 5 * rest + shortcuts + 128 * 2 + 2


def test_an_even_kernel_keeps_the_number_of_steps():
    body = fcn({"x": SERIES}, 0, widths=[4, 4], kernels=[8, 1])
    assert body[:4](some(SERIES)).shape == (4, 4, 20)


@pytest.mark.parametrize(
    ("build", "options"),
    [
        (recurrent, {"units": 16}),
        (recurrent, {"units": 8, "bidirectional": True, "pool": "max"}),
        (transformer, {"width": 16, "layers": 1, "dropout": 0.0}),
        (fcn, {"widths": [16, 16], "kernels": [5, 3]}),
        (inception_time, {"filters": 4, "depth": 2, "kernels": [9, 5]}),
    ],
)
def test_the_order_of_two_bumps_is_learned(build, options):
    """Every value occurs as often in both classes: only what sees their order can tell them apart."""
    torch.manual_seed(1)
    draw = torch.Generator().manual_seed(0)
    labels = torch.arange(64) % 2
    x = 0.1 * torch.randn(64, 1, 20, generator=draw)
    for row, label in enumerate(labels.tolist()):
        start = int(torch.randint(0, 8, (1,), generator=draw))
        x[row, 0, start : start + 4] += 1 if label else -1
        x[row, 0, start + 6 : start + 10] += -1 if label else 1
    model = build({"x": TensorSpec("series", (1, 20))}, 2, **options)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), labels).backward()
        optimizer.step()
    assert (model(x).argmax(1) == labels).float().mean() > 0.95


def test_what_does_not_fit_is_told():
    with pytest.raises(ModelError, match=r"recurrent reads one input of type series or text.*x \(number\)"):
        recurrent({"x": TensorSpec("number", (3,))}, 2)
    with pytest.raises(ModelError, match="fcn reads one input of type series or audio"):
        fcn({"x": GREY}, 2)
    with pytest.raises(ModelError, match="2 widths and 3 kernels"):
        fcn({"x": SERIES}, 2, widths=[1, 2])
    with pytest.raises(ModelError, match="not all odd"):
        inception_time({"x": SERIES}, 2, kernels=[8])
    with pytest.raises(ModelError, match="divided among 5 heads"):
        transformer({"x": SERIES}, 2, heads=5)

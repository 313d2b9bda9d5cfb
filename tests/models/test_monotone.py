"""Answers that never fall where they must not: for any weights, after any training, in their own units."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import trainwright as tw
from tests.models.specs import ABC, FOUR, ONE
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.monotone import monotone

TARGETS = {"price": ONE}
INPUTS = {"size": TensorSpec("number", (2,)), "age": ONE, "place": ABC, "looks": FOUR}


def built(inputs=INPUTS, targets=TARGETS, outputs=1, **options):
    return monotone(inputs, outputs, targets, **options)


def rows(count, generator):
    return {
        "size": torch.randn(count, 2, generator=generator, dtype=torch.float64) * 3,
        "age": torch.randn(count, 1, generator=generator, dtype=torch.float64) * 3,
        "place": torch.randint(0, 3, (count,), generator=generator),
        "looks": torch.randn(count, 4, generator=generator, dtype=torch.float64),
    }


@given(
    seed=st.integers(0, 1 << 20),
    spread=st.sampled_from([0.0, 0.1, 1.0, 5.0]),
    hidden=st.lists(st.integers(1, 9), max_size=3),
)
def test_no_weights_make_the_answer_go_the_wrong_way(seed, spread, hidden):
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    model = built(increasing=["size"], decreasing=["age"], hidden=hidden, others=5).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += spread * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    low = rows(32, generator)
    step = {name: torch.rand(low[name].shape, generator=generator) * 4 for name in ("size", "age")}
    high = low | {"size": low["size"] + step["size"], "age": low["age"] - step["age"]}
    with torch.no_grad():
        before, after = model(low), model(high)
    # What is left is rounding: sums of one batch may be ordered otherwise than those of the other.
    assert (after >= before - 1e-9 * before.abs().clamp(min=1)).all()


def test_the_other_inputs_decide_freely():
    torch.manual_seed(0)
    model = built(increasing=["size"], hidden=[12])
    some = {
        name: value.float() if value.is_floating_point() else value
        for name, value in rows(64, torch.Generator().manual_seed(1)).items()
    }
    for column in ("age", "looks"):
        given_inputs = {name: value.clone().requires_grad_(name == column) for name, value in some.items()}
        slope = torch.autograd.grad(model(given_inputs).sum(), given_inputs[column])[0]
        assert (slope > 0).any() and (slope < 0).any()
    answers = [model(some | {"place": torch.full((64,), place)}) for place in range(3)]
    assert not torch.equal(answers[0], answers[1])


def test_a_rising_function_of_two_kinds_is_learned():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(512, 1, generator=generator) * 4 - 2
    kind = torch.randint(0, 2, (512,), generator=generator)
    # Neither convex nor concave, and of another slope for each kind.
    y = torch.where(kind[:, None] == 0, torch.tanh(3 * x), torch.tanh(x - 1) * 2)
    torch.manual_seed(0)
    inputs = {"x": ONE, "kind": TensorSpec("category", (), "int64", ("a", "b"))}
    model = built(inputs, increasing=["x"], hidden=[24, 24])
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(200):
        optimizer.zero_grad()
        loss = (model({"x": x, "kind": kind}) - y).square().mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.02 * float(y.var())


def test_one_input_alone_comes_as_a_tensor():
    model = built({"age": ONE}, decreasing=["age"], hidden=[6])
    answers = model(torch.linspace(-9, 9, 50)[:, None])[:, 0]
    assert (answers.diff() <= 1e-6).all()
    assert answers[0] > answers[-1]


def test_a_training_against_it_stays_monotone_in_the_columns_own_units(tmp_path):
    """Prices of this table fall with the size; the answer may at best be level."""
    rng = np.random.default_rng(0)
    size, age = rng.uniform(0, 1000, 200), rng.uniform(0, 50, 200)
    price = 100 - 0.05 * size + 10 * np.sin(age) + rng.normal(0, 1, 200)
    lines = [f"{a:.4f},{b:.4f},{c:.4f}" for a, b, c in zip(size, age, price, strict=True)]
    (tmp_path / "houses.csv").write_text("size,age,price\n" + "\n".join(lines))
    recipe = {
        "name": "houses",
        "data": {
            "source": {"name": "table", "path": str(tmp_path / "houses.csv")},
            "inputs": {"size": {"type": "number", "normalise": "log"}, "age": {"type": "number"}},
            "targets": {"price": {"type": "number"}},
            "split": {"val": 0.2},
        },
        "model": {"name": "monotone", "increasing": ["size"], "hidden": [16]},
        "train": {
            "epochs": 20,
            "optimizer": {"name": "adamw", "lr": 0.01},
            "threads": 1,
            "precision": "fp32",
        },
        "report": {"enabled": False},
    }
    run = tw.train(recipe, runs_dir=tmp_path / "runs", progress=False)
    # Also beyond the training data.
    asked = [{"size": float(value), "age": 20.0} for value in np.geomspace(0.1, 1e6, 60)]
    told = np.array(tw.load(run.path).predict(asked)["price_predicted"])
    assert (np.diff(told) >= -1e-6 * np.abs(told[1:])).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "no input is named"),
        ({"increasing": ["siez"]}, "no input 'siez'"),
        ({"decreasing": ["place"]}, "of type category, which has no order"),
        ({"increasing": ["age"], "decreasing": ["age"]}, "cannot both rise and fall with 'age'"),
    ],
)
def test_what_cannot_be_is_refused(options, words):
    with pytest.raises(ModelError, match=words):
        built(**options)


def test_a_target_that_is_no_number_is_refused():
    with pytest.raises(ModelError, match="does not answer the category target 'kind'"):
        built(targets={"kind": ABC}, increasing=["age"])

"""Losses, weights and metrics of any number of targets, against numbers made another way."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
import torch
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
from torch import nn

from trainwright import recipe as recipes
from trainwright.data.batch import Batch
from trainwright.data.prepare import prepare
from trainwright.engine.build import build_task
from trainwright.errors import ModelError, RecipeError
from trainwright.inference.answers import answer_columns

ROWS = 40
CLASSES = ("maple", "oak", "pine")


@pytest.fixture(scope="module")
def forest():
    """Trees: two numbers to look at; a species, an age, and two measures to predict."""
    rng = np.random.default_rng(5)
    # Unequal classes, so that weights differ; every class has some rows.
    species = np.array(CLASSES)[np.concatenate([np.arange(3), rng.choice(3, ROWS - 3, p=[0.6, 0.3, 0.1])])]
    return {
        "leaf": rng.normal(size=(ROWS, 2)),
        "species": species,
        "age": rng.uniform(10, 300, ROWS),
        "crown": rng.normal(8, 3, (ROWS, 2)),
    }


def built(forest, tmp_path, targets, model="mlp", **settings):
    """Task, its model and one batch of all rows, with targets as the model sees them."""
    given = {
        "name": "forest",
        "data": {
            "source": "arrays",
            "inputs": {"leaf": {"type": "number"}},
            "targets": targets,
            "split": {"val": 0.0},
        },
        "model": model,
        **settings,
    }
    recipe = recipes.load(given).recipe
    data = prepare(recipe.data, cache_dir=tmp_path, memory_data=forest)
    task = build_task(recipe)
    torch.manual_seed(0)
    network = task.build(data.info())
    tensors = {
        name: item.to_tensor(torch.from_numpy(np.array(data.arrays[name])))
        for name, item in (data.inputs | data.targets).items()
    }
    batch = Batch({"leaf": tensors["leaf"]}, {name: tensors[name] for name in data.targets}, np.arange(ROWS))
    return task, network, batch, data


def log_softmax(logits):
    shifted = logits - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def test_losses_of_several_targets_add_with_their_weights(forest, tmp_path):
    targets = {
        "species": {"type": "category"},
        "age": {"type": "number", "weight": 0.25},
        "crown": {"type": "number", "weight": 3.0, "loss": "mae"},
    }
    task, model, batch, _ = built(forest, tmp_path, targets)
    model.eval()
    [phase] = task.phases(model)
    step = task.training_step(model, batch, phase)
    raw = model(batch.inputs["leaf"]).detach().double().numpy()
    assert raw.shape == (ROWS, 3 + 1 + 2)  # side by side, in the order of the recipe
    ids, age, crown = (batch.targets[name].double().numpy() for name in targets)
    cross_entropy = -log_softmax(raw[:, :3])[np.arange(ROWS), ids.astype(int)]
    squared = ((raw[:, 3] - age.reshape(-1)) ** 2).reshape(ROWS)
    absolute = np.abs(raw[:, 4:] - crown).mean(1)
    expected = cross_entropy + 0.25 * squared + 3.0 * absolute
    np.testing.assert_allclose(step.loss.detach().numpy(), expected, rtol=1e-5)
    # Logs are sums, so that the loop can weigh micro-batches by their size.
    right = (raw[:, :3].argmax(1) == ids).sum()
    assert step.logs["species/accuracy"].item() == right
    assert step.logs["age/loss"].item() == pytest.approx(squared.sum(), rel=1e-5)
    assert step.logs["crown/loss"].item() == pytest.approx(absolute.sum(), rel=1e-5)

    with torch.no_grad():
        scores = task.score(task.predict(model, batch), batch.targets)
    assert scores["loss"] == pytest.approx(expected.mean(), rel=1e-5)
    assert scores["species/loss"] == pytest.approx(cross_entropy.mean(), rel=1e-5)
    each = task.per_sample_losses(task.predict(model, batch), batch.targets)
    np.testing.assert_allclose(each["age"].detach().numpy(), squared, rtol=1e-5)


def test_one_target_has_no_prefix(forest, tmp_path):
    task, model, batch, _ = built(forest, tmp_path, {"species": {"type": "category"}})
    with torch.no_grad():
        outputs = task.predict(model, batch)
    scores = task.score(outputs, batch.targets)
    assert {"loss", "accuracy", "f1"} <= set(scores)
    said, true = outputs["species"].argmax(1), batch.targets["species"]
    assert scores["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(true, said))
    assert scores["f1"] == pytest.approx(
        sklearn.metrics.f1_score(true, said, average="macro", labels=[0, 1, 2], zero_division=0)
    )
    assert task.monitor() == ("accuracy", "max")


def test_class_weights_reach_each_sample_as_in_scikit_learn(forest, tmp_path):
    """`auto` is majority / count: scikit-learn's `balanced` up to one factor for all classes."""
    task, model, batch, data = built(
        forest, tmp_path, {"species": {"type": "category", "class_weights": "auto"}}
    )
    plain, _, _, _ = built(forest, tmp_path, {"species": {"type": "category"}})
    ids = batch.targets["species"].numpy()
    weighted = task.per_sample_losses(task.predict(model, batch), batch.targets)["species"]
    unweighted = plain.per_sample_losses(task.predict(model, batch), batch.targets)["species"]
    ratio = (weighted / unweighted).detach().numpy()
    balanced = compute_sample_weight("balanced", ids)
    np.testing.assert_allclose(ratio / ratio.min(), balanced / balanced.min(), rtol=1e-5)
    counts = np.bincount(ids)
    np.testing.assert_allclose(ratio, (counts.max() / counts)[ids], rtol=1e-5)
    by_class = compute_class_weight("balanced", classes=np.arange(3), y=ids)
    np.testing.assert_allclose((counts.max() / counts) * by_class.min(), by_class, rtol=1e-6)
    assert data.targets["species"].spec().counts == tuple(counts)


def test_weights_by_name_and_one_that_is_not_there(forest, tmp_path):
    named = {"species": {"type": "category", "class_weights": {"pine": 4.0}}}
    task, model, batch, _ = built(forest, tmp_path, named)
    plain, _, _, _ = built(forest, tmp_path, {"species": {"type": "category"}})
    outputs = task.predict(model, batch)
    ratio = task.per_sample_losses(outputs, batch.targets)["species"] / plain.per_sample_losses(
        outputs, batch.targets
    ).get("species")
    pines = batch.targets["species"].numpy() == CLASSES.index("pine")
    np.testing.assert_allclose(ratio.detach().numpy(), np.where(pines, 4.0, 1.0), rtol=1e-6)
    with pytest.raises(RecipeError, match=r"no class 'pin' in target 'species'\n  fix: did you mean 'pine'"):
        built(forest, tmp_path, {"species": {"type": "category", "class_weights": {"pin": 2.0}}})


def test_metrics_of_numbers_are_in_the_targets_own_unit(forest, tmp_path):
    """The model learns standard deviations, people read years."""
    metrics = ["rmse", "mae", "r2"]
    task, model, batch, _ = built(forest, tmp_path, {"age": {"type": "number", "metrics": metrics}})
    with torch.no_grad():
        outputs = task.predict(model, batch)
    scores = task.score(outputs, batch.targets)
    years = outputs["age"].double().numpy().reshape(-1) * forest["age"].std() + forest["age"].mean()
    truth = forest["age"]
    assert scores["rmse"] == pytest.approx(sklearn.metrics.root_mean_squared_error(truth, years), rel=1e-4)
    assert scores["mae"] == pytest.approx(sklearn.metrics.mean_absolute_error(truth, years), rel=1e-4)
    assert scores["r2"] == pytest.approx(sklearn.metrics.r2_score(truth, years), rel=1e-4)
    assert scores["rmse"] > 10  # years; in standard deviations it would be about 1
    assert task.monitor() == ("loss", "min")


class Fixed(nn.Module):
    """Gives what it is told, whatever it is shown."""

    def __init__(self, output):
        super().__init__()
        self.output = output

    def forward(self, _):
        return self.output


@pytest.mark.parametrize(
    ("targets", "shape", "words"),
    [
        ({"species": {"type": "category"}}, (ROWS, 4), r"\[4\] per sample, target 'species' needs \[3\]"),
        ({"species": {"type": "category"}}, (ROWS, 3, 2), r"\[3, 2\] per sample, .* needs \[3\]"),
        ({"species": {"type": "category"}}, (ROWS,), r"\[\] per sample, .* needs \[3\]"),
        ({"crown": {"type": "number"}}, (ROWS, 1), r"\[1\] per sample, target 'crown' needs \[2\]"),
        (
            {"species": {"type": "category"}, "age": {"type": "number"}},
            (ROWS, 3),
            r"\[0\] per sample, target 'age' needs \[1\]",
        ),
    ],
)
def test_outputs_that_cannot_fit_are_named_with_both_shapes(forest, tmp_path, targets, shape, words):
    task, _, batch, _ = built(forest, tmp_path, targets)
    with pytest.raises(ModelError, match=words):
        task.check_outputs(task.predict(Fixed(torch.zeros(shape)), batch))


def test_a_user_model_may_answer_by_name(forest, tmp_path):
    targets = {"species": {"type": "category"}, "age": {"type": "number"}}
    task, _, batch, _ = built(forest, tmp_path, targets)
    answers = {"age": torch.ones(ROWS, 1), "species": torch.zeros(ROWS, 3), "more": torch.zeros(1)}
    outputs = task.predict(Fixed(answers), batch)
    task.check_outputs(outputs)
    assert list(outputs) == ["species", "age"] and outputs["age"] is answers["age"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((torch.zeros(ROWS, 3),), "gives a tuple instead"),
        ({"specie": torch.zeros(ROWS, 3)}, "gives a dict of specie instead"),
        ({"species": [0.0]}, "gives a dict of species instead"),
    ],
)
def test_an_answer_that_is_no_tensor_is_refused(forest, tmp_path, answer, words):
    task, _, batch, _ = built(forest, tmp_path, {"species": {"type": "category"}})
    with pytest.raises(ModelError, match=words):
        task.predict(Fixed(answer), batch)


def test_a_target_of_weight_zero_is_scored_but_not_learned(forest, tmp_path):
    targets = {"species": {"type": "category"}, "age": {"type": "number", "weight": 0.0}}
    task, model, batch, _ = built(forest, tmp_path, targets, model={"name": "mlp", "hidden": [8]})
    [phase] = task.phases(model)
    task.training_step(model, batch, phase).loss.mean().backward()
    last = [p for p in model.parameters() if p.dim() == 2][-1]
    assert torch.all(last.grad[3] == 0) and torch.any(last.grad[:3] != 0)
    with torch.no_grad():
        assert np.isfinite(task.score(task.predict(model, batch), batch.targets)["age/rmse"])


TAGS = ["tall|old", "[]", "old", "tall", "old|rare", "tall|old", "[]", "old"] * (ROWS // 8)


def test_several_classes_at_once_are_learned_and_scored(forest, tmp_path):
    forest = forest | {"tags": np.array(TAGS, dtype=object)}
    targets = {"tags": {"type": "categories", "class_weights": {"rare": 5.0}}}
    task, model, batch, data = built(forest, tmp_path, targets)
    assert data.targets["tags"].classes == ["old", "rare", "tall"]
    outputs = task.predict(model, batch)
    logits, truth = outputs["tags"].detach().double().numpy(), batch.targets["tags"].numpy()
    assert truth[1].tolist() == [0, 0, 0]
    probability = 1 / (1 + np.exp(-logits))
    terms = -truth * np.log(probability) - (1 - truth) * np.log(1 - probability)
    each = task.per_sample_losses(outputs, batch.targets)["tags"].detach().numpy()
    np.testing.assert_allclose(each, (terms * [1, 5, 1]).mean(1), rtol=1e-5)
    scores = task.score({"tags": outputs["tags"].detach()}, batch.targets)
    assert scores["average_precision"] == pytest.approx(
        sklearn.metrics.average_precision_score(truth, logits, average="macro")
    )
    assert scores["f1_micro"] == pytest.approx(
        sklearn.metrics.f1_score(truth, logits > 0, average="micro", zero_division=0)
    )
    assert task.monitor() == ("average_precision", "max")
    [phase] = task.phases(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    first = task.training_step(model, batch, phase).loss.mean()
    for _ in range(30):
        optimizer.zero_grad()
        task.training_step(model, batch, phase).loss.mean().backward()
        optimizer.step()
    assert task.training_step(model, batch, phase).loss.mean() < 0.9 * first


def test_metrics_know_the_names_of_the_classes(forest, tmp_path):
    targets = {"species": {"type": "category", "metrics": [{"name": "auroc", "per_class": True}]}}
    task, model, batch, _ = built(forest, tmp_path, targets)
    with torch.no_grad():
        scores = task.score(task.predict(model, batch), batch.targets)
    assert {"auroc.maple", "auroc.oak", "auroc.pine"} <= set(scores)


@pytest.mark.parametrize("loss", [None, "crps", "expected_value"])
def test_a_number_as_a_distribution_is_scored_in_its_own_unit(forest, tmp_path, loss):
    target = {"type": "distribution", "bins": 8, "metrics": ["mae", "r2", "crps", "redshift", "pit"]}
    task, model, batch, data = built(forest, tmp_path, {"age": target | ({"loss": loss} if loss else {})})
    outputs = {name: value.detach() for name, value in task.predict(model, batch).items()}
    probability = np.exp(log_softmax(outputs["age"].double().numpy()))
    edges = np.linspace(forest["age"].min(), forest["age"].max(), 9)
    expected = probability @ ((edges[:-1] + edges[1:]) / 2)
    scores = task.score(outputs, batch.targets)
    assert scores["mae"] == pytest.approx(np.abs(expected - forest["age"]).mean(), rel=1e-5)
    assert scores["r2"] == pytest.approx(sklearn.metrics.r2_score(forest["age"], expected), rel=1e-4)
    assert {"crps", "bias", "sigma_mad", "outliers", "pit_ks"} <= set(scores)
    assert 0 < scores["crps"] < scores["mae"]
    assert task.monitor() == ("loss", "min")
    if loss is None:
        soft = batch.targets["age"]["probabilities"].double().numpy()
        want = -(soft * log_softmax(outputs["age"].double().numpy())).sum(1)
        got = task.per_sample_losses(outputs, batch.targets)["age"]
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-5)
    [phase] = task.phases(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    first = task.training_step(model, batch, phase).loss.mean()
    for _ in range(40):
        optimizer.zero_grad()
        task.training_step(model, batch, phase).loss.mean().backward()
        optimizer.step()
    assert task.training_step(model, batch, phase).loss.mean() < 0.95 * first
    columns = answer_columns("age", data.targets["age"], outputs["age"], batch.targets["age"])
    np.testing.assert_allclose(columns["age"], forest["age"], rtol=1e-6)
    np.testing.assert_allclose(columns["age_predicted"], expected, rtol=1e-6)
    np.testing.assert_allclose(columns["age_distribution"], probability, rtol=1e-6)


def test_a_broken_answer_of_a_distribution_is_told_and_not_hidden(forest, tmp_path):
    task, model, batch, data = built(forest, tmp_path, {"age": {"type": "distribution", "bins": 8}})
    outputs = {"age": task.predict(model, batch)["age"].detach()}
    outputs["age"][0] = float("nan")
    assert np.isnan(task.score(outputs, batch.targets)["mae"])
    columns = answer_columns("age", data.targets["age"], outputs["age"])
    assert np.isnan(columns["age_predicted"][0])
    assert np.isfinite(columns["age_predicted"][1:]).all()

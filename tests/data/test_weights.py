"""A column of the source weighs each training sample in the loss (and only there)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainwright import recipe as recipes
from trainwright.data.prepare import prepare
from trainwright.data.stream_store import store_of
from trainwright.data.types import PreparedData
from trainwright.engine.build import build_loader, build_task
from trainwright.engine.runtime import Execution
from trainwright.errors import DataError, RecipeError

ROWS = 20
WEIGHTS = np.linspace(0, 3, ROWS)


def load(task: str | dict = "supervised", **data) -> recipes.LoadedRecipe:
    given = {
        "name": "weighed",
        "task": task,
        "data": {
            "source": "arrays",
            "inputs": {"x": {"type": "number", "normalise": "none"}},
            "targets": {"y": {"type": "category"}},
            "split": {"val": 0.3},
            "weights": "w",
            **data,
        },
        "model": "mlp",
        "train": {"batch_size": 6},
    }
    return recipes.load(given)


def prepared(loaded: recipes.LoadedRecipe, tmp_path, weights: object = WEIGHTS) -> PreparedData:
    columns = {"x": np.arange(ROWS * 2.0).reshape(ROWS, 2), "y": np.arange(ROWS) % 2, "w": weights}
    return prepare(loaded.recipe.data, cache_dir=tmp_path, memory_data=columns)


def loader(loaded: recipes.LoadedRecipe, data: PreparedData, split: str, *, training: bool):
    execution = Execution(device="cpu", threads=1, world_size=1, evaluation_batch=4)
    store = store_of(data, torch.device("cpu"))
    return build_loader(loaded.recipe, data, store, split, execution, training=training)


def test_every_training_batch_brings_the_weights_of_its_rows(tmp_path) -> None:
    loaded = load()
    data = prepared(loaded, tmp_path)
    for (batch,) in loader(loaded, data, "train", training=True).batches(0):
        assert batch.weights is not None
        assert batch.weights.tolist() == WEIGHTS.astype(np.float32)[batch.ids].tolist()
    for (batch,) in loader(loaded, data, "val", training=False).batches(0):
        assert batch.weights is None, "a score counts every sample once"


def test_the_loss_of_a_sample_is_multiplied_by_its_weight(tmp_path) -> None:
    loaded = load()
    data = prepared(loaded, tmp_path)
    task = build_task(loaded.recipe)
    model = task.build(data.info()).eval()
    (phase,) = task.phases(model)
    ((batch,), *_) = loader(loaded, data, "train", training=True).batches(0)
    weighed = task.training_step(model, batch, phase).loss
    batch.weights = None
    plain = task.training_step(model, batch, phase).loss
    expected = plain * torch.from_numpy(WEIGHTS.astype(np.float32)[batch.ids])
    assert torch.equal(weighed, expected)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf, "heavy"])
def test_a_weight_that_is_none_is_named(tmp_path, bad: object) -> None:
    weights = [bad] * ROWS
    with pytest.raises(DataError, match="14 of 14 training samples have a weight") as error:
        prepared(load(), tmp_path, weights)
    assert "data.weights: column w" in str(error.value)


def test_the_column_must_be_there_and_the_task_must_heed_it(tmp_path) -> None:
    with pytest.raises(DataError, match="no column 'ww'") as error:
        prepared(load(weights="ww"), tmp_path)
    assert "data.weights" in str(error.value)
    adversarial = {"name": "adversarial"}
    with pytest.raises(RecipeError, match="weighs no samples"):
        build_task(load(adversarial, targets={}).recipe)

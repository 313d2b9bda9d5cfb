"""Two networks, two optimizers, one loop."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import yaml

from trainwright import recipe as recipes
from trainwright.cli import main
from trainwright.data.batch import Batch
from trainwright.data.types import DataInfo, TensorSpec
from trainwright.errors import ModelError, RecipeError
from trainwright.runs.listing import all_runs
from trainwright.tasks.adversarial import AdversarialTask

IMAGE = TensorSpec("image", (1, 4, 4))
MODEL = {"name": "adversary", "latent": 4, "hidden": 8, "dropout": 0.0}
RECIPE = {
    "name": "forger",
    "task": {
        "name": "adversarial",
        "discriminator_optimizer": {"name": "sgd", "lr": 0.5},
    },
    "data": {
        "source": "digits",
        "inputs": {"image": {"type": "image", "size": [8, 8]}},
        "split": {"val": 0.1, "test": 0.1},
    },
    "model": {"name": "adversary", "latent": 4, "hidden": 8},
    "train": {
        "steps": 2,
        "batch_size": 32,
        "threads": 1,
        "precision": "fp32",
        "optimizer": {"name": "adam", "lr": 1e-3},
    },
}


@pytest.fixture
def game():
    task = AdversarialTask(MODEL, real_label=0.9)
    torch.manual_seed(1)
    model = task.build(DataInfo({"image": IMAGE}, {}, {}))
    images = torch.rand(6, 1, 4, 4)
    return task, model, Batch({"image": images}, {}, np.arange(6))


def test_each_phase_owns_one_network(game):
    task, model, _ = game
    phases = task.phases(model)
    assert [phase.name for phase in phases] == ["discriminator", "generator"]
    owned = [{id(p) for _, p in phase.parameters} for phase in phases]
    assert not owned[0] & owned[1]
    assert owned[0] | owned[1] == {id(p) for p in model.parameters()}
    names = dict(model.named_parameters())
    assert all(names[name] is p for phase in phases for name, p in phase.parameters)


def test_losses_are_those_of_the_paper_with_a_smooth_real_label(game):
    task, model, batch = game
    discriminator, generator = task.phases(model)
    torch.manual_seed(2)
    said = task.training_step(model, batch, discriminator)
    torch.manual_seed(2)
    fake = model.generator(torch.randn(6, 4))
    real = torch.sigmoid(model.discriminator(batch.inputs["image"]))[:, 0]
    forged = torch.sigmoid(model.discriminator(fake))[:, 0]
    expected = -0.5 * (0.9 * torch.log(real) + 0.1 * torch.log(1 - real) + torch.log(1 - forged))
    torch.testing.assert_close(said.loss, expected)
    assert said.logs["says_real"].item() == pytest.approx(real.sum().item())
    assert said.logs["says_fake"].item() == pytest.approx(forged.sum().item())
    torch.manual_seed(2)
    torch.testing.assert_close(task.training_step(model, batch, generator).loss, -torch.log(forged))


def test_the_discriminators_turn_moves_no_generator(game):
    task, model, batch = game
    task.training_step(model, batch, task.phases(model)[0]).loss.mean().backward()
    assert all(p.grad is None for p in model.generator.parameters())
    assert all(p.grad is not None for p in model.discriminator.parameters())


def test_score_is_the_distance_from_a_draw():
    task = AdversarialTask(MODEL)
    opinion = torch.logit(torch.tensor([[0.8], [0.6]]))
    scores = task.score({"real": opinion}, {})
    assert scores == pytest.approx({"loss": 0.2, "says_real": 0.7})
    assert task.monitor() == ("loss", "min")


def test_it_needs_one_image_and_no_target():
    with pytest.raises(RecipeError, match="no targets"):
        AdversarialTask(MODEL, {"label": None})
    with pytest.raises(RecipeError, match="one image input"):
        AdversarialTask(MODEL).build(DataInfo({"x": TensorSpec("number", (2,))}, {}, {}))
    with pytest.raises(RecipeError, match="one image input"):
        AdversarialTask(MODEL).build(DataInfo({"a": IMAGE, "b": IMAGE}, {}, {}))


def test_a_model_without_both_networks_is_refused():
    with pytest.raises(ModelError, match="mlp has no generator and no discriminator and no latent"):
        AdversarialTask({"name": "mlp"}).build(DataInfo({"image": IMAGE}, {}, {}))


def test_a_wrong_optimizer_of_a_phase_is_named():
    wrong = {**RECIPE, "task": {**RECIPE["task"], "generator_optimizer": {"name": "adam", "lr": -1.0}}}
    with pytest.raises(RecipeError, match=r"task\.generator_optimizer\.lr: expected a number > 0"):
        recipes.load(wrong)


def test_two_steps_end_in_a_scored_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "forger.yaml").write_text(yaml.safe_dump(RECIPE))
    assert main(["train", "forger.yaml", "--quiet"]) == 0, capsys.readouterr().err
    [run] = all_runs("runs")
    logged = run.metrics()
    for name in ("discriminator_loss", "generator_loss", "discriminator_says_real"):
        assert len(logged[f"train/{name}"]) >= 1
    assert 0 <= run.metrics()["val/says_real"][-1][1] <= 1
    scores = json.loads((run.evaluation("test") / "metrics.json").read_text())
    assert set(scores) == {"loss", "says_real"} and run.report.exists()

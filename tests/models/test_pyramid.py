"""One pyramid, several heads: outputs, losses, and errors."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from trainwright import recipe as recipes
from trainwright.data.batch import Batch
from trainwright.data.prepare import prepare
from trainwright.engine.build import build_task
from trainwright.errors import ErrorList, ModelError, TrainwrightError

BACKBONE = {"name": "small", "widths": [8, 12], "blocks": [1, 1]}


class Doubled(nn.Module):
    """Learns a number by a loss of its own: the squared distance and, apart, its tenth."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.layer = nn.Linear(channels[-1], 1)

    def predict(self, features: list[Tensor]) -> Tensor:
        result: Tensor = self.layer(features[-1].mean((2, 3)))
        return result

    def loss(self, features: list[Tensor], target: Tensor) -> dict[str, Tensor]:
        square = (self.predict(features) - target).square()[:, 0]
        return {"square": square, "tenth": square / 10}


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(2)
    return {
        "image": rng.integers(0, 255, (12, 16, 24, 3), dtype=np.uint8),
        "kind": np.array(["a", "b", "c"] * 4),
        "size": rng.normal(5, 2, 12),
    }


def built(pictures, tmp_path, targets, **model):
    recipe = recipes.load(
        {
            "name": "p",
            "data": {
                "source": "arrays",
                "inputs": {"image": {"type": "image"}},
                "targets": targets,
                "split": {"val": 0.0},
            },
            "model": {"name": "pyramid", "backbone": BACKBONE, "neck": {"name": "fpn", "width": 5}, **model},
        }
    ).recipe
    data = prepare(recipe.data, cache_dir=tmp_path, memory_data=pictures)
    task = build_task(recipe)
    torch.manual_seed(0)
    network = task.build(data.info())
    tensors = {
        name: item.to_tensor(torch.from_numpy(np.array(data.arrays[name])))
        for name, item in (data.inputs | data.targets).items()
    }
    inputs = {"image": tensors["image"]}
    return task, network, Batch(inputs, {name: tensors[name] for name in targets}, np.arange(12))


def test_heads_of_vectors_learn_like_whole_models(pictures, tmp_path):
    task, model, batch = built(
        pictures, tmp_path, {"kind": "category", "size": {"type": "number", "weight": 2.0}}
    )
    model.eval()
    outputs = model(batch.inputs["image"])
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {"kind": (12, 3), "size": (12, 1)}
    [phase] = task.phases(model)
    step = task.training_step(model, batch, phase)
    kind = nn.functional.cross_entropy(outputs["kind"], batch.targets["kind"], reduction="none")
    size = (outputs["size"] - batch.targets["size"]).square()[:, 0]
    torch.testing.assert_close(step.loss, kind + 2 * size)


def test_a_head_with_a_loss_of_its_own_is_given_the_truth(pictures, tmp_path):
    heads = {"size": f"{__name__}:Doubled"}
    task, model, batch = built(pictures, tmp_path, {"size": "number"}, heads=heads)
    [phase] = task.phases(model)
    step = task.training_step(model.train(), batch, phase)
    model.eval()
    answer = model(batch.inputs["image"])["size"]["answer"]
    assert answer.shape == (12, 1)
    with torch.no_grad():
        judged = task.predict(model, batch)
    square = (answer - batch.targets["size"]).square()[:, 0]
    torch.testing.assert_close(judged["size"]["loss"], square * 1.1)
    assert set(step.logs) == {"loss_square", "loss_tenth"}
    torch.testing.assert_close(step.logs["loss_square"], step.logs["loss_tenth"] * 10)
    scores = task.score(judged, batch.targets)
    decode = task.targets[0].decode
    error = decode(answer.detach()) - decode(batch.targets["size"])
    assert scores["loss"] == pytest.approx(float((square.detach() * 1.1).mean()), rel=1e-5)
    assert scores["mae"] == pytest.approx(float(np.abs(error).mean()), rel=1e-5)
    assert task.facts() == ["target size: loss of its head, metrics mae, rmse, r2"]


@pytest.mark.parametrize(
    ("targets", "model", "words"),
    [
        ({"kind": "category"}, {"heads": {"kidn": "linear"}}, "did you mean 'kind'"),
        (
            {"size": {"type": "number", "loss": "mae"}},
            {"heads": {"size": f"{__name__}:Doubled"}},
            "has no effect",
        ),
        ({"kind": "category"}, {"backbone": "resnet81"}, "resnet18"),
        ({"kind": "category"}, {"heads": {"kind": "liner"}}, "linear"),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_way_out(pictures, tmp_path, targets, model, words):
    with pytest.raises((TrainwrightError, ErrorList), match=words):
        built(pictures, tmp_path, targets, **model)


def test_a_model_of_numbers_side_by_side_learns_no_boxes():
    from trainwright.data.types import DataInfo, TensorSpec
    from trainwright.recipe.schema import Target
    from trainwright.tasks.supervised.task import SupervisedTask

    task = SupervisedTask(
        {"objects": Target.model_validate({"type": "boxes", "metrics": []})}, {"name": "cnn"}
    )
    info = DataInfo(
        {"image": TensorSpec("image", (3, 32, 32))},
        {"objects": TensorSpec("boxes", (5, 4), classes=("a",))},
        {},
    )
    with pytest.raises(ModelError, match="cnn does not learn the boxes target 'objects'"):
        task.build(info)

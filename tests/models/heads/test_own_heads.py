"""Heads of a user's own that are wrong are told before the first step, by name, method and line."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from trainwright import registry
from trainwright.data.batch import Batch
from trainwright.data.types import DataInfo, TensorSpec
from trainwright.engine.preflight import check_model
from trainwright.errors import ModelError, RecipeError, UserError
from trainwright.recipe.schema import Target
from trainwright.tasks.supervised.task import SupervisedTask

FILE = "test_own_heads.py"
BOXES = TensorSpec("boxes", (3, 4), "float32", ("a", "b"), (4, 4))
MASK = TensorSpec("mask", (32, 32), "int64", ("a", "b", "c"), (1, 1, 1), void=255)
NUMBER = TensorSpec("number", (2,))
TRUTH: dict[str, Any] = {
    "number": torch.zeros(4, 2),
    "boxes": {
        "boxes": torch.tensor([[4.0, 4, 20, 20], [0, 0, 9, 9], [0, 0, 0, 0]]).expand(4, 3, 4),
        "labels": torch.tensor([[0, 1, -1]]).expand(4, 3),
    },
    "mask": torch.randint(0, 3, (4, 32, 32), generator=torch.Generator().manual_seed(0)),
}


class Own(nn.Module):
    """Finds two objects, or paints all pixels, and is wrong in a way that the recipe names.

    Args:
        wrong: In which way.
    """

    def __init__(self, target: TensorSpec, channels: tuple[int, ...], *, wrong: str = "") -> None:
        super().__init__()
        self.wrong, self.is_mask = wrong, target.type == "mask"
        self.out = nn.Linear(channels[0], 4)
        if wrong == "constructor":
            raise ValueError("first\nsecond")

    def told(self, features: list[Tensor]) -> Tensor:
        numbers: Tensor = self.out(features[0].mean((2, 3)))
        return numbers

    def loss(self, features: list[Tensor], target: Any) -> Any:
        each = self.told(features).abs().mean(1)
        losses: dict[str, Any] = {
            "scalar loss": each.mean(),
            "part": {"near": each, "far": each.mean()},
            "nan": {"near": each, "far": each * torch.nan},
            "no loss": None,
        }
        if self.wrong == "raises":
            raise ValueError("not\nlike this")
        if self.wrong == "layer":
            return self.out(features[0])
        return losses.get(self.wrong, each)

    def predict(self, features: list[Tensor]) -> Any:
        count = len(features[0])
        if self.is_mask:
            return torch.full((count, 32, 32), 3 if self.wrong == "class" else 2, dtype=torch.uint8)
        answer: dict[str, Any] = {
            "boxes": torch.tensor([1.0, 1, 9, 9]).expand(count, 2, 4) + self.told(features)[:, None] * 0,
            "labels": torch.tensor([1, -1]).expand(count, 2),
            "scores": torch.tensor([0.5, 0.1]).expand(count, 2),
        }
        if self.wrong == "class":
            answer["labels"] = answer["labels"] + 1
        if self.wrong == "box":
            answer["boxes"] = answer["boxes"][:, 0]
        if self.wrong == "nan box":
            answer["boxes"] = answer["boxes"] * torch.nan
        if self.wrong == "float labels":
            answer["labels"] = answer["labels"].float()
        if self.wrong == "no scores":
            del answer["scores"]
        if self.wrong == "number of objects" and count == 1:
            answer = {name: part[:, :1] for name, part in answer.items()}
        if self.wrong == "predict raises":
            raise KeyError("boxen")
        return None if self.wrong == "no answer" else answer


class Compared(Own):
    """Keeps what nothing can be told of."""

    def compare(self, answer: Any, target: Any) -> Any:
        return {"overlap": answer["scores"]}


class Function(nn.Module):
    """A function of the maps, of which a loss of the recipe reads what it gives."""

    def __init__(self, channels: tuple[int, ...], *, gives: str) -> None:
        super().__init__()
        self.gives, self.out = gives, nn.Linear(channels[0], 3)

    def forward(self, features: list[Tensor]) -> Any:
        if self.gives == "error":
            raise ValueError("no way")
        return self.out(features[0].mean((2, 3))) if self.gives == "three" else None


class WithoutLoss(nn.Module):
    def __init__(self) -> None:
        super().__init__()

    def predict(self, features: list[Tensor]) -> None:
        """Nothing."""


class WithoutPredict(nn.Module):
    def loss(self, features: list[Tensor], target: Any) -> None:
        """Nothing."""


class Neither(nn.Module):
    pass


def line_of(method: Any) -> str:
    return f"{FILE}:{inspect.getsourcelines(method)[1]}"


def build(head: str, spec: TensorSpec = BOXES, **parameters: Any) -> tuple[SupervisedTask, nn.Module]:
    model = {
        "name": "pyramid",
        "backbone": {"name": "small", "widths": [4, 8], "blocks": [1, 1]},
        "neck": {"name": "fpn", "width": 4},
        "heads": {"what": {"name": f"{__name__}:{head}", **parameters}},
    }
    task = SupervisedTask({"what": Target(type=spec.type)}, model)
    info = DataInfo(
        {"image": TensorSpec("image", (3, 32, 32))},
        {"what": spec},
        {"train": 4},
        {"what": lambda value: value},
    )
    return task, task.build(info)


def refused(head: str = "Own", spec: TensorSpec = BOXES, **parameters: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        task, model = build(head, spec, **parameters)
        check(task, model)
    assert caught.value.where == "model.heads.what"
    assert caught.value.fix and caught.value.why
    return caught.value


def check(task: SupervisedTask, model: nn.Module) -> Any:
    torch.manual_seed(0)
    images = torch.rand(4, 3, 32, 32)
    [target] = task.targets
    return check_model(task, model, Batch({"image": images}, {"what": TRUTH[target.spec.type]}, np.arange(4)))


@pytest.mark.parametrize(("spec", "metric"), [(BOXES, "val/map"), (MASK, "val/miou")])
def test_a_sound_head_passes_and_needs_no_compare(spec, metric):
    found = check(*build("Own", spec))
    assert metric in found.names
    assert set(found.first.plain) == {"what"}


def test_masks_are_compared_where_the_head_does_not():
    task, model = build("Own", MASK)
    images = torch.rand(4, 3, 32, 32)
    kept = task.predict(model.eval(), Batch({"image": images}, {"what": TRUTH["mask"]}, np.arange(4)))
    counts = torch.stack([(TRUTH["mask"] == place).sum((1, 2)) for place in range(3)], 1)
    assert kept["what"]["confusion"][:, :, 2].tolist() == counts.tolist()  # all was painted as the last one
    assert set(kept["what"]) == {"loss", "confusion", "boundary"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("scalar loss", "the loss has shape [] for 2 samples"),
        ("part", "the part `far` of the loss has shape [] for 2 samples"),
        ("nan", "gives [nan, nan] as `far` for the very first samples"),
        ("no loss", "gives None"),
    ],
)
def test_a_loss_that_cannot_be_learned_from(wrong, words):
    error = refused(wrong=wrong)
    assert words in error.what
    assert "`loss` of head" in error.what and line_of(Own.loss) in error.what
    assert "learning rate" not in error.fix and "lr" not in error.fix


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("class", "gives `labels` with 2, which is not from -1 to 1"),
        ("box", "gives `boxes` of shape [2, 4] for 2 samples, not [B, K, 4]"),
        ("nan box", "gives `boxes` that are NaN or infinite"),
        ("float labels", "gives `labels` of dtype float32"),
        ("no scores", "gives no `scores`"),
        ("number of objects", "gives boxes of [1, 4] per sample, and of [2, 4] before"),
        ("no answer", "gives None"),
    ],
)
def test_an_answer_that_cannot_be_read(wrong, words):
    error = refused(wrong=wrong)
    assert words in error.what
    assert "`predict` of head" in error.what and line_of(Own.predict) in error.what


def test_a_class_of_pixels_that_there_is_not():
    assert "values with 3, which is not from 0 to 2" in refused(spec=MASK, wrong="class").what


def test_what_compare_keeps_is_blamed_on_compare():
    error = refused("Compared")
    assert "`compare` of head" in error.what and line_of(Compared.compare) in error.what
    assert "no `boxes` and no `labels` and no `scores` (it has overlap)" in error.what
    assert "scoring keeps" in error.why


@pytest.mark.parametrize(
    ("wrong", "method", "words"),
    [
        ("raises", "loss", "ValueError: not / like this"),
        ("predict raises", "predict", "KeyError: 'boxen'"),
        ("layer", "loss", "layer 'heads.what.out' (Linear) fails on an input of shape"),
    ],
)
def test_what_a_method_raises_is_told_with_its_line(wrong, method, words):
    error = refused(wrong=wrong)
    assert f"`{method}` of head {__name__}:Own fails at " in error.what
    first = inspect.getsourcelines(getattr(Own, method))[1]
    line = int(error.what.rpartition(":")[2])
    assert FILE in error.what and first < line < first + len(inspect.getsourcelines(getattr(Own, method))[0])
    assert words in error.why


def test_a_constructor_that_raises_several_lines():
    error = refused(wrong="constructor")
    assert error.what == f"head {__name__}:Own could not be built: ValueError: first / second"
    assert f"raised at {error.why.removeprefix('raised at ')}" == error.why and FILE in error.why


@pytest.mark.parametrize(
    ("gives", "words"),
    [
        ("three", "gives [3] per sample, target 'what' needs [2]"),
        ("nothing", "gives None"),
        ("error", "`forward` of head"),
    ],
)
def test_a_head_that_is_a_function_of_the_maps(gives, words):
    error = refused("Function", NUMBER, gives=gives)
    assert words in error.what and FILE in error.what


@pytest.mark.parametrize(
    ("head", "lacks"),
    [
        ("WithoutLoss", "no `loss`"),
        ("WithoutPredict", "no `predict`"),
        ("Neither", "no `loss` and no `predict`"),
    ],
)
def test_methods_that_are_missing_are_named(head, lacks):
    error = refused(head)
    assert error.what == f"head {__name__}:{head} has {lacks}"
    assert FILE in error.fix and "pyramid" not in error.fix


@pytest.mark.parametrize(
    ("targets", "words", "fix"),
    [
        ('"boxes"', "TARGETS is 'boxes', and has to be a tuple", '("boxes",)'),
        ('("box",)', "there is no column type 'box'", '("boxes",)'),
        ("3", "TARGETS is 3", "leave it out"),
    ],
)
def test_types_that_are_none_are_refused(tmp_path, monkeypatch, targets, words, fix):
    (tmp_path / "odd_head.py").write_text(f"TARGETS = {targets}\n\n\nclass Odd:\n    pass\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError) as caught:
        registry.describe("head", "odd_head:Odd")
    assert words in caught.value.what and fix in caught.value.fix
    assert caught.value.where.endswith("odd_head.py")


def test_a_type_of_a_users_own_may_be_learned(tmp_path, monkeypatch):
    (tmp_path / "spectral_head.py").write_text('TARGETS = ("spectra",)\n\n\nclass Own:\n    pass\n')
    monkeypatch.chdir(tmp_path)
    assert registry.describe("head", "spectral_head:Own").targets == ("spectra",)


def test_places_of_parameters_are_those_of_the_recipe():
    task = SupervisedTask(
        {"what": Target(type="mask")},
        {
            "name": "pyramid",
            "backbone": {"name": "small", "widths": [4, 8], "blocks": [1, 1]},
            "heads": {"what": {"name": "dense", "pixels": 3}},
        },
    )
    with pytest.raises(ModelError) as caught:
        task.build(DataInfo({"image": TensorSpec("image", (3, 32, 32))}, {"what": MASK}, {"train": 4}))
    assert caught.value.where == "model.heads.what.pixels"


@pytest.mark.parametrize("first", ["faster_rcnn", "heatmaps"])
def test_a_first_stage_that_makes_no_proposals(first):
    task = SupervisedTask(
        {"what": Target(type="boxes")},
        {
            "name": "pyramid",
            "backbone": {"name": "small", "widths": [4, 8], "blocks": [1, 1]},
            "heads": {"what": {"name": "faster_rcnn", "first_stage": {"name": first}}},
        },
    )
    with pytest.raises(UserError) as caught:
        task.build(DataInfo({"image": TensorSpec("image", (3, 32, 32))}, {"what": BOXES}, {"train": 4}, {}))
    assert caught.value.where == "model.heads.what.first_stage"
    assert "fcos, retinanet, ssd" in caught.value.fix

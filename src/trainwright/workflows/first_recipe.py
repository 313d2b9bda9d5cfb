"""A complete recipe for data that nobody has described: sensible, commented, and known to be valid."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from trainwright.data.objects import OBJECT_TYPES
from trainwright.models.heads import DEFAULTS as HEADS
from trainwright.models.widths import VECTORS
from trainwright.recipe.writing import flow
from trainwright.wording import counted

_LOCATED = (*OBJECT_TYPES, "mask")  # what lies at a place in the picture
_SMALL_IMAGE = 40  # pixels a side up to which the models for small pictures fit
_ENOUGH_FOR_RESNET = 5000
_STEPS = 3000  # optimizer steps that a first recipe aims at


class Guess(Protocol):
    """What `data.sniffing` finds out about a file or folder."""

    @property
    def source(self) -> Mapping[str, Any]: ...
    @property
    def inputs(self) -> Mapping[str, Mapping[str, Any]]: ...
    @property
    def targets(self) -> Mapping[str, Mapping[str, Any]]: ...
    @property
    def split(self) -> Mapping[str, Any] | None: ...
    @property
    def notes(self) -> list[str]: ...
    @property
    def size(self) -> int: ...
    @property
    def training(self) -> int: ...


def _convolutions(*parts: dict[str, Any]) -> dict[str, Any]:
    """A network of convolutions along all axes that the input has, and an average at the end."""
    layers: list[Any] = []
    for part in parts:
        layers += [{"type": "conv", **part}, {"type": "batch_norm", "activation": "relu"}]
    return {"name": "layers", "layers": [*layers, "global_avg_pool", {"type": "dense", "units": "outputs"}]}


_SIGNAL_MODELS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "series": (
        _convolutions(*({"filters": f, "kernel": k} for f, k in ((32, 7), (64, 5), (64, 3)))),
        {"layers": "convolutions along time"},
    ),
    "audio": (
        {"name": "cnn", "widths": [32, 64, 128], "batch_norm": True, "dropout": 0.3},
        {"name": "reads the mel spectrogram as a picture"},
    ),
    "video": (
        _convolutions(*({"filters": f, "stride": 2} for f in (16, 32, 64))),
        {"layers": "convolutions over time, height and width"},
    ),
}


@dataclass
class Choice:
    """A section of the recipe with the reason for it."""

    values: dict[str, Any]
    why: dict[str, str] = field(default_factory=dict)


def first_recipe(guess: Guess, name: str, path: str, *, command: str) -> str:
    """YAML text of a recipe, each line of it explained, validated as a whole.

    Args:
        guess: What the data look like.
        name: The recipe's name.
        path: Where the data lie, for the description.
        command: The launch line for the top.

    Raises:
        RecipeError, ErrorList: The text is not a valid recipe, which is a defect of ours.
    """
    text = _text(guess, name, path, command)
    validate(text)
    return text


def validate(text: str) -> None:
    """Loads the text as a recipe. Raises RecipeError or ErrorList."""
    from trainwright import recipe
    from trainwright.recipe.yaml12 import parse

    recipe.load(parse(text, "the new recipe").plain())


def recipe_name(path: Path) -> str:
    """A recipe name from a file or folder: letters, digits, `_`, `.` and `-`."""
    stem = path.resolve().name.split(".")[0] if path.is_file() else path.resolve().name
    words = re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-._")
    return words or "my-recipe"


def choose_model(guess: Guess) -> Choice:
    """A model that suits the inputs' types and sizes."""
    images = [column for column in guess.inputs.values() if column["type"] == "image"]
    if images and len(images) < len(guess.inputs):
        return Choice({"name": "compose"}, {"name": "an encoder per input, joined"})
    only = next(iter(guess.inputs.values()))["type"] if len(guess.inputs) == 1 else ""
    if only in _SIGNAL_MODELS:
        return Choice(*_SIGNAL_MODELS[only])
    if not images:
        width = 64 if guess.size < 10_000 else 256
        return Choice(
            {"name": "mlp", "hidden": [width, width], "dropout": 0.1},
            {"hidden": "width of each hidden layer"},
        )
    if any(column["type"] in HEADS and column["type"] not in VECTORS for column in guess.targets.values()):
        return Choice({"name": "pyramid"}, {"name": "maps of several sizes, a head per target"})
    side = max(_size(images[0]))
    if side > _SMALL_IMAGE:
        return Choice(
            {"name": "mobilenetv2_100", "pretrained": False},
            {
                "name": "any name of timm fits here: resnet50, convnext_tiny, ...",
                "pretrained": "true starts from published weights and needs far fewer epochs",
            },
        )
    if guess.size >= _ENOUGH_FOR_RESNET and side >= 32:
        return Choice({"name": "resnet_cifar", "depth": 20}, {"name": "a ResNet for small pictures"})
    blocks = max(1, min(3, int(math.log2(side)) - 1))
    return Choice({"name": "cnn", "widths": [16, 32, 64][:blocks]}, {"widths": "channels of each block"})


def choose_training(guess: Guess) -> Choice:
    """Batch size, epochs and learning rate from the number of samples."""
    trained = guess.training
    batch = 2 ** round(math.log2(min(256, max(16, guess.size / 60))))
    photos = any(
        column["type"] == "image" and max(_size(column)) > _SMALL_IMAGE for column in guess.inputs.values()
    )
    if photos:
        batch = min(batch, 64)
    epochs = min(100, max(5, round(_STEPS * batch / max(1, trained))))
    values: dict[str, Any] = {
        "epochs": epochs,
        "batch_size": batch,
        "optimizer": {"name": "adamw", "lr": 1e-3, "weight_decay": 0.01},
        "schedule": {"name": "one_cycle"},
        "precision": "auto",
        "seed": 0,
    }
    why = {
        "epochs": f"about {epochs * -(-trained // batch):,} steps over {trained:,} training samples",
        "optimizer": "also sgd, adam, rmsprop ...: trainwright explain optimizer",
        "schedule": "also cosine, step, constant ...: trainwright explain schedule",
        "precision": "fp32 or bf16, whichever measures faster here",
    }
    if (guess.split or {}).get("val"):
        values["early_stop"] = {"patience": max(5, epochs // 4)}
        why["early_stop"] = "evaluations without a better value"
    return Choice(values, why)


def choose_augmentation(guess: Guess) -> Choice:
    """Crops for pictures; flips only for photos, since a flipped digit is another one.

    What lies at a place in the picture is turned and scaled a little instead, so that little of it is lost.
    """
    columns = [column for column in guess.inputs.values() if column["type"] == "image"]
    if not columns or len(columns) > 1:
        return Choice({})
    height, width = _size(columns[0])
    located = {column["type"] for column in guess.targets.values()} & set(_LOCATED)
    if located:
        moves = [{"name": "affine", "degrees": 5.0, "scale": [0.7, 1.4]}, {"name": "flip"}]
        why = {"augment": f"training only; {', '.join(sorted(located))} are moved along"}
        return Choice({"augment": [*moves, {"name": "colour_jitter"}]}, why)
    if max(height, width) > _SMALL_IMAGE:
        return Choice({"augment": [{"name": "resized_crop"}, {"name": "flip"}]}, {"augment": "training only"})
    why = {"augment": "training only; add flip where a mirrored picture is as good"}
    return Choice({"augment": [{"name": "random_crop", "padding": max(1, height // 8)}]}, why)


def _text(guess: Guess, name: str, path: str, command: str) -> str:
    split = None if guess.split is None else dict(guess.split)
    lines = [f"# {command}"]
    lines += [f"# {note}" for note in guess.notes]
    size = counted(guess.size, "sample")
    lines += [
        f"name: {name}",
        f"description: {flow(f'Made for {path}, {size}.')}",
        "task: supervised",
    ]
    lines += ["data:", f"  source: {flow(dict(guess.source))}", "  inputs:"]
    lines += [f"    {flow(key)}: {flow(dict(value))}" for key, value in guess.inputs.items()]
    lines += ["  targets:" if guess.targets else "  targets: {}"]
    lines += [f"    {flow(key)}: {flow(dict(value))}" for key, value in guess.targets.items()]
    if split == {}:
        lines += ["  split: {}  # too few samples to set any aside"]
    elif split:
        lines += [f"  split: {flow(split)}  # rows by chance, always the same ones"]
    else:
        lines += ["  # split: the data bring their own"]
    lines += ["  on_bad: {policy: stop}  # skip leaves out what cannot be read, up to a limit, and counts it"]
    lines += _section("", choose_augmentation(guess), indent="  ")
    lines += _section("model", choose_model(guess))
    lines += _section("train", choose_training(guess))
    return "\n".join(lines) + "\n"


def _section(title: str, choice: Choice, indent: str = "  ") -> list[str]:
    lines = [f"{title}:"] if title else []
    for key, value in choice.values.items():
        why = choice.why.get(key)
        lines.append(f"{indent}{key}: {flow(value)}" + (f"  # {why}" if why else ""))
    return lines


def _size(column: Mapping[str, Any]) -> tuple[int, int]:
    size = column.get("size", 224)
    return (size, size) if isinstance(size, int) else (size[0], size[1])

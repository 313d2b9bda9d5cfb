"""The table of causes: how each entry becomes a folder with a recipe, and an answer of the command line."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

FOLDER = Path(__file__).resolve().parents[1] / "causes"
KINDS = ("schema", "data", "shapes", "loss_metric", "weights", "resources", "plugins")


@dataclass(frozen=True)
class Cause:
    """One entry; the fields are explained in `tests/causes/README.md`."""

    name: str
    kind: str
    what: str
    where: str
    fix: list[str]
    says: list[str] = field(default_factory=list)
    base: str = ""
    recipe: str = ""
    set: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, list[int]] = field(default_factory=dict)
    repeat: dict[str, str] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    weights: dict[str, dict[str, list[int]]] = field(default_factory=dict)

    def make(self, folder: Path) -> list[str]:
        """Writes everything into a folder; gives the words behind `trainwright check`."""
        for path, text in self.files.items():
            _place(folder, path).write_text(text)
        for path, shape in self.pictures.items():
            _draw(folder, path, shape)
        for source, target in self.repeat.items():
            shutil.copy(folder / source, _place(folder, target))
        for path, shapes in self.weights.items():
            tensors = {name: torch.rand(shape) for name, shape in shapes.items()}
            save_file(tensors, _place(folder, path))
        for path, count in self.cut.items():
            (folder / path).write_bytes((folder / path).read_bytes()[:count])
        if self.recipe:
            (folder / "recipe.yaml").write_text(self.recipe)
        return [self.base or "recipe.yaml", *(f"{key}={_written(value)}" for key, value in self.set.items())]


def causes(file: str) -> list[Cause]:
    """All entries of a file of the table."""
    return [Cause(**entry) for entry in yaml.safe_load((FOLDER / file).read_text())]


def answers(stderr: str) -> list[str]:
    """The errors that a command printed, each with its reason and advice, in lower case."""
    text = stderr.split("error: ", 1)[1] if "error: " in stderr else ""
    return [part.lower() for part in re.split(r"\n(?! )", text) if part.strip()]


def _written(value: Any) -> str:
    """A value as it is typed on a command line."""
    return value if isinstance(value, str) else json.dumps(value)


def _place(folder: Path, path: str) -> Path:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _draw(folder: Path, path: str, shape: list[int]) -> None:
    height, width, *count = shape
    names = [path.format(number) for number in range(count[0])] if count else [path]
    for name in names:
        noise = np.random.default_rng(list(name.encode())).integers(0, 256, (height, width, 3))
        Image.fromarray(noise.astype(np.uint8)).save(_place(folder, name))

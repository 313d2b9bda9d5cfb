"""Real trainings, small enough for a test: digits, a few thousand weights, one thread."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from trainwright import recipe as recipes
from trainwright.data.prepare import prepare
from trainwright.data.types import PreparedData
from trainwright.engine.build import build_network, build_parts, build_task
from trainwright.engine.distributed import Processes
from trainwright.engine.loop import Loop
from trainwright.engine.parts import Parts
from trainwright.engine.runtime import Execution, Runtime
from trainwright.engine.signals import StopRequest
from trainwright.engine.state_tree import flatten, unflatten
from trainwright.progress import NoProgress
from trainwright.recipe.schema import Recipe

BASE: dict[str, Any] = {
    "name": "tiny",
    "data": {
        "source": "digits",
        "inputs": {"image": {"type": "image", "size": [8, 8]}},
        "targets": {"label": {"type": "category"}},
        "split": {"val": 0.05, "test": 0.85},
    },
    "model": {"name": "mlp", "hidden": [12], "dropout": 0.2},
    "train": {
        "epochs": 3,
        "batch_size": 32,
        "device": "cpu",
        "threads": 1,
        "precision": "fp32",
        "memory_format": "contiguous",
        "log_every": 2,
    },
    "report": {"enabled": False},
}
"""180 training samples: six steps an epoch, of which the last has 20 samples."""

EVERYTHING: dict[str, Any] = {
    "data.augment": [{"name": "random_crop", "padding": 1}, "flip"],
    "model": {"name": "cnn", "widths": [4, 6], "head": 8, "dropout": 0.3, "batch_norm": True},
    "train.optimizer": {"name": "adamw", "lr": 0.01},
    "train.schedule": {"name": "one_cycle", "cycle_momentum": True},
    "train.ema": {"decay": 0.9},
    "train.clip.norm": 0.5,
    "train.micro_batch": 12,
    "train.early_stop": {"monitor": "val/loss", "patience": 50},
    "train.memory_format": "channels_last",
    "train.health.every": 4,
}
"""Overrides that switch on whatever has a state."""


def load(overrides: Mapping[str, Any] | None = None) -> Recipe:
    """The base recipe with overrides."""
    return recipes.load(copy.deepcopy(BASE), dict(overrides or {})).recipe


def prepared(recipe: Recipe) -> PreparedData:
    """The recipe's data; read once for all recipes with the same data section."""
    return _prepared(recipe.data.model_dump_json(), recipe.model_dump_json())


@functools.lru_cache(maxsize=8)
def _prepared(data: str, whole: str) -> PreparedData:
    recipe = Recipe.model_validate(json.loads(whole))
    return prepare(recipe.data, cache_dir=Path("/nonexistent-cache"), workers=0, seed=recipe.train.seed)


@dataclass
class Notes:
    """A journal in memory."""

    lines: list[tuple[int, float, dict[str, float]]] = field(default_factory=list)

    def log(self, step: int, epoch: float, values: dict[str, Any]) -> None:
        self.lines.append((step, epoch, {name: float(value) for name, value in values.items()}))

    def series(self) -> dict[str, dict[int, float]]:
        """Name -> step -> value."""
        found: dict[str, dict[int, float]] = {}
        for step, _, values in self.lines:
            for name, value in values.items():
                found.setdefault(name, {})[step] = value
        return found


class Kept:
    """A checkpoint writer that keeps copies in memory, through the same flattening as the real one."""

    def __init__(self) -> None:
        self.written: list[tuple[int, str, dict[str, Tensor]]] = []
        self.best: dict[int, bytes] = {}

    def submit(self, step: int, tree: Any, *, regular: bool = False) -> None:
        structure, tensors = flatten(tree)
        self.written.append((step, json.dumps(structure), tensors))

    def tree(self, step: int, *, closed: bool | None = None) -> Any:
        """The state of a step; where there are two, before or after its epoch was closed."""
        found = [item for item in self.written if item[0] == step]
        _, structure, tensors = found[-1 if closed or closed is None else 0]
        return unflatten(json.loads(structure), {name: tensor.clone() for name, tensor in tensors.items()})


def parts(recipe: Recipe, processes: Processes | None = None) -> Parts:
    """Everything the loop drives, on the CPU."""
    data, task = prepared(recipe), build_task(recipe)
    model = build_network(task, recipe, data)
    train = recipe.train
    execution = Execution(
        "cpu",
        channels_last=train.memory_format == "channels_last",
        threads=1,
        micro_batch=train.micro_batch,
        evaluation_batch=32,
    )
    return build_parts(recipe, data, task, model, Runtime(execution), processes or Processes())


def loop(overrides: Mapping[str, Any] | None = None, *, stop: Any = None, **given: Any) -> Loop:
    """A loop over the base recipe with overrides, its journal `Notes` and its writer `Kept`."""
    built, kept = parts(load(overrides), **given), Kept()
    made: list[Loop] = []

    def keep_best() -> None:
        kept.best[made[0].position.step] = bits(built.model.state_dict())

    made.append(Loop(built, Notes(), NoProgress(), kept, keep_best, StopRequest() if stop is None else stop))  # type: ignore[arg-type]
    return made[0]


def bits(tree: Any) -> bytes:
    """Everything in a state but the time it took, as bytes."""
    if isinstance(tree, dict):
        tree = {name: part for name, part in tree.items() if name != "clock"}
    structure, tensors = flatten(tree)
    return json.dumps(structure).encode() + save(tensors)

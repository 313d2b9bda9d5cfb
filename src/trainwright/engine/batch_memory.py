"""Whether a batch fits into any memory at all, told by arithmetic before a picture is decoded."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from trainwright.data.types import DataInfo
from trainwright.engine.build import build_task
from trainwright.engine.fake_step import without_weights
from trainwright.errors import RecipeError, TrainwrightError
from trainwright.models.inspect import build_on_meta, example_inputs
from trainwright.recipe.schema import Recipe

_SAMPLES = 2
_LEAST_WIDTH = 2  # bytes of a value in the narrowest arithmetic


@dataclass
class _Largest:
    """The most values that one layer gives for a batch of `_SAMPLES`."""

    values: int = 0
    handles: list[Any] = field(default_factory=list)

    def watch(self, model: nn.Module) -> None:
        """Hooks every module without modules of its own."""
        for module in model.modules():
            if next(module.children(), None) is None:
                self.handles.append(module.register_forward_hook(self._given))

    def _given(self, module: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
        if isinstance(output, Tensor):
            self.values = max(self.values, output.numel())


def refuse_impossible_batch(recipe: Recipe, info: DataInfo, memory: Callable[[torch.device], int]) -> None:
    """Refuses a batch of which one layer's output alone exceeds the memory: a bound, not an estimate.

    The model is built and called on PyTorch's meta device, which costs about a second.

    Args:
        recipe: The recipe.
        info: Shapes of its columns, and how many rows there are.
        memory: Bytes of a device.

    Raises:
        RecipeError: Not even that would fit.
    """
    samples = batch_rows(recipe, info)
    values = _largest_output(recipe, info)
    device = torch.device("cuda" if _wants_gpu(recipe) else "cpu")
    needed, there = samples * values * _LEAST_WIDTH, memory(device)
    if needed <= there:
        return
    most = there // max(1, values * _LEAST_WIDTH)
    raise RecipeError(
        f"a step of {samples:,} samples needs more memory than this machine has",
        where="train.batch_size" if recipe.train.micro_batch is None else "train.micro_batch",
        why=f"one layer alone gives {_gib(needed)} for them, and there are {_gib(there)}",
        fix=f"compute it in parts, with a train.micro_batch well below {most:,}, or give a smaller batch"
        if most > 1
        else "give smaller samples or a smaller model, with train.micro_batch: 1",
    )


def batch_rows(recipe: Recipe, info: DataInfo) -> int:
    """Samples that one forward pass of this process has at most."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    given = 1 if recipe.train.micro_batch == "auto" else recipe.train.micro_batch
    share = given or -(-recipe.train.batch_size // world)
    return min(share, max(info.sizes.get("train", 0), 1))


def _largest_output(recipe: Recipe, info: DataInfo) -> int:
    """Values of one sample in the widest place of the model; 0 where it cannot be called without values."""
    try:
        task = build_task(recipe.model_copy(update={"model": without_weights(recipe.model)}))
        model = build_on_meta(lambda: task.build(info))
        largest = _Largest()
        largest.watch(model)
        with torch.no_grad(), torch.device("meta"):
            model.eval()(example_inputs(info.inputs, _SAMPLES))
    except TrainwrightError:
        return 0  # told when the model is built in earnest
    except Exception:  # a network of the user's own may do anything with tensors that hold nothing
        return 0
    return largest.values // _SAMPLES


def _wants_gpu(recipe: Recipe) -> bool:
    return recipe.train.device.partition(":")[0] in ("auto", "cuda") and torch.cuda.is_available()


def _gib(size: int) -> str:
    return f"{size / 2**30:,.1f} GiB"

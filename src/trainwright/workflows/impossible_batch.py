"""A batch that cannot fit is refused before its pictures are decoded, which may take minutes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trainwright.data.types import DataInfo
from trainwright.runs.environment import memory_bytes

if TYPE_CHECKING:
    import torch

    from trainwright.recipe.schema import Recipe

# A layer seldom gives more than some hundred times the bytes of its input: less than this share of the
# memory cannot become too much, and PyTorch need not be asked.
_SUSPICIOUS = 1 / 256
_FLOAT = 4  # bytes


def refuse_impossible(recipe: Recipe, info: DataInfo) -> None:
    """Raises RecipeError where a batch is too large for this machine beyond doubt."""
    given = 1 if recipe.train.micro_batch == "auto" else recipe.train.micro_batch
    rows = min(given or recipe.train.batch_size, info.sizes.get("train", 0))
    values = sum(math.prod(spec.shape) for spec in info.inputs.values())
    if rows * values * _FLOAT < _SUSPICIOUS * memory_bytes():
        return
    from trainwright.engine.batch_memory import refuse_impossible_batch

    refuse_impossible_batch(recipe, info, _memory)


def _memory(device: torch.device) -> int:
    """Bytes of a device."""
    if device.type == "cpu":
        return memory_bytes()
    import torch

    return torch.cuda.get_device_properties(device).total_memory

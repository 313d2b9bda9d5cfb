"""Whether a run's weights fit the model of the recipe that it is continued with, before any data are read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trainwright import recipe as recipes
from trainwright.runs.difference import Change
from trainwright.runs.directory import RunDirectory

if TYPE_CHECKING:
    from trainwright.data.types import Processor
    from trainwright.recipe import LoadedRecipe

_MODEL = ("model", "task", "data.inputs", "data.targets")


def refuse_other_model(
    parent: RunDirectory,
    step: int,
    loaded: LoadedRecipe,
    found: Sequence[Change],
    kept: Mapping[str, Processor],
    overrides: Mapping[str, Any] | Sequence[str],
) -> None:
    """Builds the recipe's model for the run's columns, where the recipe differs in what makes the model.

    Where a column is made anew, nobody knows its classes before its data are read; what does not fit is then
    told when the training begins.

    Args:
        parent: The run that is continued.
        step: Of its checkpoint.
        loaded: The recipe.
        found: What differs from the run's.
        kept: Column -> the run's processor.
        overrides: As the user gave them.

    Raises:
        RunError: Weights do not fit; names them with both shapes.
        UserError: The model cannot be built.
    """
    data = loaded.recipe.data
    columns = {*data.inputs, *data.targets}
    if not any(change.key.startswith(_MODEL) for change in found) or columns != set(kept):
        return
    import torch

    from trainwright.engine.build import build_task
    from trainwright.engine.checkpoint import CheckpointStore
    from trainwright.engine.continuation import refuse_misfit
    from trainwright.inference.predictor import describe

    info = describe({name: kept[name] for name in data.inputs}, {name: kept[name] for name in data.targets})
    with recipes.located(loaded), torch.random.fork_rng(devices=[]):
        model = build_task(loaded.recipe).build(info)
    weights = CheckpointStore(parent.checkpoints).read(step)["model"]
    refuse_misfit(model, weights, advice=_anew(parent, overrides))


def _anew(parent: RunDirectory, overrides: Mapping[str, Any] | Sequence[str]) -> str:
    """The command that begins a training with what fits of the run's weights."""
    if isinstance(overrides, Mapping):
        overrides = [f"{key}={json.dumps(value)}" for key, value in overrides.items()]
    words = [str(parent.resolved), *(f"'{item}'" if " " in item else item for item in overrides)]
    command = f"trainwright train {' '.join(words)} init.path={parent.path} init.strict=false"
    return f"`{command}` begins a new training with the weights that fit"

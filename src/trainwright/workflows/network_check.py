"""What `check` does with a recipe's data once they are there: everything but training."""

from __future__ import annotations

from pathlib import Path

from trainwright.data.types import PreparedData
from trainwright.engine import distributed
from trainwright.engine.build import (
    build_network,
    build_parts,
    build_task,
    check_monitors,
    check_network,
)
from trainwright.engine.distributed import Processes
from trainwright.engine.fake_step import check_shapes
from trainwright.engine.restoring import check_parts
from trainwright.engine.runtime import Runtime
from trainwright.inference.first_answers import check_columns
from trainwright.inference.restored_processors import check_processors
from trainwright.recipe.loading import LoadedRecipe
from trainwright.recipe.schema import Recipe
from trainwright.workflows.checked_tuning import check_search
from trainwright.workflows.room import Room, refuse_a_full_disk
from trainwright.workflows.run_execution import base_execution, refuse_precision


def check_training(
    loaded: LoadedRecipe,
    device: str,
    processes: Processes,
    data: PreparedData,
    runs_dir: Path,
    *,
    probe: bool = False,
) -> list[str]:
    """Builds the model, runs two samples through it, and saves and reloads all that a run keeps.

    Args:
        loaded: The recipe.
        device: Where it would be trained.
        processes: That would train it.
        data: Its prepared data.
        runs_dir: Where runs are to be made.
        probe: Measure what a step takes, also where there is plenty of memory.

    Returns:
        What is known of it, in words.

    Raises:
        UserError: Something does not fit, or cannot be restored.
    """
    recipe = loaded.recipe
    refuse_precision(recipe, device)
    base = base_execution(recipe, device, processes)
    room = Room(loaded, data, base)
    shapes = check_shapes(recipe, data, base)
    room.refuse_what_cannot_be(room.counted_without_memory(shapes))
    task = build_task(recipe)
    told: list[str] = []
    model = build_network(task, recipe, data, told.append)
    found = check_network(task, model, recipe, data, base)
    check_columns(task, data.targets, found.first)
    counted = room.counted(model, found)
    refuse_a_full_disk(recipe, counted, runs_dir)
    judged = room.judge(counted, probe=probe)
    told += check_search(recipe, found.names, data)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    total = sum(p.numel() for p in model.parameters())
    parts = build_parts(recipe, data, task, model, Runtime(base), processes)
    check_monitors(parts, found.names)
    check_processors(data)
    check_parts(parts, spoil=True)
    return [
        *told,
        *task.facts(),
        f"model {recipe.model['name']}: {total:,} parameters, {trained:,} of them trained",
        f"device {device}, {base.threads} threads",
        *about_batch(recipe, data),
        *judged.lines,
        *distributed.about_statistics(model, processes.size),
        *found.doubts,
        *shapes.told(),
    ]


def about_batch(recipe: Recipe, data: PreparedData) -> list[str]:
    """That a batch is larger than what there is to train on, in words."""
    batch, rows = recipe.train.batch_size, len(data.splits["train"])
    if batch <= rows:
        return []
    return [f"train.batch_size is {batch:,}, and there are {rows:,} to train on: a step takes all of them"]

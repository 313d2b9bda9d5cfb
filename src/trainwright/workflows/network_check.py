"""What `check` does with a recipe's data once they are there: everything but training."""

from __future__ import annotations

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
from trainwright.inference.restored_processors import check_processors
from trainwright.recipe.schema import Recipe
from trainwright.workflows.checked_tuning import check_search
from trainwright.workflows.run_execution import base_execution, refuse_precision


def check_training(recipe: Recipe, device: str, processes: Processes, data: PreparedData) -> list[str]:
    """Builds the model, runs two samples through it, and saves and reloads all that a run keeps.

    Args:
        recipe: The recipe.
        device: Where it would be trained.
        processes: That would train it.
        data: Its prepared data.

    Returns:
        What is known of it, in words.

    Raises:
        UserError: Something does not fit, or cannot be restored.
    """
    refuse_precision(recipe, device)
    base = base_execution(recipe, device, processes)
    shapes = check_shapes(recipe, data, base)
    task = build_task(recipe)
    told: list[str] = []
    model = build_network(task, recipe, data, told.append)
    found = check_network(task, model, recipe, data, base)
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
        *distributed.about_statistics(model, processes.size),
        *found.doubts,
        *shapes.told(),
    ]

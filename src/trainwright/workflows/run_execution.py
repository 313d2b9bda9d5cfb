"""How a run's steps are carried out: settled before anything is measured, kept on resume, or chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from trainwright.data.types import PreparedData
from trainwright.engine import distributed
from trainwright.engine.build import first_batch
from trainwright.engine.distributed import Processes
from trainwright.engine.execution_choice import choose_execution
from trainwright.engine.position import Budget
from trainwright.engine.runtime import Execution, choose_device
from trainwright.errors import RecipeError, RunError
from trainwright.locations import cache_dir
from trainwright.recipe.schema import Recipe
from trainwright.runs.environment import usable_cores


def device_of(recipe: Recipe, say: Callable[[str], None], *, wait: bool = True) -> str:
    """The device of this process.

    Args:
        recipe: `train.device` and `train.wait_minutes`.
        say: Told what is waited for, and which GPU was taken of several.
        wait: Whether to wait for a GPU where the recipe says so.

    Raises:
        UserError: The device is unknown or absent, or no GPU became idle.
    """
    train = recipe.train
    chosen = choose_device(
        train.device,
        wait_minutes=train.wait_minutes if wait else None,
        say=say,
        alone=distributed.world_size() == 1,
    )
    return distributed.local_device(chosen)


def base_execution(recipe: Recipe, device: str, processes: Processes) -> Execution:
    """What is settled before anything is measured."""
    train = recipe.train
    return Execution(
        device=device,
        threads=train.threads or max(1, usable_cores() // distributed.local_world_size()),
        world_size=processes.size,
        micro_batch=train.micro_batch if isinstance(train.micro_batch, int) else None,
        evaluation_batch=min(train.batch_size, 64 if device == "cpu" else 256),
        deterministic=train.deterministic,
    )


def refuse_precision(recipe: Recipe, device: str) -> None:
    """Raises RecipeError for fp16 on a CPU, which has no arithmetic for it."""
    if device == "cpu" and recipe.train.precision == "fp16":
        raise RecipeError(
            "fp16 is for GPUs, and the run is on the cpu",
            where="train.precision",
            why="a CPU computes it by way of fp32, many times slower",
            fix="use precision: bf16, which CPUs compute too, or auto, which takes the fastest",
        )


def kept_execution(pinned: Execution, device: str, processes: Processes, progress: Any) -> Execution:
    """The execution of earlier attempts; what this machine cannot keep is said.

    Raises:
        RunError: There are more or fewer processes than there were.
    """
    if pinned.world_size != processes.size:
        raise RunError(
            f"the run has {pinned.world_size} processes, now there are {processes.size}",
            why="the same bits need the same slices of each batch",
            fix=f"start torchrun with --nproc-per-node so that there are {pinned.world_size} processes",
        )
    if pinned.device.split(":")[0] != device.split(":")[0]:
        progress.message(
            f"the run was started on {pinned.device} and goes on on {device}: "
            "results will not be bit-identical"
        )
    return pinned.with_choice(device=device)


def chosen_execution(
    recipe: Recipe,
    task: Any,
    model: nn.Module,
    data: PreparedData,
    base: Execution,
    processes: Processes,
    progress: Any,
) -> Execution:
    """What `auto` comes to, measured or remembered; the first process decides for all."""
    train = recipe.train
    batch = first_batch(recipe, data, base, training=True)
    loader_steps = -(-len(data.splits["train"]) // train.batch_size)
    budget = Budget.of(loader_steps, train.epochs, train.steps, train.minutes)
    choice = choose_execution(
        recipe, task, model, batch, base, budget.total_steps, cache_dir() / "execution.json"
    )
    agreed: Execution = processes.broadcast(choice.execution)
    if len(choice.step_seconds) > 1:
        tried = ", ".join(f"{name} {1000 * s:.3g} ms" for name, s in choice.step_seconds.items())
        how = "remembered" if choice.remembered else "measured"
        progress.message(
            f"execution: {agreed.precision}, channels_last {'on' if agreed.channels_last else 'off'}, "
            f"{agreed.threads} thread{'s' if agreed.threads > 1 else ''}"
            f" ({how}: {tried} for {choice.samples} samples)"
        )
    return agreed.with_choice(device=base.device)

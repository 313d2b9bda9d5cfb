"""From a recipe and prepared data to the parts that the loop drives."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from trainwright import registry
from trainwright.data.augment.base import Mixing
from trainwright.data.batch import Batch
from trainwright.data.loader import Loader, Pipeline, Store
from trainwright.data.original_pixels import original_pixels
from trainwright.data.samplers.sequential import Sequential
from trainwright.data.stream_store import store_of
from trainwright.data.types import PreparedData
from trainwright.engine.callbacks.base import build_callbacks
from trainwright.engine.dead_config import dead_config
from trainwright.engine.distributed import Processes
from trainwright.engine.ema import Ema
from trainwright.engine.generators import seed_generators
from trainwright.engine.health.watch import HealthWatch
from trainwright.engine.layer_rates import assigned, first_steps, scale_rates, unfreezing
from trainwright.engine.monitor import Monitor
from trainwright.engine.optimizers.lean import spare_compiler_import
from trainwright.engine.parts import Parts
from trainwright.engine.phase_runner import PhaseRunner
from trainwright.engine.position import Budget
from trainwright.engine.preflight import Preflight, check_model
from trainwright.engine.runtime import Execution, Runtime
from trainwright.engine.sample_losses import SampleLosses
from trainwright.engine.target_ranges import check_target_ranges
from trainwright.errors import ModelError, RecipeError, closest, raise_all
from trainwright.recipe.schema import Recipe
from trainwright.tasks.base import Phase, Task

# Of more training samples no loss is kept for each: 12 bytes a sample, in memory and in every checkpoint.
MOST_SAMPLES = 1_000_000

# Samples that a model is checked on; a whole batch may not fit into memory.
FEW = 4

# Address of the initial weights; training steps use their step number in this place.
INITIAL_WEIGHTS = 1 << 41


def build_task(recipe: Recipe) -> Task:
    """The task that the recipe names."""
    task: Task = registry.build("task", recipe.task, targets=recipe.data.targets, model=recipe.model)
    if recipe.data.weights is not None and not task.weighs_samples:
        raise RecipeError(
            f"task `{recipe.task['name']}` weighs no samples", where="data.weights", fix="remove `weights`"
        )
    return task


def build_network(
    task: Task, recipe: Recipe, data: PreparedData, say: Callable[[str], None] = lambda _: None
) -> nn.Module:
    """The model with its initial weights: a function of the seed alone, then of `init`.

    Args:
        task: Of the recipe.
        recipe: The recipe.
        data: Its data.
        say: Told which weights of `init` found a place.
    """
    seed_generators(recipe.train.seed, INITIAL_WEIGHTS)
    model = task.build(data.info())
    if recipe.init is not None:
        from trainwright.models.weight_classes import classes_in, classes_of, refuse_other_classes
        from trainwright.models.weights import apply_weights, load_weights

        weights, init = load_weights(recipe.init.path), recipe.init
        report = apply_weights(model, weights, exclude=init.exclude, strict=init.strict)
        say(f"init: {report.told()}")
        refuse_other_classes(model, report, classes_in(init.path), classes_of(data.info().targets))
    _choose_trainable(model, recipe)
    return model


def rebuild_network(task: Task, recipe: Recipe, data: PreparedData) -> nn.Module:
    """The model with other random weights, as a later process builds it before it loads the trained ones."""
    seed_generators(recipe.train.seed, INITIAL_WEIGHTS, 1)
    return task.build(data.info())


def _choose_trainable(model: nn.Module, recipe: Recipe) -> None:
    from trainwright.models.freezing import freeze, train_only

    if recipe.train.trainable is not None:
        train_only(model, recipe.train.trainable)
    if recipe.train.freeze:
        freeze(model, recipe.train.freeze)


def build_store(data: PreparedData, device: torch.device) -> Store:
    """The data's store; on an accelerator it stays there when it takes a quarter of the memory at most."""
    resident = False
    if device.type == "cuda":
        needed = sum(array.nbytes for array in data.arrays.values())
        resident = needed < torch.cuda.mem_get_info(device)[0] // 4
    return store_of(data, device, resident=resident)


def build_loader(
    recipe: Recipe, data: PreparedData, store: Store, split: str, execution: Execution, *, training: bool
) -> Loader:
    """Batches of one split: in the sampler's order and augmented for training, else as they stand."""
    pipeline = Pipeline(
        data.inputs,
        data.targets,
        [registry.build("augment", spec) for spec in recipe.data.augment] if training else [],
        recipe.train.seed,
        execution.channels_last,
    )
    size = recipe.train.batch_size if training else execution.evaluation_batch
    sampler = build_sampler(recipe, data, data.splits[split], size) if training else Sequential()
    weights = data.weights if training else None
    originals = None if training else original_pixels(data)
    return Loader(store, pipeline, data.splits[split], size, sampler, recipe.train.seed, weights, originals)


def build_sampler(recipe: Recipe, data: PreparedData, rows: np.ndarray, batch_size: int) -> Any:
    """The recipe's sampler, given what is known of the rows."""
    categories = {
        name: item.spec().classes
        for name, item in data.targets.items()
        if item.type == "category" and name in data.arrays
    }
    return registry.build(
        "sampler",
        recipe.data.sampler,
        where="data.sampler",
        rows=rows,
        labels={name: data.arrays[name] for name in categories},
        class_names=categories,
        columns=data.sampled,
        batch_size=batch_size,
    )


def first_batch(
    recipe: Recipe, data: PreparedData, execution: Execution, *, training: bool, at_most: int | None = None
) -> Batch:
    """One micro-batch as training or evaluation will see it, on the CPU; of `at_most` samples where given."""
    store = store_of(data, torch.device("cpu"))
    loader = build_loader(recipe, data, store, "train", execution, training=training)
    size = execution.micro_batch or -(-recipe.train.batch_size // execution.world_size)
    size = min(size, at_most or size)
    # Evenly spaced, since a source often has its classes one after the other.
    loader.rows = loader.rows[:: max(1, len(loader.rows) // size)]
    loader.batch_size, loader.chunk = size, 1
    return next(loader.batches(0))[0]


def has_single_batch(recipe: Recipe, data: PreparedData, execution: Execution) -> bool:
    """Whether training will ever see a batch, or micro-batch, of one sample."""
    store = store_of(data, torch.device("cpu"))
    loader = build_loader(recipe, data, store, "train", execution, training=True)
    return loader.has_single(execution.world_size, execution.micro_batch)


def check_network(
    task: Task, model: nn.Module, recipe: Recipe, data: PreparedData, execution: Execution
) -> Preflight:
    """Metrics that the run will give, and doubts. Raises UserError where the model does not fit."""
    check_target_ranges(recipe, data)
    found = check_model(
        task,
        model,
        first_batch(recipe, data, execution, training=True, at_most=FEW),
        evaluation=first_batch(recipe, data, execution, training=False, at_most=execution.evaluation_batch),
        rebuild=lambda: rebuild_network(task, recipe, data),
        single=has_single_batch(recipe, data, execution),
    )
    raise_all(dead_config(recipe, task.phases(model), found))
    return found


def build_parts(
    recipe: Recipe,
    data: PreparedData,
    task: Task,
    model: nn.Module,
    runtime: Runtime,
    processes: Processes,
) -> Parts:
    """Everything the loop drives, with the model placed on its device."""
    train = recipe.train
    execution = runtime.execution
    model = runtime.place(model)
    store = build_store(data, runtime.device)
    train_loader = build_loader(recipe, data, store, "train", execution, training=True)
    has_val = len(data.splits.get("val", ())) > 0
    budget = Budget.of(train_loader.steps_per_epoch, train.epochs, train.steps, train.minutes)
    phases = task.phases(model)
    _check_layers(recipe, phases)
    per_epoch = train_loader.steps_per_epoch
    runners = [_runner(recipe, model, phase, budget, per_epoch, runtime) for phase in phases]
    minutes = train.checkpoint.every_minutes
    return Parts(
        task=task,
        model=model,
        forward=runtime.callable(model),
        runners=runners,
        train_loader=train_loader,
        val_loader=build_loader(recipe, data, store, "val", execution, training=False) if has_val else None,
        runtime=runtime,
        processes=processes,
        budget=budget,
        seed=train.seed,
        ema=Ema(model, decay=train.ema.decay, warmup=train.ema.warmup) if train.ema else None,
        best=_best(recipe, task, has_val),
        early_stop=_early_stop(recipe, task, has_val),
        log_every=train.log_every,
        evaluate_every=train.evaluate_every,
        save_every_steps=train.checkpoint.every_steps,
        save_every_seconds=minutes * 60 if minutes else None,
        substitutes=data.substitutes if data.streamed else None,
        samples=_sample_losses(recipe, train_loader, len(runners)),
        callbacks=build_callbacks(train.callbacks) if train.callbacks else None,
        health=HealthWatch(train.health, runners, model),
    )


def _check_layers(recipe: Recipe, phases: Sequence[Phase]) -> None:
    """Raises RecipeError where a task of several phases, which freeze each other, has layers of its own."""
    if recipe.train.layers and len(phases) > 1:
        raise RecipeError(
            f"task `{recipe.task['name']}` trains its parts in turns",
            where="train.layers",
            fix="remove `layers`; each part of the task has an optimizer of its own",
        )


def _sample_losses(recipe: Recipe, loader: Loader, phases: int) -> SampleLosses | None:
    """None where a loss tells nothing of one sample, or there are too many samples to keep it for each."""
    mixed = any(isinstance(item, Mixing) for item in loader.pipeline.augment)
    if not recipe.train.sample_losses or mixed or phases > 1 or len(loader.rows) > MOST_SAMPLES:
        return None
    return SampleLosses(loader.rows)


def check_monitors(parts: Parts, names: Collection[str]) -> None:
    """Refuses to watch a metric that will not be computed.

    Args:
        parts: Built for the recipe.
        names: Metrics that training and evaluation give, such as `val/loss`.

    Raises:
        RecipeError: A watched metric is not among them.
    """
    there = {name for name in names if parts.val_loader is not None or not name.startswith("val/")}
    watched = [
        ("train.checkpoint.monitor", parts.best),
        ("train.early_stop.monitor", parts.early_stop),
        *(("train.schedule.monitor", runner.schedule) for runner in parts.runners),
        *(("train.callbacks", callback) for callback in _callbacks(parts)),
    ]
    for where, part in watched:
        name = getattr(part, "name" if isinstance(part, Monitor) else "monitor", None)
        if not isinstance(name, str) or name.replace("step/", "train/", 1) in {*there, "lr", "train/lr"}:
            continue
        in_val = name.replace("test/", "val/", 1)
        guess = in_val if in_val in there else closest(name, there)
        raise RecipeError(
            f"the metric {name!r} is not computed, so it cannot be watched",
            where=where,
            why="" if parts.val_loader is not None else "there is no validation split",
            fix=f"did you mean {guess!r}?" if guess else "use one of: " + ", ".join(sorted(there)),
        )


def _callbacks(parts: Parts) -> list[Any]:
    return [] if parts.callbacks is None else list(parts.callbacks.members.values())


def _runner(
    recipe: Recipe, model: nn.Module, phase: Phase, budget: Budget, steps_per_epoch: int, runtime: Runtime
) -> PhaseRunner:
    train = recipe.train
    if not phase.parameters:
        raise ModelError(
            f"nothing is left to train in phase {phase.name!r}",
            where="train.freeze",
            why="every parameter of the model is frozen",
            fix="freeze less, so that something is trainable; a model that is trained already needs "
            "`trainwright evaluate` only",
        )
    spare_compiler_import()
    optimizer = registry.build("optimizer", phase.optimizer or train.optimizer, params=list(phase.parameters))
    total = budget.total_steps
    if total is None:
        if train.schedule["name"] not in ("constant", "plateau"):
            raise RecipeError(
                f"schedule {train.schedule['name']!r} needs to know the length of the training",
                where="train.schedule",
                why="only train.minutes is given, and how many steps fit into it is not known before",
                fix="give train.epochs or train.steps as well",
            )
        total = 1 << 60
    schedule = registry.build("schedule", train.schedule, total_steps=total, steps_per_epoch=steps_per_epoch)
    owned = assigned(phase.parameters, train.layers)
    scale_rates(optimizer, train.layers, owned)
    starts = first_steps(train.layers, steps_per_epoch, budget.total_steps)
    scaler = torch.amp.GradScaler(runtime.device.type) if runtime.execution.precision == "fp16" else None
    return PhaseRunner(
        phase,
        optimizer,
        schedule,
        scaler=scaler,
        clip_norm=train.clip.norm,
        clip_value=train.clip.value,
        unfreezing=unfreezing(model, phase.parameters, starts, owned),
    )


def _watched(task: Task, has_val: bool, name: str | None, mode: str | None, where: str) -> tuple[str, Any]:
    """The full name of a metric and its direction, from the recipe or from the task."""
    from trainwright.metrics import greater_is_better

    if name is None:
        metric, direction = task.monitor()
        return (f"val/{metric}", direction) if has_val else ("train/loss", "min")
    if not has_val and name.startswith("val/"):
        raise RecipeError(
            f"{name!r} cannot be watched: there is no validation split",
            where=where,
            fix="give data.split.val, or watch train/loss",
        )
    if mode is None:
        rising = greater_is_better(name)
        if rising is None:
            guess = closest(name, ["val/loss", "val/accuracy", "train/loss", "val/rmse", "val/f1"])
            raise RecipeError(
                f"whether {name!r} should rise or fall is not known",
                where=where,
                fix=f"set mode to min or max beside it{f' (or did you mean {guess!r}?)' if guess else ''}",
            )
        mode = "max" if rising else "min"
    _refuse_wrong_way(name, mode, where.rpartition(".")[0])
    return name, mode


def _refuse_wrong_way(name: str, mode: str, section: str) -> None:
    """The worst value of a metric is not the best: raises RecipeError where the mode says so."""
    from trainwright.metrics import greater_is_better

    rising = greater_is_better(name)
    better = None if rising is None else "max" if rising else "min"
    if better is not None and mode != better:
        raise RecipeError(
            f"`mode: {mode}` takes the worst {name} for the best",
            where=f"{section}.mode",
            why=f"it is better the {'higher' if rising else 'lower'} it is",
            fix=f"give mode: {better}, or remove `mode`: the way of this metric is known",
        )


def watched_metric(recipe: Recipe, task: Task) -> tuple[str, Literal["min", "max"]]:
    """The metric that chooses the best weights where there is a validation split, and its direction."""
    best = _best(recipe, task, has_val=True)
    return best.name, best.mode


def _best(recipe: Recipe, task: Task, has_val: bool) -> Monitor:
    section = recipe.train.checkpoint
    return Monitor(*_watched(task, has_val, section.monitor, section.mode, "train.checkpoint.monitor"))


def _early_stop(recipe: Recipe, task: Task, has_val: bool) -> Monitor | None:
    section = recipe.train.early_stop
    if section is None:
        return None
    name, mode = _watched(task, has_val, section.monitor, section.mode, "train.early_stop.monitor")
    return Monitor(name, mode, min_delta=section.min_delta, patience=section.patience)

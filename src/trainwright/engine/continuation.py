"""Going on from another run's checkpoint: what is kept of its state, and what begins anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from trainwright.engine.loop import Loop
from trainwright.errors import RunError
from trainwright.models.patterns import listed


def take_up(loop: Loop, tree: dict[str, Any], *, optimizer: bool, schedule: bool, same_batches: bool) -> None:
    """Puts a new loop where a checkpoint of another run stands.

    Weights, averaged weights, position, time and state of the task are taken over. The best value and the
    patience of early stopping, means within an epoch and losses of samples belong to the other run.

    Args:
        loop: At its start; its recipe may differ from the checkpoint's.
        tree: The checkpoint's state.
        optimizer: Keep the moments of the optimizers; their rates are those of the new recipe.
        schedule: Keep the state of the schedules.
        same_batches: The epochs are made of the same batches. Else the epoch that the checkpoint stands in
            begins anew, and steps are counted as if all epochs had been of the present length.

    Raises:
        RunError: The weights, or the optimizer's state, do not fit.
    """
    parts = loop.state.parts
    refuse_misfit(
        loop.parts.model, tree["model"], advice="begin a new training with `init: {path: RUN, strict: false}`"
    )
    loop.parts.model.load_state_dict(tree["model"])
    if optimizer:
        _keep_optimizers(loop, tree)
    kept = ["clock", "ema", *(name for name in parts if name.startswith("task."))]
    if optimizer:
        kept += [name for name in parts if name.startswith("scaler.")]
    if optimizer and schedule:
        kept += [name for name in parts if name.startswith("schedule.")]
    for name in kept:
        if name in parts and name in tree:
            parts[name].load_state_dict(tree[name])
    if loop.parts.ema is not None and "ema" not in tree:
        loop.parts.ema.restart()
    loop.position.load_state_dict(tree["position"])
    if not same_batches:
        step = loop.position.epoch * loop.parts.train_loader.steps_per_epoch
        loop.position.load_state_dict(
            {"epoch": loop.position.epoch, "index": 0, "step": step, "closed": step}
        )


def refuse_misfit(model: nn.Module, weights: Mapping[str, Any], *, advice: str) -> None:
    """Raises RunError where weights of a run are not exactly those of a model; names them with both shapes.

    Args:
        model: Of the present recipe.
        weights: Name -> tensor, of the run.
        advice: What to do, beside leaving the model as it was.
    """
    own, extra = model.state_dict(), "_extra_state"
    shapes = [
        f"{name}: {list(weights[name].shape)} in the run, {list(value.shape)} in the recipe's model"
        for name, value in own.items()
        if name in weights and not name.endswith(extra) and weights[name].shape != value.shape
    ]
    parts = [
        ("of other shapes", shapes),
        ("missing in the run", [name for name in own if name not in weights]),
        ("not in the recipe's model", [name for name in weights if name not in own]),
    ]
    if any(names for _, names in parts):
        raise RunError(
            "the weights of the run do not fit the model of this recipe",
            where="model",
            why="; ".join(f"{title}: {listed(names)}" for title, names in parts if names),
            fix=f"leave the model as it was; or {advice}",
        )


def _keep_optimizers(loop: Loop, tree: dict[str, Any]) -> None:
    for runner in loop.parts.runners:
        saved = tree.get(f"optimizer.{runner.phase.name}")
        try:
            if saved is None:
                raise ValueError(f"the run has no phase {runner.phase.name!r}")
            runner.named.take_over(saved)
        except (ValueError, KeyError, RuntimeError) as error:
            raise RunError(
                "the optimizer's state does not fit this recipe",
                where="train.optimizer",
                why=str(error),
                fix="--reset-optimizer begins with a new one",
            ) from error

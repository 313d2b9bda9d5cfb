"""Going on from another run's checkpoint: what is kept of its state, and what begins anew."""

from __future__ import annotations

from typing import Any

from trainwright.engine.loop import Loop
from trainwright.errors import RunError


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
    try:
        loop.parts.model.load_state_dict(tree["model"])
    except (RuntimeError, ValueError, KeyError) as error:
        raise RunError(
            "the weights do not fit the model of this recipe",
            where="model",
            why=str(error).splitlines()[-1].strip(),
            fix="leave the model as it was, or begin a new training with `init: {path: RUN, strict: false}`",
        ) from error
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

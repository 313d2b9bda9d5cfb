"""Where a training begins: at its last checkpoint, at its best weights, at its parent, or at the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainwright.engine.loop import Loop
from trainwright.engine.state import OtherParts
from trainwright.errors import RunError
from trainwright.models.weights import apply_weights, load_weights
from trainwright.runs.directory import RunDirectory
from trainwright.workflows.beginning import begin_from_origin

# What watches a training and changes nothing of it may begin in its middle.
_WATCHING = {
    "health": "the health of a training was watched",
    "samples": "the losses of single samples were kept",
}


def restore(
    loop: Loop,
    run: RunDirectory,
    found: tuple[int, Any] | None,
    say: Callable[[str], None],
    *,
    from_best: bool = False,
) -> None:
    """Puts a new loop where the run stands.

    Args:
        loop: At its start.
        run: The run.
        found: Step and state of the last checkpoint, where there is one.
        say: Told where it goes on.
        from_best: With the best weights and a new state of the optimizer.

    Raises:
        RunError: There are no best weights, or the checkpoint is that of another training.
    """
    if found is None:
        told = begin_from_origin(loop, run)
        if told:
            say(told)
        return
    step, tree = found
    if not from_best:
        lacking = _restore_all(loop, run, step, tree)
        say(f"resuming at step {step}")
        for name in lacking:
            say(f"the checkpoint was written before {_WATCHING[name]}: that begins at step {step}")
        return
    if not run.best.exists():
        raise RunError(
            "the run has no best weights yet",
            where=str(run.best),
            why="it ended before its first evaluation",
            fix="change the recipe (a lower learning rate?), or repeat it with --fresh",
        )
    apply_weights(loop.parts.model, load_weights(run.best), strict=True)
    for name in ("position", "clock", "best"):
        loop.state.parts[name].load_state_dict(tree[name])
    if loop.parts.ema is not None:
        loop.parts.ema.restart()
    say(f"going on from the best weights at step {step}, optimizer state new")


def _restore_all(loop: Loop, run: RunDirectory, step: int, tree: dict[str, Any]) -> list[str]:
    """Puts everything back; gives what began anew."""
    try:
        return loop.state.restore(tree, may_lack=_WATCHING)
    except OtherParts as error:
        raise RunError(
            "the checkpoint is not one of this training",
            where=str(run.checkpoints / str(step)),
            why=str(error),
            fix=f"`trainwright resume {run.path} --from best` goes on from the best weights, "
            f"`trainwright continue {run.path}` from the last ones in a new run",
        ) from error

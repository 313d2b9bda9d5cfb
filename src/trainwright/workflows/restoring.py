"""Where a training begins: at its last checkpoint, at its best weights, at its parent, or at the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainwright.engine.loop import Loop
from trainwright.errors import RunError
from trainwright.models.weights import apply_weights, load_weights
from trainwright.runs.directory import RunDirectory
from trainwright.workflows.beginning import begin_from_origin


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
        RunError: There are no best weights.
    """
    if found is None:
        told = begin_from_origin(loop, run)
        if told:
            say(told)
        return
    step, tree = found
    if not from_best:
        loop.state.restore(tree)
        say(f"resuming at step {step}")
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

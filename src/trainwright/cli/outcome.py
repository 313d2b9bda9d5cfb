"""What is shown when a run has ended."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from trainwright.cli.common import say
from trainwright.progress import format_metrics
from trainwright.runs.directory import RunDirectory

if TYPE_CHECKING:
    from trainwright.workflows.training import RunResult

_INTERRUPTED = 130


def show_outcome(result: RunResult, said: Collection[str] = ()) -> int:
    """Prints metrics, places and next commands; gives the exit code.

    Args:
        result: How the training ended.
        said: Messages that the user has seen already.
    """
    for message in result.messages:
        if message not in said:
            say(message)
    if result.state != "done":
        say(f"{result.state}: {result.reason}")
        return _INTERRUPTED
    for split, metrics in result.metrics.items():
        numbers = {name: value for name, value in metrics.items() if isinstance(value, int | float)}
        say(f"{split:10}  {format_metrics(numbers)}")
    run = RunDirectory(result.path)
    for label, path in (("run", run.path), ("report", run.report), ("weights", run.best)):
        if path.exists():
            say(f"{label:10}  {path}")
    say("next")
    for command in ("predict {} FILE...", "evaluate {}", "runs show {}"):
        say(f"  trainwright {command.format(result.path)}")
    return 0

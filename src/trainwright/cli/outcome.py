"""What is shown when a run has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainwright.cli.common import say
from trainwright.progress import format_metrics
from trainwright.runs.record import RunState

if TYPE_CHECKING:
    from trainwright.workflows.run import Run

_INTERRUPTED = 130


def show_outcome(run: Run) -> int:
    """Prints metrics, places and next commands; gives the exit code."""
    directory, state = run.directory, run.state
    if state is not RunState.DONE:
        say(f"{state}: {run.record.exit_reason or 'stopped'}")
        say(f"run        {run.path}")
        say(f"go on with trainwright resume {run.path}")
        return _INTERRUPTED if state is RunState.INTERRUPTED else 1
    by_split: dict[str, dict[str, float]] = {}
    for name, value in run.results.items():
        split, _, metric = name.partition("/")
        by_split.setdefault(split, {})[metric] = value
    for split, metrics in by_split.items():
        say(f"{split:10} {format_metrics(metrics)}")
    say(f"run        {run.path}")
    for label, path in (("report", directory.report), ("weights", directory.best)):
        if path.exists():
            say(f"{label:10} {path}")
    say("next")
    say(f"  trainwright predict {run.path} FILE...")
    say(f"  trainwright evaluate {run.path}")
    say(f"  trainwright runs show {run.path}")
    return 0

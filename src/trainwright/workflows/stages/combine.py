"""A stage that averages runs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from trainwright.fields import RunPlace
from trainwright.workflows.stages.work import StageWork


def combine(
    stage: StageWork, *, runs: list[RunPlace], how: Literal["greedy", "uniform", "interpolate"] = "greedy"
) -> Path:
    """Averages the best weights of several runs. Its output is a run, no worse than the best member.

    Args:
        runs: At least two, with one architecture and the same data.
        how: `greedy` takes each run that does not make the mean worse, `uniform` takes all,
            `interpolate` looks for the best point between two.
    """
    from trainwright.runs.directory import RunDirectory
    from trainwright.workflows import combining

    done = combining.combine([RunDirectory.open(run) for run in runs], how=how, runs_dir=stage.runs_dir)
    stage.say(f"{done.metric} {done.score:.4g} of {len(done.shares)} of {len(runs)} runs")
    stage.log({done.metric: done.score, "members": len(done.shares)})
    return done.run.path

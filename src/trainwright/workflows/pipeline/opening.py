"""A pipeline from its file to a plan."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from trainwright.errors import RunError, closest
from trainwright.workflows.pipeline.definition import read_pipeline
from trainwright.workflows.pipeline.identity import identify
from trainwright.workflows.pipeline.planning import Plan


def open_pipeline(file: str | Path, *, runs_dir: str | Path, pipelines_dir: str | Path) -> Plan:
    """Reads and checks a pipeline's file, and finds out what its stages are called.

    Args:
        file: The file.
        runs_dir: Where the runs of its stages live.
        pipelines_dir: Where the outputs of pipelines live.

    Raises:
        RecipeError: One problem. ErrorList: all that could be found.
    """
    pipeline = read_pipeline(file)
    stages = identify(pipeline, Path(runs_dir))
    return Plan(pipeline, stages, Path(pipelines_dir) / pipeline.name)


def known_stages(plan: Plan, names: Iterable[str], option: str) -> list[str]:
    """Names of stages from the command line. Raises RunError for one that there is not."""
    found = list(names)
    for name in found:
        if name not in plan.stages:
            guess = closest(name, plan.stages)
            fix = f"did you mean `{guess}`?" if guess else f"stages: {', '.join(plan.stages)}"
            raise RunError(f"there is no stage `{name}`", where=option, fix=fix)
    return found

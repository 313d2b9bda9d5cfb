"""A stage that trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainwright import recipe as recipes
from trainwright.fields import TrainedRecipe
from trainwright.runs.directory import RunDirectory
from trainwright.runs.environment import usable_cores
from trainwright.workflows.stages.work import StageInterrupted, StageWork


def train(stage: StageWork, *, recipe: TrainedRecipe, overrides: dict[str, Any] | None = None) -> Path:
    """Trains a recipe. Its output is an ordinary run: one that is there is used, an interrupted one goes on.

    Args:
        recipe: A file, the name of a shipped recipe, or the recipe itself.
        overrides: Key path -> value, such as `{train.epochs: 3}`.
    """
    from trainwright.workflows import training

    begun = stage.scratch / "run"

    def remember(run: RunDirectory, *_: object) -> None:
        begun.write_text(str(run.path.absolute()))

    if stage.fresh and begun.exists():
        # A new run was asked for, begun and interrupted: another new one would never come to an end.
        result = training.resume(begun.read_text(), progress=stage.progress)
    else:
        result = training.train(
            recipe,
            _with_share(stage, recipe, overrides or {}),
            runs_dir=stage.runs_dir,
            fresh=stage.fresh,
            progress=stage.progress,
            watch=remember if stage.fresh else None,
        )
    if result.state != "done":
        raise StageInterrupted(result.reason)
    stage.log_splits(result.metrics)
    return result.path


def _with_share(stage: StageWork, recipe: str | dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """The overrides, with the stage's share of the cores where the recipe names no number of threads."""
    if stage.threads >= usable_cores() or recipes.load(recipe, overrides).recipe.train.threads is not None:
        return overrides
    return {**overrides, "train.threads": stage.threads}

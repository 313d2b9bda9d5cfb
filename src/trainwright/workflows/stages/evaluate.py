"""A stage that scores a run."""

from __future__ import annotations

from trainwright.fields import Location, RunPlace
from trainwright.workflows.stages.work import StageWork


def evaluate(stage: StageWork, *, run: RunPlace, split: str = "test", data: Location | None = None) -> None:
    """Scores a run's best weights: `metrics.json`, and every answer in `predictions.parquet`.

    Args:
        run: A run, most often `${stages.NAME}` of a stage that trains.
        split: Split of the run's data; other data are taken whole, under this name.
        data: Other data of the same kind, in place of the run's own.
    """
    from trainwright.workflows import evaluating

    metrics = evaluating.evaluate(run, split=split, data=data, folder=stage.folder, progress=stage.progress)
    stage.log_splits({split: metrics})

"""A stage that searches over values of a recipe."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.errors import RunError
from trainwright.fields import TrainedRecipe, Workers
from trainwright.workflows.stages.work import StageInterrupted, StageWork

if TYPE_CHECKING:
    from trainwright.workflows.studies import OpenStudy


def tune(
    stage: StageWork,
    *,
    recipe: TrainedRecipe,
    overrides: dict[str, Any] | None = None,
    trials: int | None = None,
    jobs: Workers = 1,
) -> None:
    """Searches over values of a recipe, as its `tune` section says; an interrupted search goes on.

    Its output: `best.yaml`, the recipe of the best trial, ready to train (that trial's run is then found);
    `trials.json`, every trial; `report.html`, the page of the study.

    Args:
        recipe: A file, the name of a shipped recipe, or the recipe itself.
        overrides: Key path -> value.
        trials: Points to try, instead of the recipe's number.
        jobs: Trials at a time.
    """
    from trainwright.engine.signals import stop_on_signals
    from trainwright.workflows import studies
    from trainwright.workflows.tuning import Tuning

    opened = studies.start(
        recipe,
        overrides or {},
        runs_dir=stage.runs_dir,
        place=str(stage.scratch / "search.study"),
        trials=trials,
    )
    with closing(opened.store), stop_on_signals(stage.say) as stop:
        tuning = Tuning(opened, runs_dir=stage.runs_dir, jobs=jobs, say=stage.say, stop=stop)
        result = tuning.run()
        if not result.finished and result.reason != "the time is over":
            raise StageInterrupted(result.reason)
        _write(opened, stage.folder)
    stage.log({f"trials/{state}": count for state, count in result.counts.items()})


def _write(opened: OpenStudy, folder: Path) -> None:
    from trainwright.runs.atomic import write_json, write_text
    from trainwright.workflows.studies import exported
    from trainwright.workflows.study_report import write_study_report

    trials = opened.store.trials()
    if not opened.best():
        reasons = [trial.reason.splitlines()[0] for trial in trials if trial.reason]
        raise RunError("no trial of the search is done", why=reasons[0] if reasons else "")
    write_text(folder / "best.yaml", exported(opened, None, "best.yaml"))
    names = list(opened.tune.objectives)
    rows = [{**asdict(t), "values": dict(zip(names, t.values or (), strict=False))} for t in trials]
    write_json(folder / "trials.json", rows)
    write_study_report(opened, folder / "report.html")

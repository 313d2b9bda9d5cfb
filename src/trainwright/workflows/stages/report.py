"""A stage that writes a run's report."""

from __future__ import annotations

import shutil

from trainwright.fields import RunPlace
from trainwright.workflows.stages.work import StageWork


def report(stage: StageWork, *, run: RunPlace) -> None:
    """Writes a run's report anew and keeps `report.html`, `report.json` and the plots of this moment.

    Args:
        run: A run, most often `${stages.NAME}` of a stage that trains.
    """
    from trainwright.runs.directory import RunDirectory
    from trainwright.workflows.reporting import write_report

    page = write_report(run)
    directory = RunDirectory(run)
    for file in (page, directory.path / "report.json"):
        shutil.copy2(file, stage.folder / file.name)
    if directory.plots.is_dir():
        shutil.copytree(directory.plots, stage.folder / directory.plots.name)

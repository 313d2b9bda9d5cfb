"""A run's report, made anew from its directory and, for the pictures, its data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from trainwright import log
from trainwright import recipe as recipes
from trainwright.errors import UserError
from trainwright.runs.directory import RunDirectory

if TYPE_CHECKING:
    from trainwright.data.types import PreparedData


def write_report(run: str | os.PathLike[str]) -> Path:
    """Writes `report.html`, `report.json` and the plots of a run.

    Where the data are not there any more the report has no pictures, and a warning says so.

    Args:
        run: The run directory.

    Returns:
        Path of `report.html`.

    Raises:
        RunError: There is no run, or a file of it is damaged.
        StorageError: A file cannot be written.
    """
    from trainwright.progress import NoProgress
    from trainwright.workflows.training import load_data

    directory = RunDirectory.open(run)
    loaded, data = recipes.load(directory.resolved), None
    try:
        if any(column.type == "image" for column in loaded.recipe.data.inputs.values()):
            data = load_data(loaded, NoProgress())
    except UserError as error:
        log.logger.warning("the report has no pictures, since the data cannot be read: %s", error)
    return report_on(directory.path, data)


def report_on(run: Path, data: PreparedData | None) -> Path:
    """Makes the report of a run directory, with pictures where there are data."""
    from trainwright.report import build_report
    from trainwright.workflows.data_pictures import picture_of

    return Path(build_report(run, picture=None if data is None else picture_of(data, run / "evaluation")))

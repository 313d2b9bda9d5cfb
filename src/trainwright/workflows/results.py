"""Reading back what a run achieved."""

from __future__ import annotations

from trainwright.runs.directory import RunDirectory
from trainwright.runs.scores import read_scores


def read_metrics_of(run: RunDirectory) -> dict[str, dict[str, float]]:
    """Split -> metrics of every evaluation that the run keeps."""
    found = {}
    for path in sorted((run.path / "evaluation").glob("*/metrics.json")):
        found[path.parent.name] = read_scores(path)
    return found

"""Reading back what a run achieved."""

from __future__ import annotations

import json

from trainwright.runs.directory import RunDirectory


def read_metrics_of(run: RunDirectory) -> dict[str, dict[str, float]]:
    """Split -> metrics of every evaluation that the run keeps."""
    found = {}
    for path in sorted((run.path / "evaluation").glob("*/metrics.json")):
        found[path.parent.name] = json.loads(path.read_text())
    return found

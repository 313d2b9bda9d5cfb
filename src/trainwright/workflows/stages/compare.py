"""A stage that puts runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import MinLen

from trainwright.fields import RunPlace
from trainwright.workflows.stages.work import StageWork

if TYPE_CHECKING:
    from trainwright.report.comparison import Comparison


def compare(stage: StageWork, *, runs: Annotated[list[RunPlace], MinLen(2)]) -> None:
    """Compares runs with paired tests: `comparison.html`, and all numbers in `comparison.json`.

    Runs of one recipe that differ in the seed alone are compared as one, with their spread.

    Args:
        runs: Two or more, such as `["${stages.small}", "${stages.large}"]`; the first is what the others are
            compared to.
    """
    from trainwright.runs.atomic import write_json
    from trainwright.runs.directory import RunDirectory
    from trainwright.workflows.comparing_runs import compare_runs, write_comparison

    found = compare_runs([RunDirectory.open(run) for run in runs], stage.runs_dir)
    write_comparison(found, stage.folder / "comparison.html")
    write_json(stage.folder / "comparison.json", found.as_json())
    for line in _told(found):
        stage.say(line)
    stage.log(
        {
            f"{key}/{members[0]}": value.mean  # ids of runs: names of groups have blanks
            for key, values in found.metrics.items()
            for members, value in zip(found.groups.values(), values, strict=True)
            if value.mean is not None
        }
    )


def _told(found: Comparison) -> list[str]:
    """One line per metric, the first ones."""
    return [
        f"{key}  {'  '.join(f'{name} {value.mean:.4g}' for name, value in known)}"
        for key, values in list(found.metrics.items())[:3]
        if (known := [pair for pair in zip(found.groups, values, strict=True) if pair[1].mean is not None])
    ]

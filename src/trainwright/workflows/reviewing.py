"""From the samples that a run could not learn to a file of fixes that leaves them out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from trainwright.data.fixes import Fix, fixes_of, write_fixes
from trainwright.errors import RunError
from trainwright.inference.predictions import read_predictions
from trainwright.recipe.writing import emit_unexpanded
from trainwright.report.hard_samples import HardSamples, hard_samples
from trainwright.runs.atomic import make_directory, write_text
from trainwright.runs.directory import RunDirectory


@dataclass(frozen=True)
class Review:
    """What was found and written.

    Attributes:
        found: The suspects.
        left_out: Samples that the file leaves out, without those that were left out before.
        fixes: The file of fixes; None where nobody is suspected.
        recipe: A recipe that reads it.
    """

    found: HardSamples
    left_out: int
    fixes: Path | None
    recipe: Path | None


def review(run: str | os.PathLike[str], output: Path, *, limit: int | None = None) -> Review:
    """Writes fixes that leave out the training samples whose labels the run contradicts.

    The file is a proposal, a sample a line with the reason: lines that are deleted are not left out.

    Args:
        run: The run directory.
        output: Folder for `fixes.jsonl` and `recipe.yaml`; made when it is missing.
        limit: At most so many samples, those of the largest mean loss.

    Raises:
        RunError: The run kept no losses of single samples, or has no category target.
        StorageError: A file cannot be written.
    """
    from trainwright import recipe as recipes

    directory = RunDirectory.open(run)
    if not directory.hard_samples.exists():
        raise RunError(
            "the run kept no losses of single samples",
            where=str(directory.path),
            why="it has not ended, mixes samples, has over a million of them, or train.sample_losses is off",
            fix="finish it with `trainwright resume`, or train it with train.sample_losses=true",
        )
    found = hard_samples(read_predictions(directory.hard_samples))
    if found is None or not found.target:
        raise RunError(
            "only labels of a category can be doubted",
            where=str(directory.path),
            why="the run has no category target",
        )
    loaded = recipes.load(directory.resolved)
    before = loaded.recipe.data.fixes
    fixes = dict.fromkeys(fixes_of(before) if before else ())
    new = [
        Fix(
            "leave_out",
            suspect.sample,
            f"labelled {suspect.true}, the model says {suspect.predicted} ({suspect.probability:.2f}), "
            f"mean loss {suspect.loss:.3g}",
        )
        for suspect in found.suspects[:limit]
    ]
    if not new:
        return Review(found, 0, None, None)
    make_directory(output)
    path = output / "fixes.jsonl"
    write_fixes(path, [*fixes, *new])
    plain = {**loaded.resolved, "data": {**loaded.resolved["data"], "fixes": str(path.resolve())}}
    recipe = output / "recipe.yaml"
    write_text(recipe, f"# trainwright train {recipe}\n" + emit_unexpanded(plain))
    return Review(found, len(new), path, recipe)

"""Series of the UCR and UEA archives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainwright.data.sniffing.guess import Guess, missing_split, named_splits, training_rows
from trainwright.data.sources.ucr import UcrSource, problems
from trainwright.errors import DataError
from trainwright.wording import counted

_SUFFIX = ".ts"


def detect(path: Path) -> Guess | None:
    """A `.ts` file, or a folder with `NAME_TRAIN.ts`; a folder of such folders is told to choose one."""
    if path.is_dir():
        found = problems(path)
        if not found:
            _refuse_several(path)
            return None
        if len(found) > 1:
            raise _choose(path, [next(iter(files.values())) for files in found.values()])
    elif path.suffix.lower() != _SUFFIX:
        return None
    return _guess(UcrSource(path=str(path)), path)


def _guess(source: UcrSource, path: Path) -> Guess:
    series = source.column("series")
    lengths = sorted({len(item) for item in series})
    channels = series[0].shape[1]
    column: dict[str, Any] = {"type": "series"}
    notes = [f"{len(source)} series of {counted(channels, 'channel')}"]
    if len(lengths) > 1:
        column["length"] = lengths[-1]
        notes.append(f"they have {lengths[0]} to {lengths[-1]} steps; shorter ones are padded with zeros")
    else:
        notes[0] += f" and {lengths[0]} steps"
    if source.has_gaps:
        column["missing"] = "interpolate"
        notes.append("missing values are interpolated")
    given = source.splits()
    notes.append(f"splits {named_splits(given)}" if given else "no splits: it is one file")
    targets = {name: {"type": role} for name, role in source.columns.items() if name != "series"}
    notes += source.notices
    return Guess(
        {"name": "ucr", "path": str(path)},
        {"series": column},
        targets,
        missing_split(source),
        len(source),
        notes,
        training_rows(source),
    )


def _refuse_several(path: Path) -> None:
    """A folder whose folders hold series is no folder of classes."""
    below = [item for item in sorted(path.iterdir()) if item.is_dir() and problems(item)]
    if below:
        raise _choose(path, below)


def _choose(path: Path, found: list[Path]) -> DataError:
    return DataError(
        f"there are {len(found)} sets of series: {', '.join(item.name for item in found[:8])}",
        where=str(path),
        fix=f"name one of them: trainwright init {found[0]}",
    )

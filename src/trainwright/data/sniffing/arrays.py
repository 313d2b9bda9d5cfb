"""NumPy arrays in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainwright.data.sniffing.guess import Guess, missing_split, training_rows
from trainwright.data.sniffing.image_size import image_column
from trainwright.data.sniffing.values import named_target, refuse_constant, target_type
from trainwright.data.sources.arrays import ArraysSource
from trainwright.errors import DataError
from trainwright.wording import counted


def detect(path: Path) -> Guess | None:
    """An `.npz` or `.npy` file, or a folder of `.npy` files."""
    if path.suffix.lower() not in (".npz", ".npy") and not (path.is_dir() and any(path.glob("*.npy"))):
        return None
    source = ArraysSource(path=str(path))
    target = named_target(list(source.columns)) or list(source.columns)[-1]
    refuse_constant(source.column(target), target, path)
    rest = [name for name in source.columns if name != target]
    if not rest:
        raise DataError(
            "there is one array only, so nothing to learn from",
            where=str(path),
            fix="put a second array with the answers beside it",
        )
    inputs: dict[str, dict[str, Any]] = {}
    for name in rest:
        role = source.columns[name]
        inputs[name] = image_column(source.column(name))[0] if role == "image" else {"type": "number"}
    notes = [
        f"arrays {', '.join(source.columns)} of {counted(len(source), 'row')}; "
        f"{target} is taken for the target"
    ]
    return Guess(
        {"name": "arrays", "path": str(path)},
        inputs,
        {target: {"type": target_type(source.column(target))}},
        missing_split(source),
        len(source),
        notes,
        training_rows(source),
    )

"""`metrics.json` of an evaluated split, in strict JSON: a score that has no value is null."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

from trainwright.errors import RunError
from trainwright.runs.atomic import write_json


def write_scores(path: str | os.PathLike[str], scores: Mapping[str, float]) -> None:
    """Writes the scores of a split.

    Args:
        path: `metrics.json`.
        scores: By metric. NaN becomes null, infinities become the texts that `metrics.jsonl` has for them:
            JSON knows neither.
    """
    write_json(path, {name: _stored(value) for name, value in scores.items()})


def read_scores(path: str | os.PathLike[str]) -> dict[str, float]:
    """The scores of a split, NaN where there is no value.

    Files that hold the word NaN in place of null are read all the same; what is no number is left out.

    Raises:
        RunError: The file cannot be read, or is no mapping.
    """
    try:
        values = json.loads(Path(path).read_bytes())
        if not isinstance(values, dict):
            raise ValueError("not a mapping")
        return {name: _read(value) for name, value in values.items() if _is_number(value)}
    except (OSError, ValueError) as error:
        raise RunError("an evaluation cannot be read", where=os.fspath(path), why=str(error)) from error


def _stored(value: float) -> float | str | None:
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _is_number(value: object) -> bool:
    return value is None or isinstance(value, int | float) or value in ("Infinity", "-Infinity")


def _read(value: float | str | None) -> float:
    return math.nan if value is None else float(value)

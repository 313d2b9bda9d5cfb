"""What the data came to, for `data/` of the run directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainwright.data.types import Dropped, PreparedData


def summary(data: PreparedData) -> dict[str, Any]:
    return {"sizes": {n: len(r) for n, r in data.splits.items()}}


def write_dropped(path: Path, dropped: list[Dropped]) -> None:
    pass

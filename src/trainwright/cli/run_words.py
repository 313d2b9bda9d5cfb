"""What is said of a run in tables: its age, time, progress and main metrics."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainwright.runs.listing import RunRow


def age(created: float) -> str:
    """How long ago, in the largest fitting unit."""
    seconds = max(0.0, time.time() - created)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def duration(seconds: float) -> str:
    """Working time."""
    from trainwright.progress import format_seconds

    return format_seconds(seconds)


def progress(item: RunRow) -> str:
    """Steps done, of those planned where that is known."""
    if item.step is None:
        return "-"
    return f"{item.step}/{item.total_steps}" if item.total_steps else str(item.step)


def main_metrics(item: RunRow) -> str:
    """Test metrics before validation before training, three of them."""
    from trainwright.runs.listing import headline

    return "  ".join(f"{name} {value:.4g}" for name, value in headline(item.metrics).items())

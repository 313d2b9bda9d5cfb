"""What roll-backs have left of a run's learning rates, those of its parents too."""

from __future__ import annotations

from trainwright.runs.lineage import origin_of
from trainwright.runs.record import RunRecord


def turns_of(record: RunRecord) -> list[tuple[int, float]]:
    """(step, factor): from which steps on the recipe's learning rates are multiplied by what.

    A later one stands for those before it from its own step on.
    """
    origin = origin_of(record)
    inherited = [(0, origin.rate)] if origin is not None and origin.rate != 1.0 else []
    return [*inherited, *((int(item["to"]), float(item["rate"])) for item in record.rollbacks)]


def rate_of(record: RunRecord) -> float:
    """The factor that holds now; 1 where nothing was rolled back."""
    turns = turns_of(record)
    return turns[-1][1] if turns else 1.0

"""Remembers the networks that have passed their checks, so that repeating a run starts at once."""

from __future__ import annotations

from collections.abc import Callable

from trainwright.data.cache import JsonCache
from trainwright.engine.preflight import Preflight
from trainwright.engine.runtime import Execution
from trainwright.locations import cache_dir
from trainwright.runs.record import RunRecord


def checked_once(record: RunRecord | None, execution: Execution, check: Callable[[], Preflight]) -> Preflight:
    """What `check` finds of a network, now or in an earlier pass of the same check.

    The checks are a function of what the run's digest is over (recipe, data, initial weights), of the
    packages and of how a step is executed. A recipe with code of the user's own is always checked: the
    digest knows the files that the recipe names, not everything that they import.

    Args:
        record: The run's record; None checks.
        execution: What the check runs under.
        check: Raises UserError where the model does not fit; only a pass is remembered.
    """
    if record is None or record.parts.get("content", {}).get("code"):
        return check()
    passed = JsonCache(cache_dir() / "checked_networks")
    key = {
        "form": "names, doubts, kept",
        "run": record.digest,
        "packages": record.packages,
        "execution": execution.to_json(),
    }
    known = passed.find(key)
    if known is not None:
        return Preflight(set(known["names"]), known["doubts"], known["kept"])
    found = check()
    passed.store(key, {"names": sorted(found.names), "doubts": found.doubts, "kept": found.kept})
    return found

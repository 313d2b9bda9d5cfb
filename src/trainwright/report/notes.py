"""What a reader should know before believing the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trainwright.report.categories import CategoriesResult
from trainwright.report.category import CategoryResult
from trainwright.report.contents import Contents
from trainwright.report.number import NumberResult
from trainwright.report.objects import ObjectsResult
from trainwright.report.scales import percent_text
from trainwright.runs.record import RunState

FEW_SAMPLES = 10
BAD_CALIBRATION = 0.1


@dataclass(frozen=True)
class Note:
    """One remark: `warning` where a number may mislead, `info` where it only explains."""

    level: Literal["warning", "info"]
    text: str


def run_notes(contents: Contents) -> Iterator[Note]:
    """Remarks on the run itself."""
    record = contents.record
    state, step, total = record.state, record.progress.get("step"), record.progress.get("total_steps")
    reached = f" at step {step:,}" + (f" of {total:,}" if total else "") if isinstance(step, int) else ""
    if state in (RunState.INTERRUPTED, RunState.FAILED):
        reason = f": {record.exit_reason}" if record.exit_reason else ""
        yield Note(
            "warning",
            f"The run {'was interrupted' if state is RunState.INTERRUPTED else 'failed'}{reached}{reason}.",
        )
    elif state is RunState.RUNNING:
        yield Note("info", f"This report was made before the run had ended{reached}.")
    dropped = dropped_samples(contents)
    if dropped:
        yield Note("warning", f"{dropped:,} samples could not be read and were left out; see “Data”.")
    for notice in contents.summary.get("notices", []):
        yield Note("info", str(notice))
    if not contents.evaluations:
        yield Note("warning", "No split has been evaluated, so there is nothing to say about quality.")
    if contents.metrics and not any(key.startswith("val/") for key in contents.metrics):
        yield Note("warning", "There was no validation split: overfitting cannot be seen in the curves.")
    yield from _not_finite(contents)
    for finding in contents.health:
        yield Note("warning", f"While it trained, {finding}.")
    for back in record.rollbacks:
        yield Note(
            "warning",
            f"The training went wrong ({back['text']}): it went back to step {back['to']:,}, "
            f"and on at {back['rate']:g} times the recipe's learning rate.",
        )
    resumed = len(record.resumed_from) - len(record.rollbacks)
    if resumed:
        yield Note("info", f"The run was resumed {_times(resumed)}; the learning curves mark where.")
    if _best_is_last(contents):
        yield Note("info", "The best value came at the last evaluation: longer training may help.")


def category_notes(split: str, result: CategoryResult, first: bool) -> Iterator[Note]:
    """Remarks on a category target's numbers; on small matters only of the first, most telling split."""
    place = f"{result.name}, {split}"
    if not result.total:
        yield Note("warning", f"{place}: no sample has a known class.")
        return
    if result.unknown:
        yield Note("warning", f"{place}: {result.unknown:,} samples without a known class take no part.")
    absent = [row.name for row in result.rows if not row.support]
    if absent:
        yield Note("warning", f"{place}: no sample of {_some(absent)}; nothing can be said of them.")
    if not first:
        return
    few = [row.name for row in result.rows if 0 < row.support < FEW_SAMPLES]
    if few:
        yield Note(
            "warning", f"{place}: fewer than {FEW_SAMPLES} samples of {_some(few)}; mind the intervals."
        )
    never = [row.name for row in result.rows if row.support and not row.predicted]
    if never:
        yield Note("warning", f"{place}: {_some(never)} is never predicted.")
    error = result.calibration.error
    if error > BAD_CALIBRATION:
        yield Note(
            "info",
            f"{place}: stated probabilities are {percent_text(error, 0)} off on average; see “Calibration”.",
        )


def number_notes(split: str, result: NumberResult, first: bool) -> Iterator[Note]:
    """Remarks on a number target's numbers."""
    if result.left_out:
        yield Note(
            "warning",
            f"{result.name}, {split}: {result.left_out:,} samples without a finite truth and prediction "
            "take no part.",
        )
    low, high = result.bias_interval
    if result.total and (low > 0 or high < 0) and abs(result.bias) > 0.1 * result.mae:
        direction = "high" if result.bias > 0 else "low"
        yield Note("info", f"{result.name}, {split}: predictions are too {direction} on average.")


def objects_notes(split: str, result: ObjectsResult, first: bool) -> Iterator[Note]:
    """Remarks on found objects; on small matters only of the first, most telling split."""
    place = f"{result.name}, {split}"
    if not result.objects:
        yield Note("warning", f"{place}: no object is annotated.")
        return
    absent = [row.name for row in result.rows if not row.true]
    if absent:
        yield Note("warning", f"{place}: no object of {_some(absent)}; nothing can be said of them.")
    few = [row.name for row in result.rows if 0 < row.true < FEW_SAMPLES]
    if few and first:
        yield Note("warning", f"{place}: fewer than {FEW_SAMPLES} objects of {_some(few)}.")
    never = [row.name for row in result.rows if row.true and not row.found]
    if never and first:
        yield Note("warning", f"{place}: {_some(never)} is never found.")


def categories_notes(split: str, result: CategoriesResult, first: bool) -> Iterator[Note]:
    """Remarks on memberships; on small matters only of the first, most telling split."""
    place = f"{result.name}, {split}"
    if result.left_out:
        yield Note(
            "warning",
            f"{place}: {result.left_out:,} samples without a known truth and a finite prediction "
            "take no part.",
        )
    absent = [row.name for row in result.rows if not row.support]
    if absent:
        yield Note("warning", f"{place}: no sample has {_some(absent)}; nothing can be said of them.")
    few = [row.name for row in result.rows if 0 < row.support < FEW_SAMPLES]
    if few and first:
        yield Note("warning", f"{place}: fewer than {FEW_SAMPLES} samples have {_some(few)}.")
    never = [row.name for row in result.rows if row.support and not row.predicted]
    if never and first:
        yield Note("warning", f"{place}: {_some(never)} is never told.")


def no_notes(split: str, result: object, first: bool) -> Iterator[Note]:
    """Nothing to remark."""
    return iter(())


def picture_notes(failures: Sequence[str]) -> Iterator[Note]:
    """Remarks on pictures that could not be had."""
    if failures:
        yield Note("warning", f"{len(failures)} pictures could not be read, such as {failures[0]}.")


def dropped_samples(contents: Contents) -> int:
    """How many samples were left out when the data was prepared."""
    told = contents.summary.get("dropped")
    if isinstance(told, dict):
        return sum(value for value in told.values() if isinstance(value, int))
    if isinstance(told, list):
        return len(told)
    return told if isinstance(told, int) else len(contents.dropped)


def _not_finite(contents: Contents) -> Iterator[Note]:
    for key, series in contents.metrics.items():
        broken = [step for step, value in series if not np.isfinite(value)]
        if broken:
            yield Note("warning", f"{key} was not finite {_times(len(broken))}, first at step {broken[0]:,}.")


def _best_is_last(contents: Contents) -> bool:
    best = contents.record.best
    series = contents.metrics.get(str(best.get("monitor")), [])
    return len(series) > 2 and best.get("step") == series[-1][0]


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _some(names: Iterable[str], limit: int = 5) -> str:
    listed = list(names)
    more = f" and {len(listed) - limit} others" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more

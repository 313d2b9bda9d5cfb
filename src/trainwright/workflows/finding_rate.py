"""Looks for the learning rate of a recipe, by a short training that is never kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright import recipe as recipes
from trainwright.allocator import keep_freed_memory
from trainwright.errors import RecipeError, UserError
from trainwright.progress import NoProgress, ProgressSink
from trainwright.runs.atomic import make_directory, write_text
from trainwright.wording import counted
from trainwright.workflows import gate
from trainwright.workflows.trainable import refuse_untrainable
from trainwright.workflows.training import Background, load_data

if TYPE_CHECKING:
    from trainwright.data.types import PreparedData
    from trainwright.engine.parts import Parts
    from trainwright.engine.rate_curve import RateCurve
    from trainwright.recipe import LoadedRecipe
    from trainwright.recipe.schema import Recipe
    from trainwright.workflows.session import Session

KEY = "train.optimizer.lr"
LOW, HIGH, STEPS = 1e-7, 10.0, 100
FEWEST, MOST = 20, 10_000


@dataclass(frozen=True)
class RateFound:
    """What a range test found.

    Attributes:
        name: Of the recipe.
        curve: Losses by rate, and what they say.
        present: The rate that the recipe has.
        risen: Whether the test ended because the loss rose.
        notes: What one should know of it.
    """

    name: str
    curve: RateCurve
    present: float
    risen: bool
    notes: list[str] = field(default_factory=list)

    @property
    def override(self) -> str | None:
        """What to put behind a command to train with the suggestion."""
        rate = self.curve.suggestion
        return None if rate is None else f"{KEY}={rate:g}"

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        curve = self.curve
        return {
            "recipe": self.name,
            "suggestion": curve.suggestion,
            "override": self.override,
            "unknown": curve.unknown,
            "steepest": curve.steepest,
            "bound": curve.bound,
            "present": self.present,
            "diverged_at": float(curve.rates[-1]) if self.risen else None,
            "notes": self.notes,
            "rates": curve.rates.tolist(),
            "losses": curve.losses.tolist(),
            "smoothed": curve.smoothed.tolist(),
        }


def find_rate(
    recipe: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | Sequence[str] = (),
    *,
    data: Any = None,
    low: float = LOW,
    high: float = HIGH,
    steps: int = STEPS,
    progress: ProgressSink | None = None,
) -> RateFound:
    """Trains the recipe's model for some steps at rising learning rates, and reads the curve of losses.

    No run is made, and none is touched. The same call gives the same numbers.

    Args:
        recipe: A file, the name of a shipped recipe, or the recipe as a mapping.
        overrides: Key path -> value, or `a.b=value` strings.
        data: In-memory data in place of the recipe's source.
        low: Rate of the first step.
        high: Rate of the last step.
        steps: Length of the test.
        progress: Told how far it is.

    Raises:
        UserError: The recipe cannot be trained, has no learning rate to look for, or the range is none.
    """
    progress = progress or NoProgress()
    _refuse_range(low, high, steps)
    loaded = recipes.load(recipe, overrides)
    with recipes.located(loaded):
        refuse_untrainable(loaded.recipe)
        present = rate_of(loaded.recipe)
    preparing = Background(lambda: load_data(loaded, progress, data=data))
    keep_freed_memory()
    # Imports torch: its seconds of import pass while workers decode the data.
    from trainwright.engine.range_test import range_test
    from trainwright.workflows.session import Session

    with recipes.located(loaded), Session(loaded, progress, wait=False) as session:
        _refuse_processes(session.processes.size)
        prepared = preparing.result()
        gate.refuse_errors(loaded.recipe.data, gate.quick_check(loaded.recipe.data, prepared))
        parts = _parts(loaded, session, prepared)
        notes = _notes(loaded.recipe, parts, len(prepared.splits["train"]), steps)
        curve, risen = range_test(parts, present, low, high, steps, progress)
    return RateFound(loaded.recipe.name, curve, present, risen, notes)


def rate_of(recipe: Recipe) -> float:
    """The learning rate that the recipe gives its optimizer.

    Raises:
        RecipeError: The optimizer has none, or the task brings optimizers of its own.
    """
    optimizer = recipe.train.optimizer
    rate = optimizer.get("lr")
    if isinstance(rate, int | float) and rate > 0:
        return float(rate)
    raise RecipeError(
        f"optimizer `{optimizer['name']}` has no learning rate to look for",
        where="train.optimizer",
        why="it has no positive number `lr`",
        fix="take one that has, such as adamw; an optimizer of your own needs the parameter `lr`",
    )


def _refuse_range(low: float, high: float, steps: int) -> None:
    if not (0 < low < high < float("inf")):
        raise UserError(
            f"rates from {low:g} to {high:g} are no rising range of positive numbers",
            fix=f"such as --from {LOW:g} --to {HIGH:g}",
        )
    if not FEWEST <= steps <= MOST:
        raise UserError(
            f"{counted(steps, 'step')} make no curve", fix=f"--count takes {FEWEST} to {MOST} steps"
        )


def _refuse_processes(count: int) -> None:
    if count > 1:
        raise UserError(
            f"a learning rate is looked for in one process, and there are {count}",
            fix="start it without torchrun; the rate is that of the whole batch, however many share it",
        )


def _parts(loaded: LoadedRecipe, session: Session, data: PreparedData) -> Parts:
    """Model and optimizer as a training has them, checked on real samples."""
    import torch

    from trainwright.engine.build import build_network, build_parts, build_task, check_network, first_batch
    from trainwright.engine.execution_choice import plain_execution
    from trainwright.engine.runtime import Runtime
    from trainwright.workflows.room import Room
    from trainwright.workflows.run_execution import base_execution, refuse_precision

    recipe = loaded.recipe
    refuse_precision(recipe, session.device)
    base = base_execution(recipe, session.device, session.processes)
    torch.set_num_threads(base.threads)
    task = build_task(recipe)
    model = build_network(task, recipe, data, session.progress.message)
    phases = task.phases(model)
    if len(phases) > 1 or any(phase.optimizer is not None for phase in phases):
        raise RecipeError(
            f"task `{recipe.task['name']}` trains {' and '.join(phase.name for phase in phases)} in turns",
            where="task",
            why="each loss answers to the others, so that none says which rate is good",
            fix="search over rates instead, with a metric as objective: `trainwright tune`",
        )
    found, room = check_network(task, model, recipe, data, base), Room(loaded, data, base)
    base = room.judge(room.counted(model, found)).applied(base)
    # What `auto` leaves open is not measured: a clock must not decide what is found.
    batch = first_batch(recipe, data, base, training=True, at_most=1)
    execution = plain_execution(recipe, model, batch, base)
    return build_parts(recipe, data, task, model, Runtime(execution), session.processes)


def _notes(recipe: Recipe, parts: Parts, rows: int, steps: int) -> list[str]:
    notes = []
    schedule, size = recipe.train.schedule["name"], recipe.train.batch_size
    if schedule != "constant":
        peak = _peak(parts)
        at = "the rate that it starts from" if peak is None else f"its highest rate is {peak:g} times that"
        notes.append(
            f"schedule {schedule} is left out of the test: what is found is the optimizer's lr, {at}"
        )
    if recipe.train.layers:
        notes.append(
            "layers of train.layers keep their ratio to it, and those of a later epoch are not trained"
        )
    if size > rows:
        notes.append(
            f"train.batch_size is {size}, and there are {counted(rows, 'training sample')}: "
            "every step takes all of them"
        )
    passes = steps * min(size, rows) / rows
    if passes > 2:
        notes.append(f"the test goes {passes:.0f} times through the training samples")
    return notes


def _peak(parts: Parts) -> float | None:
    """The schedule's highest factor; None where it has no end, or heeds a metric."""
    schedule, total = parts.runners[0].schedule, parts.budget.total_steps
    if total is None or hasattr(schedule, "monitor"):
        return None
    return round(max(schedule.factor(step) for step in range(0, max(1, total), max(1, total // 1000))), 2)


def write_rate_page(found: RateFound, path: Path) -> None:
    """Writes the curve as a page. Raises StorageError."""
    from trainwright.report.charts import GREY, Chart, Line, Points, Rule
    from trainwright.report.finder_page import FinderContents, render_finder_page

    curve = found.curve
    rules = [
        Rule(rate, label, row=row)
        for row, (rate, label) in enumerate(
            [
                (curve.steepest, "steepest"),
                (curve.suggestion, "suggested"),
                (curve.bound, "lowest"),
                (found.present, "recipe"),
            ]
        )
        if rate is not None and curve.rates[0] <= rate <= curve.rates[-1]
    ]
    low, high = float(curve.smoothed.min()), float(curve.smoothed.max())
    air = 0.1 * (high - low) or 1.0
    chart = Chart(
        "rates",
        "Loss by learning rate",
        "learning rate",
        "training loss",
        [
            Points(curve.rates, curve.losses, "a step", GREY),
            Line(curve.rates, curve.smoothed, "smoothed", 0),
            *rules,
        ],
        y_range=(low - air, high + air),
        x_log=True,
    )
    facts = {
        "suggestion": found.override or "none",
        "falls fastest at": "–" if curve.steepest is None else f"{curve.steepest:.2g}",
        "lowest at": "–" if curve.bound is None else f"{curve.bound:.2g}",
        "ended at": f"{curve.rates[-1]:.2g}, " + ("the loss had risen" if found.risen else "the last rate"),
        "recipe": f"{found.present:g}",
    }
    answer = found.override or f"No rate is suggested: {curve.unknown}."
    make_directory(path.parent)
    write_text(
        path,
        render_finder_page(
            FinderContents(f"Learning rate of {found.name}", answer, facts, [chart], notes=found.notes)
        ),
    )

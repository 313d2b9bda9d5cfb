"""Looks for the batch size of a recipe: the fastest, and the largest that fits into memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright import recipe as recipes
from trainwright.errors import RecipeError, UserError
from trainwright.progress import NoProgress, ProgressSink
from trainwright.runs.atomic import make_directory, write_text
from trainwright.wording import counted, size_text
from trainwright.workflows import gate
from trainwright.workflows.trainable import refuse_untrainable
from trainwright.workflows.training import Background, load_data

if TYPE_CHECKING:
    from trainwright.data.types import PreparedData
    from trainwright.engine.batch_choice import BatchChoice
    from trainwright.engine.runtime import Execution
    from trainwright.engine.step_estimate import Measured
    from trainwright.recipe import LoadedRecipe
    from trainwright.recipe.schema import Recipe
    from trainwright.workflows.room import Free
    from trainwright.workflows.session import Session

KEY = "train.batch_size"
SMALLEST = 2
STEPS = 9  # timed at each size, of which the quickest counts
SECONDS_A_SIZE = 30.0
# An epoch of fewer steps than this measures how epochs end.
_PARTS = 3
# Steps of an epoch below which a batch is told to be large for its data.
_FEW_STEPS = 20


@dataclass(frozen=True)
class BatchFound:
    """What was measured, and what it says.

    Attributes:
        name: Of the recipe.
        choice: The measurements and what they come to.
        present: The size that the recipe has.
        free: What was free, in words.
        notes: What one should know of it.
    """

    name: str
    choice: BatchChoice
    present: int
    free: str
    notes: list[str] = field(default_factory=list)

    @property
    def override(self) -> str:
        """What to put behind a command to train with the suggestion."""
        return f"{KEY}={self.choice.suggestion}"

    @property
    def is_extrapolated(self) -> bool:
        """Whether the largest was drawn from smaller ones."""
        return self.choice.largest > self.choice.measured[-1].samples

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        pairs = zip(self.choice.measured, self.choice.rates, strict=True)
        return {
            "recipe": self.name,
            "suggestion": self.choice.suggestion,
            "override": self.override,
            "largest": self.choice.largest,
            "extrapolated": self.is_extrapolated,
            "rising": self.choice.rising,
            "present": self.present,
            "room": self.choice.room,
            "notes": self.notes,
            "measured": [{**asdict(item), "samples_per_second": rate} for item, rate in pairs],
        }


def find_batch(
    recipe: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | Sequence[str] = (),
    *,
    low: int = SMALLEST,
    high: int | None = None,
    progress: ProgressSink | None = None,
) -> BatchFound:
    """Trains a few steps at doubling batch sizes, in processes of their own that end before memory does.

    No run is made, and none is touched.

    Args:
        recipe: A file, the name of a shipped recipe, or the recipe as a mapping.
        overrides: Key path -> value, or `a.b=value` strings.
        low: The first size.
        high: No size above it; a third of the training samples when absent.
        progress: Told what is done.

    Raises:
        UserError: The recipe cannot be trained, or there is no size to measure.
    """
    progress = progress or NoProgress()
    loaded = recipes.load(recipe, overrides)
    with recipes.located(loaded):
        refuse_untrainable(loaded.recipe)
    preparing = Background(lambda: load_data(loaded, progress))
    # Imports torch: its seconds of import pass while workers decode the data.
    from trainwright.workflows.session import Session

    with recipes.located(loaded), Session(loaded, progress, wait=False) as session:
        if session.processes.size > 1:
            raise UserError("a batch is looked for in one process", fix="start it without torchrun")
        prepared = preparing.result()
        gate.refuse_errors(loaded.recipe.data, gate.quick_check(loaded.recipe.data, prepared))
        rows = len(prepared.splits["train"])
        sizes = sizes_to_measure(low, high, rows)
        choice, free = _measure(loaded, session, prepared, sizes)
    notes = _notes(loaded.recipe, choice, high)
    return BatchFound(loaded.recipe.name, choice, loaded.recipe.train.batch_size, free.told(), notes)


def sizes_to_measure(low: int, high: int | None, rows: int) -> list[int]:
    """Sizes from `low` on, each twice the one before.

    Args:
        low: The first one.
        high: None is larger.
        rows: Training samples; a step takes a third of them at most, so that an epoch has some steps.

    Raises:
        UserError: There is none.
    """
    if low < 1 or (high is not None and high < low):
        end = "" if high is None else f" to {high}"
        raise UserError(
            f"batches from {low}{end} are no range of sizes", fix=f"such as --from {SMALLEST} --to 256"
        )
    most = rows // _PARTS
    if low > most:
        raise UserError(
            f"a batch of {low} is too large to be measured on {counted(rows, 'training sample')}",
            why=f"an epoch of fewer than {_PARTS} steps measures how epochs end",
            fix=f"begin at {most} at most, with --from" if most else "give it more data",
        )
    sizes = []
    while low <= min(most, high or most):
        sizes.append(low)
        low *= 2
    return sizes


def _measure(
    loaded: LoadedRecipe, session: Session, data: PreparedData, sizes: Sequence[int]
) -> tuple[BatchChoice, Free]:
    """Measurements, and what was free for them."""
    from trainwright.data.sources.arrays import ArraysSource
    from trainwright.engine.batch_choice import choose_batch, is_enough
    from trainwright.workflows.room import PROBED_SHARE, RESERVE, free_memory
    from trainwright.workflows.step_probe import probe_steps

    if isinstance(data.source, ArraysSource):
        raise RecipeError(
            "a batch cannot be looked for on data in memory",
            where="data.source",
            why="the processes that measure it could not read them",
            fix="put the data into files",
        )
    free = free_memory(session.device)
    if free is None:
        raise UserError(
            f"nobody tells how much memory is free on {session.device}",
            fix="look for a batch on the cpu or on a GPU of NVIDIA's",
        )
    limit, execution = int(PROBED_SHARE * free.free), _execution(loaded.recipe, session, data)

    def enough(measured: Sequence[Measured]) -> bool:
        """Tells of the last size, and whether it was the last."""
        last = measured[-1]
        session.progress.message(f"batch {last.samples}: {last.samples / last.seconds:.3g} samples a second")
        return is_enough(measured, limit, SECONDS_A_SIZE, STEPS, on_device=free.on_device)

    found = probe_steps(
        loaded, execution, [(size, size) for size in sizes], limit, steps=STEPS, enough=enough
    )
    if not found.measured:
        raise UserError(
            f"a step of {counted(sizes[0], 'sample')} takes more than {size_text(limit)} of memory",
            where=KEY,
            why=free.told(),
            fix="begin lower, with --from 1" if sizes[0] > 1 else "take a smaller model or smaller inputs",
        )
    room = int((1 - RESERVE) * free.free)
    rows = len(data.splits["train"])
    return choose_batch(found.measured, rows, room, on_device=free.on_device), free


def _execution(recipe: Recipe, session: Session, data: PreparedData) -> Execution:
    """How steps are executed, of a model that passes its checks."""
    import torch

    from trainwright.engine.build import build_network, build_task, check_network, first_batch
    from trainwright.engine.execution_choice import plain_execution
    from trainwright.workflows.run_execution import base_execution, refuse_precision

    refuse_precision(recipe, session.device)
    base = base_execution(recipe, session.device, session.processes).with_choice(micro_batch=None)
    torch.set_num_threads(base.threads)
    task = build_task(recipe)
    model = build_network(task, recipe, data)
    check_network(task, model, recipe, data, base)
    return plain_execution(recipe, model, first_batch(recipe, data, base, training=True, at_most=1), base)


def _notes(recipe: Recipe, choice: BatchChoice, high: int | None) -> list[str]:
    notes = []
    if recipe.train.micro_batch is not None:
        notes.append("train.micro_batch is left out: every step is one forward pass")
    if recipe.train.batch_size > choice.rows:
        notes.append(
            f"train.batch_size is {recipe.train.batch_size}, and there are "
            f"{counted(choice.rows, 'training sample')}: every step takes all of them"
        )
    if choice.rising and high is None:
        notes.append(f"the rate was still rising at {choice.measured[-1].samples}, the largest measured")
    steps = -(-choice.rows // choice.suggestion)
    if steps < _FEW_STEPS:
        notes.append(f"an epoch of {counted(steps, 'step')} learns slowly however fast it is")
    if choice.suggestion != recipe.train.batch_size:
        notes.append(f"with another batch the rate is another: trainwright find lr RECIPE {KEY}=...")
    return notes


def write_batch_page(found: BatchFound, path: Path) -> None:
    """Writes the measurements as a page. Raises StorageError."""
    import numpy as np

    from trainwright.engine.batch_choice import taken
    from trainwright.report.charts import Chart, Line, Rule
    from trainwright.report.finder_page import FinderContents, render_finder_page

    choice = found.choice
    sizes = np.array([item.samples for item in choice.measured], dtype=np.float64)
    memory = np.array([taken(item, on_device=choice.on_device) for item in choice.measured]) / (1 << 20)
    rule = [Rule(float(choice.suggestion), "suggested")]
    rates = np.array(choice.rates)
    charts = [
        Chart(
            "rates", "Speed by batch", "samples of a step", "samples a second",
            [Line(sizes, rates, dots=True), *rule], y_range=(0.0, 1.1 * float(rates.max())), x_log=True,
        ),
        Chart(
            "memory", "Memory by batch", "samples of a step", "MiB beyond the imports",
            [Line(sizes, memory, color=1, dots=True), *rule], x_log=True,
        ),
    ]  # fmt: skip
    facts = {
        "suggestion": found.override,
        "largest that fits": largest_told(found),
        "free": found.free,
        "recipe": str(found.present),
    }
    make_directory(path.parent)
    write_text(
        path,
        render_finder_page(
            FinderContents(
                f"Batch size of {found.name}",
                found.override,
                facts,
                charts,
                HEADER,
                rows_of(found),
                found.notes,
            )
        ),
    )


HEADER = ("batch", "ms a step", "samples a second", "memory")


def rows_of(found: BatchFound) -> list[list[str]]:
    """The measurements as text."""
    from trainwright.engine.batch_choice import taken

    choice = found.choice
    return [
        [
            str(item.samples),
            f"{1000 * item.seconds:.3g}",
            f"{rate:.4g}",
            size_text(taken(item, on_device=choice.on_device)),
        ]
        for item, rate in zip(choice.measured, choice.rates, strict=True)
    ]


def largest_told(found: BatchFound) -> str:
    """The largest that fits, in words."""
    choice = found.choice
    all_fit = choice.largest >= choice.rows
    told = f"all {choice.rows} training samples" if all_fit else str(choice.largest)
    if not found.is_extrapolated:
        return told
    about = "" if all_fit else "about "
    return f"{about}{told}, drawn from {choice.measured[-1].samples}, the largest measured"

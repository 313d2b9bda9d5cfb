"""Whether there is room for a training: memory of the host and the GPU, and the disk."""

from __future__ import annotations

import os
import shutil
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from trainwright.data.sources.arrays import ArraysSource
from trainwright.data.stream_store import store_of
from trainwright.data.types import PreparedData
from trainwright.engine import distributed
from trainwright.engine.fake_step import FakeStep
from trainwright.engine.kept_for_backward import trained_bytes
from trainwright.engine.memory_bound import Counted
from trainwright.engine.preflight import Preflight
from trainwright.engine.runtime import Execution
from trainwright.engine.step_estimate import StepEstimate
from trainwright.errors import UserError
from trainwright.log import logger
from trainwright.machine.host_memory import host_memory, largest_holders
from trainwright.wording import size_text
from trainwright.workflows.step_probe import ProbeFailed, probe_steps

if TYPE_CHECKING:
    from trainwright.recipe import LoadedRecipe
    from trainwright.recipe.schema import Recipe

# Below this share of what is free, a bound settles it; above, it is measured.
COMFORTABLE = 0.5
# This share stays free: others grow too, and estimates err.
RESERVE = 0.05
# A probe may take this share of what is free.
PROBED_SHARE = 0.6
_KEPT_CHECKPOINTS = 3  # two, and one that is being written
_SMALL_CHANGE = 64 << 20  # reports and logs


@dataclass(frozen=True)
class Free:
    """Memory that can still be taken where the training will take it.

    Attributes:
        free: Bytes.
        total: Bytes that there are.
        of: Whose they are, in words.
        on_device: Whether it is that of a GPU.
    """

    free: int
    total: int
    of: str
    on_device: bool

    def told(self) -> str:
        """In words."""
        return f"{size_text(self.free)} of {size_text(self.total)} are free on {self.of}"


def free_memory(device: str) -> Free | None:
    """Memory of the GPU, or of the host where it is trained there; None where nobody tells."""
    if device.startswith("cuda"):
        free, total = torch.cuda.mem_get_info(device)
        return Free(free, total, f"{device} ({torch.cuda.get_device_name(device)})", True)
    found = host_memory()
    return Free(found.free, found.total, found.of, False) if found is not None else None


@dataclass(frozen=True)
class Verdict:
    """What came of it.

    Attributes:
        micro_batch: Samples of a forward pass.
        lines: What is to be said, of which `check` says all.
        worth_telling: Whether a training should say it too.
    """

    micro_batch: int | None
    lines: list[str]
    worth_telling: bool = False

    def applied(self, execution: Execution) -> Execution:
        """The execution with these parts; an evaluation takes no more at a time than a training."""
        if self.micro_batch == execution.micro_batch or self.micro_batch is None:
            return execution
        evaluated = min(execution.evaluation_batch, self.micro_batch)
        return execution.with_choice(micro_batch=self.micro_batch, evaluation_batch=evaluated)


class Room:
    """Judges whether a training fits.

    Args:
        loaded: The recipe; `train.memory_check` says what becomes of one that does not fit, and
            `train.micro_batch: auto` lets steps be made in parts.
        data: Its data.
        execution: How steps are executed.
        free: Asked for what is free on a device; tests give their own.
    """

    def __init__(
        self,
        loaded: LoadedRecipe,
        data: PreparedData,
        execution: Execution,
        free: Callable[[str], Free | None] = free_memory,
    ) -> None:
        self._loaded, self._data, self._execution = loaded, data, execution
        self._train = loaded.recipe.train
        self._processes = distributed.local_world_size()
        self._samples = -(-min(self._train.batch_size, len(data.splits["train"])) // execution.world_size)
        self._free = free(execution.device) if self._train.memory_check != "none" else None

    def counted_without_memory(self, shapes: FakeStep) -> Counted:
        """What a step on the meta device tells."""
        return self._count(shapes.weight_bytes, shapes.trained_bytes, shapes.kept)

    def counted(self, model: nn.Module, found: Preflight) -> Counted:
        """What the check of the model tells."""
        return self._count(*trained_bytes(model), found.kept)

    def _count(self, weights: int, trained: int, kept: float) -> Counted:
        train = self._train
        candidates = (3 if train.precision == "auto" else 1) if train.memory_format == "auto" else 2
        row = store_of(self._data, torch.device("cpu")).row_bytes()
        return Counted(weights, trained, kept, row, train.ema is not None, candidates)

    def refuse_what_cannot_be(self, counted: Counted) -> None:
        """Raises UserError where a step certainly takes more than there is; costs nothing."""
        if self._free is None:
            return
        if self._processes * (counted.weights + counted.trained) > self._free.free:
            taken = size_text(counted.weights + counted.trained)
            self._tell(
                UserError(
                    f"the model's weights and gradients take {taken} of memory, but {self._free.told()}",
                    where="model",
                    fix="take a model with fewer parameters",
                )
            )
        if not counted.kept:
            return
        smallest = 1 if self._train.micro_batch == "auto" else self._micro
        if self._processes * counted.at_least(self._samples, smallest) > self._free.free:
            need = counted.at_least(self._samples, self._micro)
            fitting = self._largest(lambda micro: counted.at_least(self._samples, micro))
            self._refuse(need, fitting, f"counted on two samples: {size_text(counted.kept)} are kept of each")

    @property
    def _micro(self) -> int:
        given = self._train.micro_batch
        return min(given, self._samples) if isinstance(given, int) else self._samples

    def judge(self, counted: Counted, *, probe: bool = False) -> Verdict:
        """Whether the training fits, counted where that is clear, else measured in a process of its own.

        Args:
            counted: What two samples tell.
            probe: Measure in any case.

        Raises:
            UserError: It does not fit, and may not be made smaller.
        """
        if self._free is None:
            return Verdict(self._execution.micro_batch, [])
        self.refuse_what_cannot_be(counted)
        bound = self._processes * counted.at_most(self._samples, self._micro)
        if bound <= COMFORTABLE * self._free.free and not probe:
            text = f"memory: at most about {size_text(bound)}, counted; {self._free.told()}"
            return Verdict(self._execution.micro_batch, [text])
        estimate = self._probed(counted)
        if estimate is None:
            text = f"memory: at most about {size_text(bound)}, counted; {self._free.told()}"
            return Verdict(self._execution.micro_batch, [text], worth_telling=True)
        return self._settled(estimate)

    def _probed(self, counted: Counted) -> StepEstimate | None:
        """What a probe says; None where there can be none."""
        assert self._free is not None
        if isinstance(self._data.source, ArraysSource):
            return None  # another process could not read them
        limit = int(PROBED_SHARE * self._free.free)
        sizes = probe_sizes(counted, self._samples, limit)
        try:
            found = probe_steps(self._loaded, self._execution, sizes, limit)
        except ProbeFailed as error:
            logger.warning("%s", error)
            return None
        if found.exceeded or not found.measured:
            samples, micro = sizes[len(found.measured)]
            need = f"more than {size_text(limit)} for {samples} samples, {micro} of them at a time"
            self._refuse(limit, None, f"measured in a process of its own: {need}")
        rows = max((len(self._data.splits[name]) for name in self._data.splits if name != "train"), default=0)
        return found.estimate(rows)

    def _bytes(self, estimate: StepEstimate, micro: int) -> int:
        assert self._free is not None
        of_one = estimate.device_bytes if self._free.on_device else estimate.host_bytes
        return self._processes * of_one(self._samples, micro)

    def _settled(self, estimate: StepEstimate) -> Verdict:
        assert self._free is not None
        need, seconds = self._bytes(estimate, self._micro), estimate.seconds(self._samples)
        steps = -(-len(self._data.splits["train"]) // self._train.batch_size)
        sizes = " and ".join(str(m.samples) for m in estimate.measured if m.samples == m.micro)
        told = [
            f"memory: about {size_text(need)} (measured with {sizes} samples a step); {self._free.told()}",
            f"time: about {seconds:.2g} s a step, {steps * seconds:.2g} s an epoch",
        ]
        held = in_memory(self._data)
        if need - held <= (1 - RESERVE) * self._free.free:
            return Verdict(self._execution.micro_batch, told, worth_telling=True)
        fitting = self._largest(lambda micro: self._bytes(estimate, micro) - held)
        if self._train.micro_batch != "auto" or fitting is None:
            self._refuse(need, fitting, f"measured in a process of its own with {sizes} samples a step")
            return Verdict(self._execution.micro_batch, told, worth_telling=True)
        return Verdict(
            fitting,
            [
                *told,
                f"micro_batch: {fitting} samples at a time, {-(-self._samples // fitting)} parts a step, for "
                f"about {size_text(self._bytes(estimate, fitting))}; BatchNorm sees {fitting} at a time",
            ],
            worth_telling=True,
        )

    def _largest(self, need: Callable[[int], float]) -> int | None:
        """Most samples of a forward pass that fit, as an even part of the step; None where none do."""
        assert self._free is not None
        bearable = (1 - RESERVE) * self._free.free

        def fits(parts: int) -> bool:
            """Whether one of so many parts fits; more parts never take more."""
            return need(-(-self._samples // parts)) <= bearable

        parts = bisect_left(range(1, self._samples + 1), True, key=fits) + 1
        return -(-self._samples // parts) if parts <= self._samples else None

    def _refuse(self, need: int, fitting: int | None, why: str) -> None:
        """Raises UserError, or says the same where the recipe only wants to be told."""
        assert self._free is not None
        others = ", ".join(
            f"{item.name} (pid {item.pid}) {size_text(item.held)}" for item in largest_holders()
        )
        given = isinstance(self._train.micro_batch, int)
        parts = (
            f"set train.micro_batch={fitting} (or auto): the same step in parts, in which BatchNorm sees "
            f"{fitting} samples at a time; or lower train.batch_size"
            if fitting is not None and fitting < self._micro
            else "lower train.batch_size (train.micro_batch alone does not help), take smaller inputs or a "
            "smaller model"
        )
        what = f"a step of {self._samples} samples takes about {size_text(need)} of memory"
        self._tell(
            UserError(
                f"{what}, but {self._free.told()}",
                where="train.micro_batch" if given else "train.batch_size",
                why=f"{why}; most is held by {others}" if others else why,
                fix=f"{parts}; or free memory; train.memory_check=report trains in spite of it",
            )
        )

    def _tell(self, error: UserError) -> None:
        if self._train.memory_check == "stop":
            raise error
        logger.warning("%s", error)


def probe_sizes(counted: Counted, samples: int, limit: int) -> list[tuple[int, int]]:
    """Samples of a step and of a forward pass to measure: half and seven eighths of the step, or less.

    Much smaller ones would measure what every training takes, whatever its batch, and not how it grows. Nor
    does it grow evenly: blocks that no longer fit where others were freed are taken anew, so what is left to
    extrapolate is kept short.

    Args:
        counted: What two samples tell.
        samples: Samples of a step.
        limit: Bytes that the largest one should not take.
    """
    if samples < 4:
        return [(samples, samples)]
    large = 7 * samples // 8
    while large > 3 and counted.at_most(large, large) > limit:
        large = max(3, 3 * large // 4)
    small = max(2, 4 * large // 7)
    return [(small, small), (large, small), (large, large)]


def in_memory(data: PreparedData) -> int:
    """Bytes of data that this process holds already, and the training will too."""
    return sum(array.nbytes for array in data.arrays.values() if not isinstance(array, np.memmap))


def refuse_a_full_disk(recipe: Recipe, counted: Counted, place: Path) -> None:
    """Raises UserError where runs cannot be made, or their checkpoints would not fit on the disk.

    Args:
        recipe: `train.memory_check` says whether it is refused.
        counted: What two samples tell.
        place: Where runs are made.
    """
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise UserError(
            "no runs can be made here",
            where=str(place),
            why="it cannot be written to" if place.is_dir() else "it is no folder",
            fix="give another place with --runs-dir",
        )
    if recipe.train.memory_check == "none":
        return
    needed = _KEPT_CHECKPOINTS * counted.state + 3 * counted.weights + _SMALL_CHANGE
    free = shutil.disk_usage(place).free
    if needed > free:
        error = UserError(
            f"a run takes about {size_text(needed)} of disk, and {size_text(free)} are free",
            where=str(place),
            why=f"three checkpoints of {size_text(counted.state)} and the weights",
            fix="free some space, or make runs elsewhere with --runs-dir",
        )
        if recipe.train.memory_check == "stop":
            raise error
        logger.warning("%s", error)

"""Walks the data of a recipe without a model: every split, one epoch, through the loader that trains."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from trainwright import recipe as recipes
from trainwright.data.batch import Batch
from trainwright.engine.build import build_loader, build_store
from trainwright.engine.runtime import Execution, choose_device
from trainwright.progress import NoProgress, ProgressSink
from trainwright.runs.environment import usable_cores
from trainwright.workflows import gate
from trainwright.workflows.training import load_data

if TYPE_CHECKING:
    from trainwright.data.types import PreparedData


@dataclass
class WalkedColumn:
    """What a model would get of one column.

    Attributes:
        shape: Of one batch, the first one, with the batch axis.
        dtype: As torch calls it.
        low: Smallest value, None where there is none.
        high: Largest value.
        not_finite: Number of NaN and infinite values.
    """

    shape: tuple[int, ...]
    dtype: str
    low: float | None = None
    high: float | None = None
    not_finite: int = 0

    def add(self, values: Tensor) -> None:
        """Takes one batch into account."""
        if values.is_floating_point():
            finite = torch.isfinite(values)
            wrong = int((~finite).sum())
            if wrong:
                self.not_finite += wrong
                values = values[finite]
        if values.numel():
            low, high = (float(bound) for bound in torch.aminmax(values))
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)


@dataclass
class WalkedSplit:
    """One epoch of one split.

    Attributes:
        name: The split.
        samples: Rows that came out of the loader.
        batches: Steps.
        seconds: From the first request to the last batch, without the reading of ranges.
        columns: Column, or `column/part` where a column gives several tensors, -> what it holds.
    """

    name: str
    samples: int = 0
    batches: int = 0
    seconds: float = 0.0
    columns: dict[str, WalkedColumn] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Samples per second."""
        return self.samples / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Walk:
    """What a walk came to: what was said on the way, and every split."""

    messages: list[str]
    splits: list[WalkedSplit]


def walk_data(
    recipe: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | Sequence[str] = (),
    *,
    data: Any = None,
    progress: ProgressSink | None = None,
) -> Walk:
    """Prepares the data as a training would, and draws one epoch of every split.

    Args:
        recipe: A file, the name of a shipped recipe, or the recipe as a mapping.
        overrides: Key path -> value, or `a.b=value` strings.
        data: In-memory data in place of the recipe's source.
        progress: A sink such as the command line's progress bar.

    Raises:
        UserError: The data cannot be read as the recipe says, or have errors that stop.
    """
    loaded = recipes.load(recipe, overrides)
    with recipes.located(loaded):
        prepared = load_data(loaded, progress or NoProgress(), data=data)
        findings = gate.quick_check(loaded.recipe.data, prepared)
        gate.refuse_errors(loaded.recipe.data, findings)
        device = choose_device(loaded.recipe.train.device)
        execution = Execution(
            device=device,
            threads=loaded.recipe.train.threads or usable_cores(),
            evaluation_batch=loaded.recipe.train.batch_size,
        )
        torch.set_num_threads(execution.threads)
        walked = [_walk(loaded.recipe, prepared, split, execution) for split in prepared.splits]
    return Walk([*loaded.notices, *prepared.notices, *gate.told(findings)], walked)


def _walk(recipe: Any, data: PreparedData, split: str, execution: Execution) -> WalkedSplit:
    """One epoch, in the order and with the augmentation of a training where it is the training split."""
    store = build_store(data, torch.device(execution.device))
    loader = build_loader(recipe, data, store, split, execution, training=split == "train")
    found = WalkedSplit(split)
    begin = time.perf_counter()
    for micro_batches in loader.batches(0):
        found.seconds += time.perf_counter() - begin
        found.batches += 1
        for batch in micro_batches:
            found.samples += len(batch)
            for name, values in _tensors(batch):
                if name not in found.columns:
                    found.columns[name] = WalkedColumn(tuple(values.shape), str(values.dtype)[6:])
                found.columns[name].add(values)
        begin = time.perf_counter()
    return found


def _tensors(batch: Batch) -> Iterator[tuple[str, Tensor]]:
    for name, value in {**batch.inputs, **batch.targets}.items():
        if isinstance(value, Tensor):
            yield name, value
        else:
            yield from ((f"{name}/{part}", tensor) for part, tensor in value.items())

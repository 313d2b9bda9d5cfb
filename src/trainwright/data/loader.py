"""From stored arrays to batches on the device: ordered, augmented and normalised, by address.

Nothing here holds a position: `batches(epoch, start)` is a pure function of the seed, the epoch and
the step, so a resume asks for the same numbers and gets the same bits.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from trainwright.data.augment.base import Augment
from trainwright.data.augment.chain import Chain
from trainwright.data.batch import Batch, Value, divided, laid_out, over
from trainwright.data.counting import all_among
from trainwright.data.original_pixels import OriginalPixels
from trainwright.data.types import Processor
from trainwright.errors import RecipeError

# Work on several batches at once amortises the cost of a call; more than this leaves the cache.
CHUNK_BYTES = 8 << 20
AHEAD = 2  # chunks that a store hears of before they are needed


class Store(Protocol):
    """Gives the stored values of rows.

    Attributes:
        device: Where they are.
    """

    device: torch.device

    def gather(self, column: str, rows: np.ndarray) -> Tensor:
        """Stored values `[len(rows), ...]` on the loader's device."""
        ...

    def expect(self, rows: np.ndarray) -> None:
        """Hears that `gather` of these very rows comes soon."""
        ...

    def settle(self, rows: np.ndarray) -> np.ndarray:
        """The rows that `gather` can give: `rows`, with a substitute for each that cannot be read."""
        ...

    def row_bytes(self) -> int:
        """Bytes of one row over all columns, as the model reads them."""
        ...


class ArrayStore:
    """Columns in RAM, memory-mapped, or (when they fit) on the accelerator.

    Args:
        arrays: Column -> stored values `[N, ...]`.
        device: Where batches are needed.
        resident: Keep whole columns on the device, so that a batch never crosses the bus.
    """

    def __init__(self, arrays: dict[str, np.ndarray], device: torch.device, *, resident: bool) -> None:
        self.device = device
        tensors = {name: _as_tensor(values) for name, values in arrays.items()}
        self.columns = {name: t.to(device) for name, t in tensors.items()} if resident else tensors
        self.resident = resident
        self.copy_seconds = 0.0

    def expect(self, rows: np.ndarray) -> None:
        """Everything is here already."""

    def settle(self, rows: np.ndarray) -> np.ndarray:
        """The rows themselves: what is in memory can be read."""
        return rows

    def gather(self, column: str, rows: np.ndarray) -> Tensor:
        """Stored values of `rows` `[len(rows), ...]` on the device."""
        index = torch.from_numpy(rows)
        if self.resident:
            index = index.to(self.device, non_blocking=True)
        picked = self.columns[column].index_select(0, index)
        if not self.resident and self.device.type == "cuda":
            begun = time.perf_counter()
            picked = picked.pin_memory().to(self.device, non_blocking=True)
            self.copy_seconds += time.perf_counter() - begun
        return picked

    def row_bytes(self) -> int:
        """Bytes of one row as float32, the largest form that a batch takes."""
        return sum(4 * max(1, t[0].numel()) for t in self.columns.values() if len(t))


def _as_tensor(values: np.ndarray) -> Tensor:
    """A tensor that shares the array's memory; a read-only map is fine, since nothing writes to it."""
    if not values.flags.writeable:
        pointer = values.ctypes.data
        # torch warns about read-only arrays because it cannot protect them; ours are never written.
        holder = _ReadOnly(values, pointer)
        return torch.as_tensor(np.asarray(holder))
    return torch.from_numpy(values)


class _ReadOnly:
    """Shows a read-only array to torch as if it could be written, keeping the owner alive."""

    def __init__(self, owner: np.ndarray, pointer: int) -> None:
        self.owner = owner
        self.__array_interface__ = {
            "shape": owner.shape,
            "typestr": owner.dtype.str,
            "data": (pointer, False),
            "strides": None if owner.flags.c_contiguous else owner.strides,
            "version": 3,
        }


@dataclass
class Pipeline:
    """Turns gathered stored values into what the model reads.

    Attributes:
        inputs: Input column -> processor.
        targets: Target column -> processor.
        augment: Augmentations in order, of the inputs whose types they act on; empty for evaluation.
        seed: Address of the augmentations.
        channels_last: Leave image batches in channels-last memory.
    """

    inputs: dict[str, Processor]
    targets: dict[str, Processor]
    augment: Sequence[Augment] = ()
    seed: int = 0
    channels_last: bool = True
    with_targets: bool = True
    _chain: Chain | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.augment:
            self._chain = Chain(self.augment, self.inputs, self.targets, self.seed)

    def columns(self) -> list[str]:
        """Columns that a batch needs."""
        return [*self.inputs, *(self.targets if self.with_targets else ())]

    def with_partners(self, rows: np.ndarray, among: np.ndarray, epoch: int) -> np.ndarray:
        """The rows, and behind them those that are mixed in, out of the rows `among`."""
        return rows if self._chain is None else self._chain.with_partners(rows, among, epoch)

    def __call__(
        self, stored: dict[str, Tensor], ids: np.ndarray, epoch: int, count: int | None = None
    ) -> dict[str, Value]:
        """Model-ready columns by name.

        Args:
            stored: Stored values by column.
            ids: Their row numbers, as `with_partners` gives them.
            epoch: Address of the augmentations.
            count: How many of them are the batch; all when absent.
        """
        chain = self._chain
        if chain is None:
            return {name: self._ready(name, values) for name, values in stored.items()}
        varied = chain(stored, ids, epoch, len(ids) if count is None else count)
        return {
            name: value if isinstance(value, dict) or chain.is_ready(name) else self._ready(name, value)
            for name, value in varied.items()
        }

    def _ready(self, name: str, stored: Tensor) -> Value:
        value = (self.inputs.get(name) or self.targets[name]).to_tensor(stored)
        if isinstance(value, dict) or value.dim() != 4:
            return value
        return laid_out(value, channels_last=self.channels_last)


def _micro_sizes(size: int, micro: int | None) -> set[int]:
    return {size} if micro is None or size <= micro else {micro, size % micro}


def _rows_of(columns: dict[str, Value], rows: slice) -> dict[str, Value]:
    return {name: over(value, lambda tensor: tensor[rows]) for name, value in columns.items()}


class Loader:
    """Batches of one split.

    Args:
        store: Stored values.
        pipeline: From stored values to tensors.
        rows: Row numbers of the split, int64 `[n]`.
        batch_size: Rows of one batch; the last one of an epoch may be smaller.
        sampler: `order(seed, epoch, rows)` -> the epoch's row numbers.
        seed: Address of the order.
        weights: Weight of every row of the source in the loss, float32 `[n]`; None where all are 1.
        originals: Target -> what its truth tells of the original pictures besides, for scoring.

    Attributes:
        seconds: Time in which batches were made or waited for, so far.
    """

    def __init__(
        self,
        store: Store,
        pipeline: Pipeline,
        rows: np.ndarray,
        batch_size: int,
        sampler: Any,
        seed: int,
        weights: np.ndarray | None = None,
        originals: Mapping[str, OriginalPixels] | None = None,
    ) -> None:
        self.store, self.pipeline, self.rows = store, pipeline, rows
        self.weights, self.originals = weights, originals or {}
        self.seconds = 0.0
        self.batch_size, self.sampler, self.seed = batch_size, sampler, seed
        self.chunk = max(1, CHUNK_BYTES // max(1, store.row_bytes() * batch_size))

    @property
    def copy_seconds(self) -> float:
        """Time of `seconds` in which values were copied to an accelerator."""
        return float(getattr(self.store, "copy_seconds", 0.0))

    @property
    def steps_per_epoch(self) -> int:
        """Batches of one epoch, a smaller last one included."""
        return -(-len(self.rows) // self.batch_size)

    def has_single(self, world_size: int = 1, micro: int | None = None) -> bool:
        """Whether some forward pass of an epoch sees one row only, as the last batch may."""
        last = len(self.rows) - (self.steps_per_epoch - 1) * self.batch_size
        batches = {last, self.batch_size} if self.steps_per_epoch > 1 else {last}
        slices = {size for batch in batches for size in (batch // world_size, -(-batch // world_size))}
        pieces = {piece for size in slices for piece in _micro_sizes(size, micro)}
        return 1 in pieces

    def order(self, epoch: int) -> np.ndarray:
        """Row numbers of the whole epoch, in the order of training, whole numbers `[n]`.

        Raises:
            RecipeError: The sampler gives rows of another split, or too many or too few.
        """
        order = np.asarray(self.sampler.order(self.seed, epoch, self.rows))
        if order.dtype.kind not in "iu":
            order = order.astype(np.int64)
        if order.shape != self.rows.shape or not all_among(order, self.rows):
            raise RecipeError(
                f"the sampler fills {len(order)} places of {len(self.rows)}, or with rows of another split",
                where="data.sampler",
                fix="`order(seed, epoch, rows)` must return as many rows as it is given, all from `rows`",
            )
        return order

    def batches(
        self, epoch: int, start: int = 0, *, part: tuple[int, int] = (0, 1), micro: int | None = None
    ) -> Iterator[list[Batch]]:
        """Micro-batches of each step of an epoch, from step `start` of the epoch on.

        Args:
            epoch: Epoch number from 0.
            start: First step wanted.
            part: (rank, world size): the slice of each global batch that this process takes.
            micro: Rows of one micro-batch; None for the whole slice.

        Yields:
            The step's micro-batches; an empty list where the slice of this process is empty.
        """
        begun = time.perf_counter()
        order = self.order(epoch)
        # Chunks always begin at the same steps, wherever a resume starts: then every element goes
        # through kernels of the same shape, and gets the same bits.
        first = start - start % self.chunk
        begins = range(first, self.steps_per_epoch, self.chunk)
        for steps, slices, together in self._ahead(order, begins, part, epoch):
            settled = self.store.settle(together)
            if settled is not together:
                ends = np.cumsum([len(rows) for rows in slices])
                slices = np.split(settled[: ends[-1]], ends[:-1])
            pieces = self._load(slices, settled, epoch)
            self.seconds += time.perf_counter() - begun
            for step, rows, columns in zip(steps, slices, pieces, strict=True):
                if step >= start:
                    yield self._micro_batches(columns, rows, micro, epoch)
            begun = time.perf_counter()

    def _ahead(
        self, order: np.ndarray, begins: range, part: tuple[int, int], epoch: int
    ) -> Iterator[tuple[range, list[np.ndarray], np.ndarray]]:
        """Steps of each chunk, their rows, and all rows together with those that are mixed in.

        The store hears of later chunks early.
        """
        waiting: deque[tuple[range, list[np.ndarray], np.ndarray]] = deque()
        for begin in begins:
            steps = range(begin, min(begin + self.chunk, self.steps_per_epoch))
            slices = [self._slice(order, step, part) for step in steps]
            together = self.pipeline.with_partners(np.concatenate(slices), self.rows, epoch)
            waiting.append((steps, slices, together))
            self.store.expect(waiting[-1][2])
            if len(waiting) > AHEAD:
                yield waiting.popleft()
        yield from waiting

    def _slice(self, order: np.ndarray, step: int, part: tuple[int, int]) -> np.ndarray:
        batch = order[step * self.batch_size : (step + 1) * self.batch_size].astype(np.int64, copy=False)
        rank, world = part
        return batch if world == 1 else np.array_split(batch, world)[rank]

    def _load(self, slices: list[np.ndarray], rows: np.ndarray, epoch: int) -> list[dict[str, Value]]:
        """Columns of each of several steps, made together."""
        if len(rows) == 0:
            return [{} for _ in slices]
        stored = {name: self.store.gather(name, rows) for name in self.pipeline.columns()}
        sizes = [len(piece) for piece in slices]
        ready = self.pipeline(stored, rows, epoch, sum(sizes))
        columns = [divided(value, sizes) for value in ready.values()]
        return [dict(zip(ready, pieces, strict=True)) for pieces in zip(*columns, strict=True)]

    def _micro_batches(
        self, columns: dict[str, Value], rows: np.ndarray, micro: int | None, epoch: int
    ) -> list[Batch]:
        if micro is None or len(rows) <= micro:
            return [self._batch(columns, rows, epoch)] if len(rows) else []
        return [
            self._batch(_rows_of(columns, slice(i, i + micro)), rows[i : i + micro], epoch)
            for i in range(0, len(rows), micro)
        ]

    def _batch(self, columns: dict[str, Value], rows: np.ndarray, epoch: int) -> Batch:
        targets = self.pipeline.targets if self.pipeline.with_targets else ()
        inputs = {name: columns[name] for name in self.pipeline.inputs}
        weights = None if self.weights is None else self._weights_of(rows)
        truths = {name: self._with_originals(name, columns[name], rows) for name in targets}
        return Batch(inputs, truths, rows, epoch, weights)

    def _with_originals(self, name: str, truth: Value, rows: np.ndarray) -> Value:
        if name not in self.originals or not isinstance(truth, dict):
            return truth
        known = self.originals[name].of(rows)
        return truth | {part: torch.from_numpy(of).to(self.store.device) for part, of in known.items()}

    def _weights_of(self, rows: np.ndarray) -> Tensor:
        assert self.weights is not None
        return torch.from_numpy(self.weights[rows]).to(self.store.device)

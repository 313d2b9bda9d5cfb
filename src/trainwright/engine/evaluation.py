"""Raw outputs of a model over one split, always in batches of one shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainwright.data.batch import Batch, Value, joined, laid_out, over
from trainwright.data.loader import Loader
from trainwright.engine.answer_shapes import refuse_other_shapes
from trainwright.engine.distributed import Processes
from trainwright.engine.generators import seed_generators
from trainwright.engine.runtime import Runtime
from trainwright.tasks.base import Task

# Part of the address of random numbers drawn in evaluation; no training step gets this far.
EVALUATION = 1 << 40


@dataclass
class SplitOutputs:
    """What a model says of a split.

    Attributes:
        rows: Row numbers int64 `[n]`, in the split's order.
        outputs: Target -> raw outputs `[n, ...]` on the CPU, or several of them by name.
        targets: Target -> true values `[n, ...]` on the CPU, likewise; empty where there are none.
    """

    rows: np.ndarray
    outputs: dict[str, Value]
    targets: dict[str, Value]


def pad_batch(batch: Batch, size: int) -> Batch:
    """Repeats the first sample until the batch has `size` rows.

    Kernels may add in another order for another batch size; with one shape for every batch, a sample
    gets the same bits wherever it stands.
    """
    missing = size - len(batch)
    if missing == 0:
        return batch

    def pad(tensor: Tensor) -> Tensor:
        """One column with as many copies of its first row as are missing."""
        return torch.cat([tensor, tensor[:1].expand(missing, *tensor.shape[1:])])

    inputs, targets = (
        {name: over(value, pad) for name, value in columns.items()}
        for columns in (batch.inputs, batch.targets)
    )
    return Batch(inputs, targets, batch.ids, batch.epoch)


@torch.inference_mode()
def run_split(
    task: Task, model: nn.Module, loader: Loader, runtime: Runtime, processes: Processes, seed: int
) -> SplitOutputs:
    """Runs the model over every row of a loader; with several processes each takes its share.

    Returns:
        The outputs of all processes, on every process.

    Raises:
        ModelError: A head with a loss of its own gives an answer that cannot be read.
    """
    was_training = model.training
    model.eval()
    channels_last = runtime.execution.channels_last
    outputs: list[dict[str, Value]] = []
    targets: list[dict[str, Value]] = []
    rows: list[np.ndarray] = []
    first: dict[str, Value] = {}
    mine = range(processes.rank, loader.steps_per_epoch, processes.size)
    for index, micro_batches in enumerate(loader.batches(0)):
        if index not in mine:
            continue
        for batch in micro_batches:
            seed_generators(seed, EVALUATION, index)
            padded = pad_batch(batch, loader.batch_size)
            padded = _laid_out(padded, channels_last)
            with runtime.autocast():
                predicted = task.predict(model, padded)
            first = first or predicted
            refuse_other_shapes(task, predicted, first, loader.batch_size)
            outputs.append(
                {name: over(value, partial(_kept, len(batch))) for name, value in predicted.items()}
            )
            targets.append(task.kept(batch.targets, predicted))
            rows.append(batch.ids)
    model.train(was_training)
    found = _merge(processes.gather((rows, _to_cpu(outputs), _to_cpu(targets))), processes.size)
    task.check_answers(found.outputs, plain=not found.targets, samples=len(found.rows))
    return found


def _kept(count: int, tensor: Tensor) -> Tensor:
    """The rows that are no padding, in float32 where they are of lower precision."""
    rows = tensor[:count]
    return rows.float() if rows.is_floating_point() else rows


def _laid_out(batch: Batch, channels_last: bool) -> Batch:
    inputs = {
        name: value
        if isinstance(value, dict) or value.dim() != 4
        else laid_out(value, channels_last=channels_last)
        for name, value in batch.inputs.items()
    }
    return Batch(inputs, batch.targets, batch.ids, batch.epoch)


def _to_cpu(batches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: over(value, lambda t: t.cpu()) for name, value in batch.items()} for batch in batches]


def _merge(parts: list[tuple[list, list, list]], size: int) -> SplitOutputs:
    """Puts batches back in order: process r had the batches r, r + size, ..."""
    count = sum(len(rows) for rows, _, _ in parts)
    place = [(i % size, i // size) for i in range(count)]
    rows = [parts[p][0][i] for p, i in place]
    outputs = [parts[p][1][i] for p, i in place]
    targets = [parts[p][2][i] for p, i in place]
    return SplitOutputs(np.concatenate(rows), _stack(outputs), _stack(targets))


def _stack(batches: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: joined([batch[name] for batch in batches]) for name in batches[0]}

"""Which step, layer and samples a number that is none comes from: the steps are taken again, watched.

Every random number is addressed, so the steps behind a checkpoint have the same bits when they are taken
again. Only then are there hooks on the layers, so that an undisturbed training pays nothing for this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from trainwright.data.batch import Batch
from trainwright.engine.phase_runner import PhaseRunner
from trainwright.tasks.base import StepOutput

if TYPE_CHECKING:
    from trainwright.engine.loop import Loop

_FEW = 8


@dataclass(frozen=True)
class FailingStep:
    """The first step with a number that is none.

    Attributes:
        step: Optimizer steps done before it.
        layer: Layer, or parameter for a gradient; empty where only the loss is concerned.
        kind: `output`, `gradient` or `loss`.
        samples: Ids (rows of the source) of the samples concerned; all of the micro-batch for a gradient.
    """

    step: int
    layer: str
    kind: str
    samples: tuple[int, ...]

    def __str__(self) -> str:
        what = {"output": "the output of", "gradient": "the gradient of", "loss": "the loss"}[self.kind]
        ids = ", ".join(map(str, self.samples[:_FEW])) + (" ..." if len(self.samples) > _FEW else "")
        samples = f"; sample{'s' if len(self.samples) > 1 else ''} {ids}" if ids else ""
        return f"first at step {self.step}: {what}{' ' if self.layer else ''}{self.layer}{samples}"


class _Found(Exception):  # noqa: N818 - it ends the search and is no error
    def __init__(self, found: FailingStep) -> None:
        super().__init__()
        self.found = found


class Inspector:
    """Looks at the outputs of all layers, then at the loss, then at the gradients."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._layer = ""
        self._rows: list[int] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within it, layers are watched; leaf modules only, since these come first."""
        leaves = [(n, m) for n, m in self.loop.parts.model.named_modules() if not any(m.children())]
        handles = [module.register_forward_hook(partial(self._look, name)) for name, module in leaves]
        self.loop.inspect = self.after_backward
        try:
            yield
        finally:
            self.loop.inspect = None
            for handle in handles:
                handle.remove()

    def _look(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        if not self._layer and isinstance(output, Tensor) and not _finite(output):
            self._layer, self._rows = name or type(module).__name__, _bad_rows(output)

    def after_backward(self, runner: PhaseRunner, output: StepOutput, batch: Batch) -> None:
        """Ends the search where something of this micro-batch is no number."""
        step, ids = self.loop.position.step, [int(row) for row in batch.ids]
        if self._layer:
            fitting = [ids[row] for row in self._rows if row < len(ids)]
            raise _Found(FailingStep(step, self._layer, "output", tuple(fitting)))
        if not _finite(output.loss):
            rows = _bad_rows(output.loss) if output.loss.dim() else range(len(ids))
            raise _Found(FailingStep(step, "", "loss", tuple(ids[row] for row in rows)))
        if runner.scaler is None:
            # Backward goes from the last layer to the first, so what is wrong begins at the last one.
            for name, parameter in reversed(runner.phase.parameters):
                if parameter.grad is not None and not _finite(parameter.grad):
                    raise _Found(FailingStep(step, name, "gradient", tuple(ids)))


def find_failing_step(loop: Loop, last: int) -> FailingStep | None:
    """Takes the steps from the loop's position to `last` again, with everything watched.

    Args:
        loop: Restored from a checkpoint of the same epoch; it must not be used afterwards.
        last: Steps done when something was noticed.
    """
    parts, at = loop.parts, loop.position
    inspector = Inspector(loop)
    parts.model.train()
    batches = parts.train_loader.batches(at.epoch, at.index, micro=parts.runtime.execution.micro_batch)
    loader = parts.train_loader
    with inspector.watching():
        try:
            for micro_batches in batches:
                if at.step >= last:
                    break
                count = min(loader.batch_size, len(loader.rows) - at.index * loader.batch_size)
                loop.take_step(micro_batches, count)
                at.advance()
        except _Found as ended:
            return ended.found
    return None


def _finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def _bad_rows(tensor: Tensor) -> list[int]:
    bad = ~torch.isfinite(tensor.detach().reshape(len(tensor), -1)).all(dim=1)
    return [int(row) for row in bad.nonzero().flatten()]

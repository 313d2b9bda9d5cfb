"""Which step, layer and samples a number that is none comes from: the last steps are taken again, watched.

Every random number is addressed, so the steps behind a checkpoint have the same bits when they are taken
again. Only then are there hooks on the layers: an undisturbed training pays nothing for this.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from trainwright.data.batch import Batch, tensors_of
from trainwright.engine.loop import Loop
from trainwright.engine.phase_runner import PhaseRunner
from trainwright.tasks.base import StepOutput

SECONDS = 600.0
"""Time that a search may take."""
_FEW = 8


@dataclass(frozen=True)
class FailingStep:
    """The first step with a number that is none.

    Attributes:
        step: Optimizer steps done before it.
        kind: `input`, `output`, `loss` or `gradient`.
        name: Column of an input, layer of an output, parameter of a gradient; empty for the loss.
        samples: Rows of the samples concerned; all of the micro-batch for a gradient.
        part: Of a loss of several: which of them.
    """

    step: int
    kind: str
    name: str
    samples: tuple[int, ...]
    part: str = ""

    def told(self, names: Sequence[Any] | None = None) -> str:
        """In words.

        Args:
            names: Name of each row of the data; row numbers are told without.
        """
        part = f" ({self.part})" if self.part else ""
        what = {
            "input": f"input {self.name} is infinite or no number",
            "output": f"the output of layer {self.name} is infinite or no number",
            "loss": f"the loss{part} is infinite or no number, of finite outputs",
            "gradient": f"the gradient of {self.name} is infinite or no number, of a finite loss",
        }[self.kind]
        known = [_name(row, names) for row in self.samples[:_FEW]]
        more = f" and {len(self.samples) - _FEW} more" if len(self.samples) > _FEW else ""
        samples = f"; sample{'s' if len(self.samples) > 1 else ''} {', '.join(known)}{more}" if known else ""
        return f"first in the step after {self.step:,} steps: {what}{samples}"


def _name(row: int, names: Sequence[Any] | None) -> str:
    """Number of a row, with a name that says more."""
    return str(row) if names is None or str(names[row]) == f"row {row}" else f"{row} ({names[row]})"


class _Found(Exception):
    def __init__(self, found: FailingStep) -> None:
        super().__init__()
        self.found = found


class Search(Loop):
    """A loop that looks at inputs, at the outputs of all layers, at the loss and at the gradients.

    Build it from parts of its own, restore it from a checkpoint, and do not use it for anything else.
    """

    _layer = ""
    _rows: Sequence[int] = ()
    _looking = False

    def find(
        self, last: int, *, first: int = 0, stop: Callable[[], bool] = lambda: False, seconds: float = SECONDS
    ) -> FailingStep | None:
        """Takes the steps from the present position on again, up to the end of their epoch.

        Args:
            last: Steps done when something was noticed.
            first: Steps before this one were all right and are not watched.
            stop: Asked before every step whether somebody wants an end.
            seconds: The search is given up after this time.

        Returns:
            The first step with such a number; None where there is none, or the search was given up.
        """
        parts, at, loader = self.parts, self.position, self.parts.train_loader
        parts.forward = parts.model  # the hooks of a compiled model are not called
        parts.model.train()
        deadline = time.monotonic() + seconds
        batches = loader.batches(at.epoch, at.index, micro=parts.runtime.execution.micro_batch)
        with self._watched():
            try:
                for micro_batches in batches:
                    if at.step >= last or stop() or time.monotonic() > deadline:
                        break
                    self._looking = at.step >= first
                    count = min(loader.batch_size, len(loader.rows) - at.index * loader.batch_size)
                    self._step(micro_batches, count)
                    at.advance()
            except _Found as ended:
                return ended.found
        return None

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Within it, layers are looked at; only those without parts, whose outputs come first."""
        leaves = [(n, m) for n, m in self.parts.model.named_modules() if not any(m.children())]
        handles = [module.register_forward_hook(partial(self._look, name)) for name, module in leaves]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _look(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        if self._looking and not self._layer and isinstance(output, Tensor) and not _finite(output):
            self._layer, self._rows = name or type(module).__name__, _bad_rows(output)

    def _record(self, runner: PhaseRunner, output: StepOutput, batch: Batch) -> None:
        """Ends the search where something of this micro-batch is no number."""
        if self._looking:
            self._judge(runner, output, batch)
        super()._record(runner, output, batch)

    def _judge(self, runner: PhaseRunner, output: StepOutput, batch: Batch) -> None:
        """A layer may give infinities on purpose (a mask); what counts is whether the step suffers."""
        layer, rows = self._layer, self._rows
        self._layer, self._rows = "", ()
        loss_fits = _finite(output.loss) and _finite(output.loss.sum())
        gradient = _bad_gradient(runner)
        if loss_fits and not gradient:
            return
        whole = list(range(len(batch)))
        bad = {name: value for name, value in tensors_of(batch.inputs).items() if not _finite(value)}
        if bad:
            kind, name, rows = "input", *next((name, _bad_rows(value)) for name, value in bad.items())
        elif layer:
            kind, name = "output", layer
        elif not loss_fits:
            kind, name, rows = "loss", "", _bad_rows(output.loss) or whole
        else:
            kind, name, rows = "gradient", gradient, whole
        samples = tuple(int(batch.ids[row]) for row in rows if row < len(batch))
        parts = [key for key, value in output.logs.items() if "loss" in key and not _finite(value)]
        part = max(parts, key=len, default="") if kind == "loss" else ""
        raise _Found(FailingStep(self.position.step, kind, name, samples, part))


def _bad_gradient(runner: PhaseRunner) -> str:
    """Parameter whose gradient is no number, empty for none; a scaled one may be infinite now and then."""
    if runner.scaler is not None:
        return ""
    # Backward goes from the last layer to the first, so what is wrong begins at the last one.
    for name, parameter in reversed(runner.phase.parameters):
        if parameter.grad is not None and not _finite(parameter.grad):
            return name
    return ""


def _finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def _bad_rows(tensor: Tensor) -> list[int]:
    """Places along the first axis with a number that is none; nothing is said of a single number."""
    if not tensor.dim():
        return []
    bad = ~torch.isfinite(tensor.detach().reshape(len(tensor), -1)).all(dim=1)
    return [int(row) for row in bad.nonzero().flatten()]

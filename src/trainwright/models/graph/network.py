"""A network of named layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """One call of a layer: where its result goes, whose weights it uses and what it reads."""

    name: str
    module: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class OnWeight:
    """A function on one parameter: a penalty, or a projection after each optimizer step."""

    module: str
    parameter: str
    apply: Callable[[Tensor], Tensor | None]


class GraphNetwork(nn.Module):
    """Runs layers in an order in which each finds its inputs ready.

    Weights are called `<layer>.<parameter>`.

    Args:
        layers: Modules by layer name.
        steps: Calls in order.
        columns: Names of the inputs.
        outputs: Layers whose results leave the network, by target; None for the last step alone.
        out_shape: Shape of the only output, without the batch axis; of the first of several.
    """

    def __init__(
        self,
        layers: Mapping[str, nn.Module],
        steps: Sequence[Step],
        columns: Sequence[str],
        outputs: Mapping[str, str] | None,
        out_shape: Shape,
    ) -> None:
        super().__init__()
        for name, module in layers.items():
            self.add_module(name, module)
        self.steps, self.columns, self.outputs = tuple(steps), tuple(columns), outputs
        self.out_shape = out_shape
        self.regularizers: list[OnWeight] = []
        self.constraints: list[OnWeight] = []
        self._chain = _is_chain(self.steps, self.columns) and outputs is None

    def forward(self, inputs: Tensor | dict[str, Tensor]) -> Tensor | dict[str, Tensor]:
        """The tensor of the only input, or a dict of them, to the output or a dict of outputs."""
        if self._chain and isinstance(inputs, Tensor):
            for step in self.steps:
                inputs = self._modules[step.module](inputs)
            return inputs
        values = {self.columns[0]: inputs} if isinstance(inputs, Tensor) else dict(inputs)
        for step in self.steps:
            values[step.name] = self._modules[step.module](*[values[name] for name in step.inputs])
        if self.outputs is None:
            return values[self.steps[-1].name]
        return {target: values[name] for target, name in self.outputs.items()}

    def regularization(self) -> Tensor | None:
        """Sum of the penalties on weights, a scalar to add to the loss; None without any."""
        terms = [term for item in self.regularizers if (term := item.apply(self._weight(item))) is not None]
        return torch.stack(terms).sum() if terms else None

    @torch.no_grad()
    def apply_constraints(self) -> None:
        """Projects constrained weights in place; to be called after each optimizer step."""
        for item in self.constraints:
            item.apply(self._weight(item))

    def _weight(self, item: OnWeight) -> Tensor:
        return self.get_submodule(item.module).get_parameter(item.parameter)


def _is_chain(steps: Sequence[Step], columns: Sequence[str]) -> bool:
    before = [columns[0], *(step.name for step in steps)]
    return len(columns) == 1 and all(
        step.inputs == (name,) for step, name in zip(steps, before, strict=False)
    )

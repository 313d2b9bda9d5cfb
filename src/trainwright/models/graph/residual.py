"""A residual connection around a list of layers."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn

from trainwright.errors import ModelError

Shape = tuple[int, ...]


class Residual(nn.Module):
    """`block(x) + shortcut(x)`: He et al., CVPR 2016."""

    def __init__(self, block: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.block, self.shortcut = block, shortcut

    def forward(self, x: Tensor) -> Tensor:
        """`[B, ...]` to the shape that the block gives."""
        result: Tensor = self.block(x) + self.shortcut(x)
        return result


def residual(
    in_shape: Shape,
    *,
    layers: list[dict[str, Any] | str],
    shortcut: Literal["auto", "identity", "projection"] = "auto",
) -> nn.Module:
    """Layers with a connection past them.

    Args:
        in_shape: Shape of its input.
        layers: As of the model `layers`, one after the other.
        shortcut: A projection is a 1x1 convolution or a linear layer; `auto` takes one where the shapes
            differ.
    """
    # Here, because a network may be a layer's inside, and a layer a network's.
    from trainwright.models.graph.building import build_graph

    block = build_graph(layers, {"x": in_shape}, num_outputs=0, check_width=False)
    after = block.out_shape
    project = shortcut == "projection" or (shortcut == "auto" and in_shape != after)
    if not project and in_shape != after:
        raise ModelError(
            f"the block makes {list(after)} of {list(in_shape)}, and their sum is not defined",
            fix="set shortcut: projection",
        )
    past = _projection(in_shape, after) if project else nn.Identity()
    return Residual(block, past)


def _projection(before: Shape, after: Shape) -> nn.Module:
    if len(before) == len(after) == 1:
        return nn.Linear(before[0], after[0], bias=False)
    kinds: dict[int, type[nn.Module]] = {2: nn.Conv1d, 3: nn.Conv2d, 4: nn.Conv3d}
    strides = tuple(-(-a // b) for a, b in zip(before[1:], after[1:], strict=False))
    fits = len(before) == len(after) and all(
        -(-a // s) == b for a, b, s in zip(before[1:], after[1:], strides, strict=True)
    )
    if not fits or len(before) not in kinds:
        raise ModelError(
            f"no projection makes {list(after)} of {list(before)}",
            fix="let the block keep the number of axes and divide their sizes by a whole number",
        )
    return kinds[len(before)](before[0], after[0], 1, stride=strides, bias=False)

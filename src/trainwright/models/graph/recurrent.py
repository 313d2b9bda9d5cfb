"""Recurrent layers over a series `[B, T, F]`."""

from __future__ import annotations

from torch import Tensor, nn

from trainwright.errors import ModelError
from trainwright.fields import OpenFraction, PositiveInt

Shape = tuple[int, ...]


class Recurrent(nn.Module):
    """A recurrent network that gives every step's output, or the last one's.

    Args:
        rnn: Of PyTorch, batch first.
        sequences: Give every step's output.
    """

    def __init__(self, rnn: nn.RNNBase, sequences: bool) -> None:
        super().__init__()
        self.rnn, self.sequences = rnn, sequences

    def forward(self, x: Tensor) -> Tensor:
        """`[B, T, F]` to `[B, T, D]` or `[B, D]`, where D counts both directions."""
        steps, hidden = self.rnn(x)
        if self.sequences:
            result: Tensor = steps
            return result
        last = hidden[0] if isinstance(hidden, tuple) else hidden
        # The backward direction ends at the first step: its last state is not in steps[:, -1].
        directions = 2 if self.rnn.bidirectional else 1
        return last[-directions:].transpose(0, 1).flatten(1)


def lstm(
    in_shape: Shape,
    *,
    units: PositiveInt,
    layers: PositiveInt = 1,
    bidirectional: bool = False,
    dropout: OpenFraction = 0.0,
    return_sequences: bool = False,
) -> nn.Module:
    """Long short-term memory: Hochreiter and Schmidhuber, 1997.

    Args:
        in_shape: Steps and features.
        units: Width of the state.
        layers: Number of stacked layers.
        bidirectional: Read the series from both ends, which doubles the output's width.
        dropout: Between stacked layers.
        return_sequences: Give `[B, T, D]` instead of the last state `[B, D]`.
    """
    return _build(nn.LSTM, in_shape, units, layers, bidirectional, dropout, return_sequences)


def gru(
    in_shape: Shape,
    *,
    units: PositiveInt,
    layers: PositiveInt = 1,
    bidirectional: bool = False,
    dropout: OpenFraction = 0.0,
    return_sequences: bool = False,
) -> nn.Module:
    """Gated recurrent unit: Cho et al., EMNLP 2014.

    Args:
        in_shape: Steps and features.
        units: Width of the state.
        layers: Number of stacked layers.
        bidirectional: Read the series from both ends, which doubles the output's width.
        dropout: Between stacked layers.
        return_sequences: Give `[B, T, D]` instead of the last state `[B, D]`.
    """
    return _build(nn.GRU, in_shape, units, layers, bidirectional, dropout, return_sequences)


def _build(
    kind: type[nn.RNNBase],
    in_shape: Shape,
    units: int,
    layers: int,
    bidirectional: bool,
    dropout: float,
    sequences: bool,
) -> nn.Module:
    if len(in_shape) != 2:
        raise ModelError(
            f"a recurrent layer reads steps and features, not {list(in_shape)}",
            fix="reshape or permute before it",
        )
    if dropout and layers == 1:
        raise ModelError(
            "dropout between stacked layers has no effect on one layer",
            fix="give layers: 2 or more, or put a dropout layer behind it",
        )
    rnn = kind(in_shape[1], units, layers, batch_first=True, bidirectional=bidirectional, dropout=dropout)
    return Recurrent(rnn, sequences)

"""Activation functions by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from trainwright.errors import ModelError, closest

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "celu": nn.CELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "hard_sigmoid": nn.Hardsigmoid,
    "hard_swish": nn.Hardswish,
    "softplus": nn.Softplus,
    "softsign": nn.Softsign,
    "softmax": lambda: nn.Softmax(dim=1),
    "log_softmax": lambda: nn.LogSoftmax(dim=1),
    "exponential": lambda: Exponential(),
    "identity": nn.Identity,
}
"""Names as PyTorch users write them; `ALIASES` holds those of Keras."""

ALIASES = {"swish": "silu", "linear": "identity", "leakyrelu": "leaky_relu", "hard_silu": "hard_swish"}


class Exponential(nn.Module):
    """`exp(x)`, for positive outputs such as rates."""

    def forward(self, x: Tensor) -> Tensor:
        """`exp(x)`, same shape."""
        return x.exp()


def activation(name: str, *, where: str = "model") -> nn.Module:
    """Builds the activation of that name.

    Args:
        name: One of `ACTIVATIONS` or `ALIASES`.
        where: Key path for the error.

    Raises:
        ModelError: There is no such activation.
    """
    known = ACTIVATIONS.get(ALIASES.get(name, name))
    if known is None:
        guess = closest(name, [*ACTIVATIONS, *ALIASES])
        raise ModelError(
            f"unknown activation {name!r}",
            where=where,
            fix=f"did you mean {guess!r}?" if guess else f"choose one of {', '.join(ACTIVATIONS)}",
        )
    return known()

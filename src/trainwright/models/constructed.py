"""What a component's constructor gave, or raised: the same words for models, heads and layers."""

from __future__ import annotations

from typing import Any

from torch import nn

from trainwright.errors import ModelError


def as_module(made: Any, name: str, where: str) -> nn.Module:
    """What was made, which has to be a module.

    Args:
        made: What a class or function of the recipe gave.
        name: What the recipe calls it.
        where: Its key path.

    Raises:
        ModelError: It is anything else.
    """
    if isinstance(made, nn.Module):
        return made
    raise ModelError(
        f"{name} gave {type(made).__name__}, which is no torch.nn.Module",
        where=where,
        fix="name a class derived from torch.nn.Module, or a function that returns one",
    )


def mend_constructor(error: BaseException, otherwise: str) -> str:
    """How to mend a constructor that raises.

    Args:
        error: What it has raised.
        otherwise: Said where nothing is known of the error.
    """
    if "before Module.__init__() call" in str(error):
        return "call super().__init__() first in its __init__"
    return otherwise

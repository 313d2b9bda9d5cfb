"""FTRL-Proximal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from trainwright.engine.optimizers.groups import NamedParameters
from trainwright.fields import NonNegative, Positive


class Ftrl(torch.optim.Optimizer):
    """Follow the regularised leader: McMahan et al., "Ad click prediction", KDD 2013, algorithm 1.

    Two things differ from the paper's linear model, and neither changes the formula. It starts from the
    weights it is given (the paper starts from zero): z begins where the closed form yields them.
    And a learning rate that a schedule changes keeps the sum of the proximal strengths equal to
    `(beta + sqrt(n)) / lr` of the present step, so that for l1 = l2 = 0 every step is exactly
    `w -= lr / (beta + sqrt(n)) * g`. A step with a rate of zero leaves everything as it is.

    Args:
        params: Names and parameters, or groups of them.
        lr: The paper's alpha.
        beta: The paper's beta.
        l1: The paper's lambda 1: weights whose `|z|` stays below it are exactly zero.
        l2: The paper's lambda 2, which pulls weights to zero.
        initial_accumulator: Where the sum of squared gradients starts.
    """

    def __init__(
        self,
        params: Any,
        lr: float,
        beta: float,
        l1: float,
        l2: float,
        initial_accumulator: float,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "beta": beta, "l1": l1, "l2": l2, "initial_accumulator": initial_accumulator}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Updates every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None and group["lr"] > 0:
                    self._update(parameter, group)
        return loss

    def _update(self, weight: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            self._start(state, weight, group)
        before = _strength(state["n"], float(state["lr"]), group["beta"])
        state["n"].addcmul_(weight.grad, weight.grad)
        after = _strength(state["n"], group["lr"], group["beta"])
        state["z"].add_(weight.grad).addcmul_(after - before, weight, value=-1)
        state["lr"].fill_(group["lr"])
        shrunk = torch.sign(state["z"]) * (state["z"].abs() - group["l1"]).clamp_(min=0)
        weight.copy_(shrunk.div_(after.add_(group["l2"])).neg_())

    @staticmethod
    def _start(state: dict[str, Tensor], weight: Tensor, group: dict[str, Any]) -> None:
        state["n"] = torch.full_like(weight, group["initial_accumulator"])
        # float64, or the rate that comes back would not be the one that the last step used.
        state["lr"] = torch.tensor(group["lr"], dtype=torch.float64)
        strength = _strength(state["n"], group["lr"], group["beta"]) + group["l2"]
        state["z"] = -(weight * strength + torch.sign(weight) * group["l1"])


def _strength(squares: Tensor, lr: float, beta: float) -> Tensor:
    """Sum of the proximal terms so far, per coordinate."""
    return squares.sqrt().add_(beta).div_(lr)


def ftrl(
    params: NamedParameters,
    *,
    lr: Positive = 0.1,
    beta: Positive = 1.0,
    l1: NonNegative = 0.0,
    l2: NonNegative = 0.0,
    initial_accumulator: NonNegative = 0.0,
) -> torch.optim.Optimizer:
    """FTRL-Proximal: McMahan et al., KDD 2013; sparse weights with `l1`.

    Args:
        params: Names and parameters.
        lr: Learning rate, alpha in the paper.
        beta: Smooths the first steps; the paper recommends 1.
        l1: Strength of the L1 penalty, which makes weights exactly zero.
        l2: Strength of the L2 penalty.
        initial_accumulator: Where the sum of squared gradients starts.
    """
    return Ftrl(list(params), lr=lr, beta=beta, l1=l1, l2=l2, initial_accumulator=initial_accumulator)

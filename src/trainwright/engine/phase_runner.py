"""One phase's optimizer with its schedule, clipping and loss scaling."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from trainwright.engine.backward import backward
from trainwright.engine.health.gradients import GradientNorms
from trainwright.engine.health.slowing import Slowing
from trainwright.engine.layer_rates import Unfreezing
from trainwright.engine.optimizers.lean import lean_step
from trainwright.engine.schedules.base import Schedule
from trainwright.tasks.base import Phase

# What an optimizer of PyTorch sets by itself, whatever a loaded state says.
_ITS_OWN = ("param_names", "decoupled_weight_decay")


class NamedOptimizer:
    """An optimizer whose saved state is keyed by parameter name, not by position."""

    def __init__(self, optimizer: torch.optim.Optimizer, names: dict[nn.Parameter, str]) -> None:
        self.optimizer = optimizer
        self._names = [[names[p] for p in group["params"]] for group in optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """State per parameter name, and the groups with their names."""
        raw = self.optimizer.state_dict()
        flat = [name for group in self._names for name in group]
        state = {flat[index]: value for index, value in raw["state"].items()}
        groups = [
            {**{k: v for k, v in group.items() if k not in _ITS_OWN}, "params": names}
            for group, names in zip(raw["param_groups"], self._names, strict=True)
        ]
        return {"state": state, "groups": groups}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts the state back. Raises ValueError where the parameters are not the same ones."""
        flat = [name for group in self._names for name in group]
        saved = [name for group in state["groups"] for name in group["params"]]
        if flat != saved:
            raise ValueError(f"the optimizer's parameters changed: {sorted(set(flat) ^ set(saved))}")
        position = {name: index for index, name in enumerate(flat)}
        groups = [{**group, "params": [position[n] for n in group["params"]]} for group in state["groups"]]
        own = self.optimizer.state_dict()["param_groups"]
        for group, present in zip(groups, own, strict=True):
            group.update({key: present[key] for key in _ITS_OWN if key in present})
        by_index = {position[name]: value for name, value in state["state"].items()}
        self.optimizer.load_state_dict({"state": by_index, "param_groups": groups})
        self._keep_dtypes(by_index)

    def take_over(self, state: dict[str, Any]) -> None:
        """Takes what another optimizer of the kind has gathered, but not its rates and other settings.

        Raises:
            ValueError: The parameters are not the same ones, or the optimizer is of another kind.
        """
        own = self.state_dict()
        if set(own["groups"][0]) - {"initial_lr"} != set(state["groups"][0]) - {"initial_lr"}:
            raise ValueError("it is of another kind")
        present, saved = (
            {n for g in groups for n in g["params"]} for groups in (own["groups"], state["groups"])
        )
        if present != saved:
            raise ValueError(f"the optimizer's parameters changed: {', '.join(sorted(present ^ saved)[:5])}")
        self.load_state_dict({"state": state["state"], "groups": own["groups"]})

    def _keep_dtypes(self, saved: dict[int, dict[str, Any]]) -> None:
        """PyTorch casts what it loads to the parameter's dtype, which would round a float64 value."""
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        for index, values in saved.items():
            held = self.optimizer.state[parameters[index]]
            for name, value in values.items():
                if isinstance(value, Tensor) and held[name].dtype != value.dtype:
                    held[name] = value.to(held[name].device)


class PhaseRunner:
    """Carries out the optimizer's side of one phase.

    Args:
        phase: Which parameters, and how often.
        optimizer: Built over the phase's parameters, with its base learning rates.
        schedule: Factor of the learning rate by step.
        scaler: Loss scaling for fp16, else None.
        clip_norm: Largest global norm of the gradients.
        clip_value: Largest absolute value of a gradient.
        unfreezing: Of layers that are trained from some step on.
    """

    def __init__(
        self,
        phase: Phase,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        *,
        scaler: Any = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        unfreezing: Unfreezing | None = None,
    ) -> None:
        self.phase, self.schedule, self.scaler = phase, schedule, scaler
        self.optimizer = optimizer
        self._update = lean_step(optimizer)
        self.named = NamedOptimizer(optimizer, {p: name for name, p in phase.parameters})
        self.parameters = [p for _, p in phase.parameters]
        self.clip_norm, self.clip_value = clip_norm, clip_value
        self.unfreezing = unfreezing
        self.slowing: Slowing | None = None
        self.gradient_norms = GradientNorms(phase.parameters)
        self._gradient: Tensor | None = None
        self._share = 0.0

    @property
    def learning_rate(self) -> float:
        """The first group's learning rate of the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def begin(self, step: int) -> None:
        """Before the forward pass of a step: layers whose time has come are trained from now on."""
        if self.unfreezing is not None and self.unfreezing.at(step):
            self.parameters = [p for _, p in self.phase.parameters if p.requires_grad]

    def backward(self, loss: Tensor, size: int, count: int) -> None:
        """Adds the gradients of a micro-batch.

        Args:
            loss: Per-sample losses `[size]`, or their mean.
            size: Samples of the micro-batch.
            count: Samples of the global batch, over whose mean the step is taken.
        """
        # A mean's forward and backward would be two kernels more; the constant gradient is none.
        share = (1.0 if loss.dim() else float(size)) / count
        if self.scaler is not None:
            self.scaler.scale(loss.sum() * share).backward()
            return
        shape = tuple(loss.shape)
        if self._gradient is None or self._share != share or tuple(self._gradient.shape) != shape:
            self._gradient, self._share = torch.full_like(loss, share, requires_grad=False), share
        backward(loss, self._gradient)

    def apply(self, step: int, *, read_norms: bool = False) -> None:
        """Clips, moves the weights by one step and clears the gradients.

        Args:
            step: Steps done before it.
            read_norms: Compute the gradients' norms first.
        """
        self.schedule.apply(self.optimizer, step)
        if self.slowing is not None:
            self.slowing.apply(self.optimizer, step)
        if self.scaler is not None:
            self.scaler.unscale_(self.optimizer)
        if read_norms:
            self.gradient_norms.read()
        if self.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        if self.clip_value is not None:
            nn.utils.clip_grad_value_(self.parameters, self.clip_value)
        if self.scaler is not None:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        else:
            self._update()
        for parameter in self.parameters:
            parameter.grad = None

"""Weights of several trainings as one: their mean (Wortsman et al. 2022, "Model soups", ICML)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

Weights = Mapping[str, Tensor]


def mean_weights(members: Sequence[Weights], shares: Sequence[float] | None = None) -> dict[str, Tensor]:
    """The weighted mean of every floating-point tensor, summed in float64; other tensors are the first's.

    Args:
        members: Name -> tensor, the same names and shapes in all.
        shares: Of each member, to sum to one; equal ones when absent.

    Raises:
        ValueError: The members do not have the same tensors.
    """
    shares = shares if shares is not None else [1 / len(members)] * len(members)
    first = members[0]
    for other in members[1:]:
        differing = set(first) ^ set(other) or {n for n in first if first[n].shape != other[n].shape}
        if differing:
            raise ValueError(f"{len(differing)} tensors are not the same, among them {sorted(differing)[0]}")
    return {name: _mean([member[name] for member in members], shares) for name in first}


def _mean(tensors: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    if not tensors[0].is_floating_point():
        return tensors[0].clone()
    total = torch.zeros_like(tensors[0], dtype=torch.float64)
    for tensor, share in zip(tensors, shares, strict=True):
        total += share * tensor.double()
    return total.to(tensors[0].dtype)


def has_running_statistics(model: nn.Module) -> bool:
    """Whether a layer keeps statistics of what passes through it, which do not follow averaged weights."""
    return bool(_normalisations(model))


@torch.no_grad()
def refit_statistics(model: nn.Module, run: Callable[[nn.Module], None]) -> None:
    """Computes running statistics anew, as the plain mean over batches; other layers act as in evaluation.

    Args:
        model: Its weights have just been averaged.
        run: Lets training samples pass through the model, in batches.
    """
    layers, was_training = _normalisations(model), model.training
    momenta = [layer.momentum for layer in layers]
    model.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
        layer.train()
    run(model)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.train(was_training)


def _normalisations(model: nn.Module) -> list[_BatchNorm]:
    return [m for m in model.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]

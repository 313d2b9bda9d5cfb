"""Answers and losses of a head, or of a model, that has a loss of its own, held against their form."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.heads.answer_form import expected, loss_misfit, misfit
from trainwright.models.heads.author import Author


def check_answer(
    output: Mapping[str, Tensor], spec: TensorSpec, author: Author, *, plain: bool, samples: int
) -> None:
    """Holds an output against the form of its target's answers.

    Args:
        output: `loss`, its parts, and the answer by name.
        spec: The target.
        author: Who answers so.
        plain: It is the plain answer, else what scoring keeps.
        samples: Size of the batch axis.

    Raises:
        ModelError: It does not have the form, names no class, or is no number though the loss is one.
    """
    answer = {name: part for name, part in output.items() if not _is_loss(name)}
    if not plain:
        check_losses(output, author, samples)
    known = torch.isfinite(output["loss"]) if "loss" in output else None
    found = misfit(answer, spec, samples, kept=not plain, known=known)
    if found:
        method = author.teller() if plain else author.keeper()
        raise ModelError(
            f"{author.method(method)} gives {found}",
            where=author.where,
            why=f"{'the answer' if plain else 'what scoring keeps of an answer'} for {spec.type} is "
            f"{expected(spec, kept=not plain)}",
            fix=f"mend `{method}`; docs/heads.md describes the answer of every type of target",
        )


def check_losses(output: Mapping[str, Tensor], author: Author, samples: int, *, first: bool = False) -> None:
    """Raises ModelError where a loss is no float per sample, or one of the first samples is no number."""
    found = loss_misfit({name: part for name, part in output.items() if _is_loss(name)}, samples)
    if "loss" not in output:
        found = "no `loss`, though the truth was given"
    if not found and first:
        bad = [name for name, part in output.items() if _is_loss(name) and not torch.isfinite(part).all()]
        if bad:
            raise _no_number(output, bad, author)
    if found:
        raise ModelError(
            f"{author.method('loss')}: {found}",
            where=author.where,
            why="every sample has a loss of its own: a float tensor [B], or several of them by name",
            fix="average over all axes but the first, for example with .flatten(1).mean(1)",
        )


def _no_number(output: Mapping[str, Tensor], bad: list[str], author: Author) -> ModelError:
    """Parts of a loss before their sum, which says nothing of its own."""
    names = [name for name in bad if name != "loss"] or bad
    told = {name.removeprefix("loss_"): output[name].detach().tolist() for name in names}
    values = ", ".join(
        f"{values} as `{name}`" if name != "loss" else f"{values}" for name, values in told.items()
    )
    return ModelError(
        f"{author.method('loss')} gives {values} for the very first samples",
        where=author.where,
        why="a loss has to be finite: of untrained weights, of a sample without an object, of a value of 0",
        fix="keep arguments of log, sqrt and divisions away from 0, for example with .clamp(min=1e-6); where "
        "the loss is in order, look at the data's ranges (`trainwright check`)",
    )


def _is_loss(name: str) -> bool:
    return name == "loss" or name.startswith("loss_")

"""What is checked of a model on real samples before anything is trained."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from trainwright.data.batch import Batch, Value, over, tensors_of
from trainwright.engine.answer_shapes import refuse_other_shapes
from trainwright.engine.generators import seed_generators
from trainwright.engine.kept_for_backward import counting_kept
from trainwright.engine.layer_trail import guarded, layer_trail, words_of
from trainwright.engine.state_tree import flatten, unflatten
from trainwright.engine.uncalled import CallWatch, ReadColumns
from trainwright.errors import ModelError, TrainwrightError
from trainwright.models.inspect import in_terms_of_size
from trainwright.registry.provenance import Provenance
from trainwright.tasks.base import Task

SAMPLES = 2
_ATTACHED = "compute the output from the parameters, without .detach(), .item(), .numpy() or torch.no_grad()"


@dataclass(frozen=True)
class FirstAnswers:
    """What an untrained model says of at most two samples.

    Attributes:
        plain: Outputs without a truth, by target.
        kept: What scoring keeps of outputs and their truth.
        truth: The truth.
    """

    plain: dict[str, Value]
    kept: dict[str, Value]
    truth: dict[str, Value]


@dataclass(frozen=True)
class Preflight:
    """What the check of a model found though nothing is wrong.

    Attributes:
        names: Metrics that training and validation will give, such as `train/loss`.
        doubts: What works, but perhaps not as meant, in words.
        kept: Bytes that the forward pass of one sample keeps for the backward pass; 0 where no step was made.
        uncalled: Components of the model that neither a step nor an evaluation has called.
        unread: Input columns that the model has not looked at.
        dead: What else of the recipe has no effect.
        first: What the model said; None where the check was made before.
    """

    names: set[str]
    doubts: list[str] = field(default_factory=list)
    kept: float = 0.0
    uncalled: list[Provenance] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    dead: list[TrainwrightError] = field(default_factory=list)
    first: FirstAnswers | None = None


def check_model(
    task: Task,
    model: nn.Module,
    batch: Batch,
    *,
    evaluation: Batch | None = None,
    rebuild: Callable[[], nn.Module] | None = None,
    single: bool = False,
) -> Preflight:
    """Runs one step on a copy of the model, saves and reloads it, and scores its outputs.

    Args:
        task: The task.
        model: Freshly built, on the CPU; it is not changed.
        batch: Training samples, at least one; two are taken when there are.
        evaluation: Samples as evaluation sees them; those of `batch` when absent.
        rebuild: Builds the model anew with other random numbers, as a later process will before it
            loads the weights; a copy of the model when absent.
        single: Some batch of an epoch has one sample only, which not every model can be trained on.

    Raises:
        ModelError: A layer does not fit, an output does not fit its target, the loss is not a finite
            number per sample, no gradient arrives, scoring fails, or the reloaded model answers
            differently.
    """
    few, whole = _first(batch, SAMPLES), _first(evaluation or batch, len(evaluation or batch))
    read: set[str] = set()
    if len(few) < 2:  # no step can be tried, so that of no part it is known whether a step needs it
        found = _check_score(task, model, whole, _check_plain(task, model, whole))
    else:
        with CallWatch(model).open() as calls:
            names, kept = _check_step(task, copy.deepcopy(model).train(), _noting(few, read), calls)
            if single:
                _check_single(task, copy.deepcopy(model).train(), _first(batch, 1))
            # Of the columns as they are: they are copied here, which is no reading.
            plain = _check_plain(task, model, whole)
            scored = _check_score(task, model, _noting(whole, read), plain)
        unread = set(few.inputs) - read if len(few.inputs) > 1 else set()
        dead = task.dead()
        found = Preflight(
            names | scored.names, scored.doubts, kept, calls.uncalled(), unread, dead, scored.first
        )
    _check_reload(task, model, _first(whole, SAMPLES), rebuild or (lambda: copy.deepcopy(model)))
    return found


def _noting(batch: Batch, read: set[str]) -> Batch:
    """The batch, whose input columns are added to `read` when they are looked at."""
    return replace(batch, inputs=ReadColumns(batch.inputs, read))


def _first_of(columns: dict[str, Value], count: int) -> dict[str, Value]:
    """The first samples of columns or outputs."""
    return {name: over(value, lambda tensor: tensor[:count].cpu()) for name, value in columns.items()}


def _first(batch: Batch, count: int) -> Batch:
    return Batch(
        _first_of(batch.inputs, count),
        _first_of(batch.targets, count),
        batch.ids[:count],
        weights=None if batch.weights is None else batch.weights[:count].cpu(),
    )


def _check_step(
    task: Task, model: nn.Module, batch: Batch, calls: CallWatch | None = None
) -> tuple[set[str], float]:
    """One step of every phase; names of what they report, and the most bytes that one keeps of a sample."""
    names, most = set[str](), 0.0
    seed_generators(0)
    with layer_trail(model) as trail:
        try:
            outputs = guarded(lambda: task.predict(model, batch), trail)
        except ModelError as error:
            images = [tuple(t.shape[1:]) for t in tensors_of(batch.inputs).values() if t.dim() == 4]
            raise in_terms_of_size(model, images, error) from error
        task.check_outputs(outputs)
        task.check_losses(outputs, batch.targets)
        phases = task.phases(model)
        for phase in phases:
            model.zero_grad(set_to_none=True)
            with counting_kept(model) as kept:
                result = guarded(partial(task.training_step, model, batch, phase), trail)
            most = max(most, kept.bytes / len(batch))
            _check_loss(result.loss, len(batch), phase.name)
            guarded(result.loss.mean().backward, trail)
            if calls is not None:
                calls.learned(name for name, p in model.named_parameters() if p.grad is not None)
            if all(p.grad is None for _, p in phase.parameters):
                raise ModelError(
                    f"no gradient reaches any parameter of phase {phase.name!r}",
                    where="model",
                    why="the output does not depend on them, or the forward pass detaches it",
                    fix=_ATTACHED,
                )
            prefix = f"train/{phase.name}_" if len(phases) > 1 else "train/"
            names |= {prefix + name for name in ("loss", *result.logs)}
    return names, most


def _check_single(task: Task, model: nn.Module, batch: Batch) -> None:
    """BatchNorm knows no variance of one value per channel, and would fail at the end of the epoch."""
    try:
        _check_step(task, model, batch)
    except ModelError as error:
        raise ModelError(
            "the model cannot be trained on one sample, and that is all that some batch holds",
            where="train.batch_size",
            why=f"{error.what}: {error.why}",
            fix="change train.batch_size (or train.micro_batch) so that no batch is left with one sample",
        ) from error


def _check_loss(loss: Tensor, samples: int, phase: str) -> None:
    if loss.dim() and tuple(loss.shape) != (samples,):
        raise ModelError(
            f"the loss of phase {phase!r} has shape {list(loss.shape)} for {samples} samples",
            where="data.targets",
            why="a step gives the loss of each sample, or the mean of all where none has one of its own",
            fix="let the loss reduce over all axes but the first",
        )
    if not loss.requires_grad:
        raise ModelError(
            f"the loss of phase {phase!r} does not depend on any trained parameter",
            where="model",
            why="the output does not depend on them, or the forward pass detaches it",
            fix=_ATTACHED,
        )
    value = float(loss.detach().mean())
    if not math.isfinite(value):
        raise ModelError(
            f"the loss of the very first samples is {value}",
            where="train",
            why="inputs, targets or initial weights are out of range",
            fix="look at the data's ranges and normalisation (`trainwright check`)",
        )


@torch.no_grad()
def _check_score(task: Task, model: nn.Module, batch: Batch, plain: dict[str, Value]) -> Preflight:
    """Loss and metrics of an untrained model, as after every epoch, beside its plain answers."""
    probe = copy.deepcopy(model).eval()
    seed_generators(0)
    with layer_trail(probe) as trail:
        outputs = guarded(lambda: task.predict(probe, batch), trail)
    task.check_outputs(outputs)
    task.check_answers(outputs, plain=False, samples=len(batch))
    try:
        values = task.score({name: over(value, _as_scored) for name, value in outputs.items()}, batch.targets)
    except TrainwrightError:
        raise
    except (Exception, SystemExit) as error:
        raise ModelError(
            "a metric or loss fails on the model's first outputs",
            where="data.targets",
            why=words_of(error),
            fix="choose metrics and a loss that fit the target's type",
        ) from error
    first = FirstAnswers(plain, _first_of(outputs, SAMPLES), _first_of(batch.targets, SAMPLES))
    return Preflight({f"val/{name}" for name in values}, task.doubts(outputs), first=first)


@torch.no_grad()
def _check_plain(task: Task, model: nn.Module, batch: Batch) -> dict[str, Value]:
    """The answers without a truth, as `predict` gives them to new files."""
    few, probe = _first(batch, SAMPLES), copy.deepcopy(model).eval()
    unknown = replace(few, targets={})
    seed_generators(0)
    with layer_trail(probe) as trail:
        outputs = guarded(lambda: task.predict(probe, unknown), trail)
        task.check_outputs(outputs)
        task.check_answers(outputs, plain=True, samples=len(few))
        if len(few) > 1 and any(isinstance(output, dict) for output in outputs.values()):
            alone = guarded(lambda: task.predict(probe, replace(_first(few, 1), targets={})), trail)
            refuse_other_shapes(task, alone, outputs)
    return outputs


def _as_scored(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


@torch.no_grad()
def _check_reload(task: Task, model: nn.Module, batch: Batch, rebuild: Callable[[], nn.Module]) -> None:
    """Weights that went through the file format must give the same answer, bit for bit."""
    original = copy.deepcopy(model).eval()
    structure, tensors = flatten(original.state_dict())
    reloaded = rebuild().eval()
    for parameter in reloaded.parameters():
        parameter.zero_()
    reloaded.load_state_dict(unflatten(structure, load(save(tensors))))
    seed_generators(0)
    first = task.predict(original, batch)
    seed_generators(0)
    second = task.predict(reloaded, batch)
    answers = tensors_of(second)
    for name, value in tensors_of(first).items():
        if not torch.equal(torch.nan_to_num(value), torch.nan_to_num(answers[name])):
            raise ModelError(
                f"after saving and loading the model, output {name!r} is another",
                where="model",
                why="something that the output depends on is not in the model's state_dict",
                fix="register it as a parameter or a buffer",
            )

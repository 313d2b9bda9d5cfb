"""Learning targets from inputs: any number of either, each target with its own loss and metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trainwright import registry
from trainwright.data.batch import Batch
from trainwright.data.types import DataInfo, TensorSpec
from trainwright.errors import ModelError, RecipeError, closest
from trainwright.losses import DEFAULTS, RAW_SCORES, default_loss
from trainwright.metrics import default_metrics
from trainwright.models.arguments import build_model
from trainwright.models.penalties import penalties
from trainwright.recipe.schema import Target
from trainwright.tasks.base import Phase, StepOutput, Task


def output_size(spec: TensorSpec) -> int:
    """Numbers that a model must give for one target: one per class, or one per number."""
    return len(spec.classes) if spec.type == "category" else max(1, spec.shape[0] if spec.shape else 1)


@dataclass
class TargetHead:
    """One target: its part of the model's output, how it is learned and how it is scored."""

    name: str
    spec: TensorSpec
    part: slice
    loss: Callable[..., Tensor]
    metrics: list[Callable[..., dict[str, float]]]
    weight: float
    class_weights: Tensor | None
    decode: Callable[[Any], Any] | None = None
    loss_name: str = ""
    metric_names: tuple[str, ...] = ()

    def per_sample(self, output: Tensor, target: Tensor) -> Tensor:
        """Loss of each sample `[B]`."""
        try:
            if self.class_weights is None:
                return self.loss(output, target)
            if self.class_weights.device != output.device:
                self.class_weights = self.class_weights.to(output.device)
            return self.loss(output, target, self.class_weights)
        except ModelError as error:
            error.where = error.where or f"data.targets.{self.name}.loss"
            raise


class SupervisedTask(Task):
    """A model from inputs to one head per target.

    A sample's loss is multiplied by the weight of its class (`class_weights`) and by its own, `data.weights`.

    Args:
        targets: Target sections of the recipe by column.
        model: Component spec of the model.
    """

    weighs_samples = True

    def __init__(self, targets: dict[str, Target], model: dict[str, Any]) -> None:
        self.sections, self.model_spec = targets, model
        self.heads: list[TargetHead] = []
        self._single_input: str | None = None
        self._penalized = False

    def describe(self, data: DataInfo) -> None:
        """Learns what the targets look like; `build` and the Predictor call it once."""
        offset = 0
        self.heads = []
        self._single_input = next(iter(data.inputs)) if len(data.inputs) == 1 else None
        for name, spec in data.targets.items():
            size = output_size(spec)
            self.heads.append(
                _head(name, spec, self.sections[name], slice(offset, offset + size), data.decoders.get(name))
            )
            offset += size

    def build(self, data: DataInfo) -> nn.Module:
        """The model for this data, with outputs for all targets side by side `[B, sum]`."""
        self.describe(data)
        if not self.heads:
            raise ModelError(
                "there is no target to learn",
                where="data.targets",
                fix="name a column of the source that is to be predicted",
            )
        model = build_model(self.model_spec, data.inputs, self.heads[-1].part.stop)
        self._penalized = bool(penalties(model))
        return model

    def _outputs(self, model: nn.Module, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        single = self._single_input
        raw = model(inputs[single] if single is not None else inputs)
        if not isinstance(raw, Tensor):
            return self._by_name(raw)
        if len(self.heads) == 1:
            return {self.heads[0].name: raw}
        return {head.name: raw[:, head.part] for head in self.heads}

    def _by_name(self, raw: Any) -> dict[str, Tensor]:
        """The outputs of a model that answers with one tensor per target."""
        names = [head.name for head in self.heads]
        if isinstance(raw, dict) and all(isinstance(raw.get(name), Tensor) for name in names):
            return {name: raw[name] for name in names}
        gives = (
            f"a dict of {', '.join(map(str, raw))}" if isinstance(raw, dict) else f"a {type(raw).__name__}"
        )
        raise ModelError(
            f"the model gives {gives} instead of its answer",
            where="model",
            why=f"the targets are {', '.join(names)}",
            fix="return one tensor [B, num_outputs], or a dict with a tensor per target",
        )

    def training_step(self, model: nn.Module, batch: Batch, phase: Phase) -> StepOutput:
        """Weighted sum of the targets' mean losses; accuracy of category targets as logs."""
        outputs = self._outputs(model, batch.inputs)
        logs: dict[str, Tensor] = {}
        total: Tensor | None = None
        for head in self.heads:
            output, target = outputs[head.name], batch.targets[head.name]
            each = head.per_sample(output, target)
            if batch.weights is not None:
                each = each * batch.weights
            total = _add(total, each, head.weight)
            prefix = f"{head.name}/" if len(self.heads) > 1 else ""
            if prefix:
                logs[prefix + "loss"] = each.detach().sum()
            if head.spec.type == "category":
                logs[prefix + "accuracy"] = output.detach().argmax(1).eq_(_true_class(target)).sum()
        assert total is not None
        if self._penalized:
            # Of this very model, which may be a copy of the one that was built.
            terms = [ask() for ask in penalties(getattr(model, "_orig_mod", model))]
            total = total.mean() + sum(term for term in terms if term is not None)
        return StepOutput(total, logs)

    def predict(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Raw outputs per target: logits `[B, C]`, or numbers `[B, K]` as the model sees them."""
        return self._outputs(model, batch.inputs)

    def per_sample_losses(self, outputs: dict[str, Tensor], targets: dict[str, Tensor]) -> dict[str, Tensor]:
        """Loss of each sample `[n]` per target, unweighted by the target's weight."""
        return {h.name: h.per_sample(outputs[h.name], targets[h.name]) for h in self.heads}

    def score(self, outputs: dict[str, Tensor], targets: dict[str, Tensor]) -> dict[str, float]:
        """`loss` (the weighted total), and every target's metrics, prefixed when there are several."""
        values: dict[str, float] = {}
        total = 0.0
        for head in self.heads:
            prefix = f"{head.name}/" if len(self.heads) > 1 else ""
            output, target = outputs[head.name], targets[head.name]
            loss = float(head.per_sample(output, target).double().mean())
            total += head.weight * loss
            if prefix:
                values[prefix + "loss"] = loss
            if head.spec.type == "number" and head.decode is not None:
                # People read an RMSE in the target's own unit, not in standard deviations.
                output, target = head.decode(output), head.decode(target)
            for metric in head.metrics:
                values.update({prefix + key: value for key, value in metric(output, target).items()})
        return {"loss": total, **values}

    def check_outputs(self, outputs: dict[str, Tensor]) -> None:
        """Raises ModelError where an output cannot fit its target, naming both shapes."""
        for head in self.heads:
            shape, size = tuple(outputs[head.name].shape[1:]), output_size(head.spec)
            if shape != (size,):
                kind = f"{size} classes" if head.spec.type == "category" else f"{size} numbers"
                raise ModelError(
                    f"the model gives {list(shape)} per sample, target {head.name!r} needs [{size}]",
                    where="model",
                    why=f"{head.name!r} has {kind}",
                    fix="let the last layer have `num_outputs` outputs",
                )

    def doubts(self, outputs: dict[str, Tensor]) -> list[str]:
        """Probabilities where the loss takes raw scores: a softmax twice, which learns slowly."""
        return [
            f"the model gives probabilities for target {head.name!r}, and loss {head.loss_name} takes raw "
            "scores: leave out the model's last softmax"
            for head in self.heads
            if head.loss_name in RAW_SCORES and _are_probabilities(outputs[head.name])
        ]

    def facts(self) -> list[str]:
        """Loss and metrics of every target."""
        return [
            f"target {head.name}: loss {head.loss_name}, metrics {', '.join(head.metric_names) or 'none'}"
            + (f", weight {head.weight:g}" if len(self.heads) > 1 else "")
            for head in self.heads
        ]

    def monitor(self) -> tuple[str, str]:
        """Accuracy for one category target, else the loss."""
        single = self.heads[0] if len(self.heads) == 1 else None
        if single is not None and single.spec.type == "category":
            return "accuracy", "max"
        return "loss", "min"


def _true_class(target: Tensor) -> Tensor:
    """Class ids `[B]`; of mixed samples that of the largest share."""
    return target.argmax(1) if target.is_floating_point() else target


def _are_probabilities(output: Tensor) -> bool:
    """Whether several classes' outputs are non-negative and sum to 1 in every row, up to rounding."""
    values = output.detach().float()
    if values.dim() != 2 or values.shape[1] < 2:
        return False
    return bool((values >= 0).all()) and bool(((values.sum(1) - 1).abs() < 1e-3).all())


def _add(total: Tensor | None, each: Tensor, weight: float) -> Tensor:
    weighted = each if weight == 1.0 else each * weight
    return weighted if total is None else total + weighted


def _head(
    name: str, spec: TensorSpec, section: Target, part: slice, decode: Callable[[Any], Any] | None
) -> TargetHead:
    if section.loss is None and spec.type not in DEFAULTS:
        raise RecipeError(
            f"no model learns {spec.type} yet",
            where=f"data.targets.{name}.type",
            fix="name a loss of your own",
        )
    loss_spec = section.loss or default_loss(spec.type)
    specs = section.metrics if section.metrics is not None else default_metrics(spec.type, len(spec.classes))
    metrics = [registry.bind("metric", item) for item in specs]
    weights = _class_weights(name, spec, section)
    return TargetHead(
        name,
        spec,
        part,
        registry.bind("loss", loss_spec),
        metrics,
        section.weight,
        weights,
        decode,
        loss_spec["name"],
        tuple(item["name"] for item in specs),
    )


def _class_weights(name: str, spec: TensorSpec, section: Target) -> Tensor | None:
    wanted = section.class_weights
    where = f"data.targets.{name}.class_weights"
    if wanted == "none":
        return None
    if spec.type != "category":
        raise RecipeError("class weights need a category target", where=where, fix="remove class_weights")
    if wanted == "auto":
        most = max(spec.counts)
        return torch.tensor([most / max(count, 1) for count in spec.counts])
    assert isinstance(wanted, dict)
    unknown = [key for key in wanted if key not in spec.classes]
    if unknown:
        guess = closest(unknown[0], spec.classes)
        raise RecipeError(
            f"there is no class {unknown[0]!r} in target {name!r}",
            where=where,
            fix=f"did you mean {guess!r}?" if guess else "classes: " + ", ".join(spec.classes[:20]),
        )
    return torch.tensor([float(wanted.get(key, 1.0)) for key in spec.classes])

"""Learning targets from inputs: any number of either, each target with its own loss and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from trainwright import registry
from trainwright.data.batch import Batch, Value, tensors_of
from trainwright.data.types import DataInfo
from trainwright.errors import ModelError, TrainwrightError
from trainwright.metrics import MONITORED
from trainwright.models.arguments import TargetArguments, build_model
from trainwright.models.heads.author import Author
from trainwright.models.misfits import OutputMisfit
from trainwright.models.penalties import penalties
from trainwright.recipe.schema import Target
from trainwright.tasks.base import Phase, StepOutput, Task
from trainwright.tasks.supervised.own_answers import check_answer, check_losses
from trainwright.tasks.supervised.target import PLAIN, LearnedTarget, Output, learned_target


class SupervisedTask(Task):
    """A model from inputs to targets.

    A sample's loss is multiplied by the weight of its class (`class_weights`) and by its own, `data.weights`.

    Args:
        targets: Target sections of the recipe by column.
        model: Component spec of the model.
    """

    weighs_samples = True

    def __init__(self, targets: dict[str, Target], model: dict[str, Any]) -> None:
        self.sections, self.model_spec = targets, model
        self.targets: list[LearnedTarget] = []
        self._single_input: str | None = None
        self._penalized = False
        self._own_losses: frozenset[str] = frozenset()
        self._authors: Mapping[str, Author] = {}
        self._type: type[nn.Module] = nn.Module

    def describe(self, data: DataInfo) -> None:
        """Learns what the targets look like."""
        self.targets = []
        self._single_input = next(iter(data.inputs)) if len(data.inputs) == 1 else None
        for name, spec in data.targets.items():
            offset = self.targets[-1].part.stop if self.targets else 0
            decode = data.decoders.get(name)
            self.targets.append(learned_target(name, spec, self.sections[name], offset, decode))

    def build(self, data: DataInfo) -> nn.Module:
        """The model for this data.

        It gives the numbers of all targets side by side `[B, sum]`, or a mapping from target to output.
        """
        self.describe(data)
        if not self.targets:
            raise ModelError(
                "there is no target to learn",
                where="data.targets",
                fix="name a column of the source that is to be predicted",
            )
        given = TargetArguments(
            {target.name: target.spec for target in self.targets},
            {target.name: target.loss if target.named_loss else None for target in self.targets},
            {target.name: target.class_weights for target in self.targets},
        )
        try:
            model = build_model(self.model_spec, data.inputs, self.targets[-1].part.stop, given)
        except OutputMisfit as error:
            error.why = error.why or " and ".join(target.needs() for target in self.targets)
            raise
        self._penalized = bool(penalties(model))
        self._type = type(model)
        # A model whose parts have losses of their own names these targets, and is called with the truth.
        self._own_losses = frozenset(getattr(model, "own_losses", ()))
        self._authors = getattr(model, "authors", {})
        for target in self.targets:
            if target.spec.type not in PLAIN and target.name not in self._own_losses:
                raise ModelError(
                    f"{self.model_spec['name']} does not learn the {target.spec.type} target {target.name!r}",
                    where="model",
                    why="it gives numbers side by side",
                    fix="use the model `pyramid`, which has a head for it",
                )
        return model

    def author(self, target: str) -> Author:
        """The head of a target, or the whole model where it has none."""
        return self._authors.get(target) or Author(f"model {self.model_spec['name']}", "model", self._type)

    def loss_method(self, target: str = "") -> str:
        """The head's method, or the loss of the recipe; of all targets where none is named."""
        chosen = [item for item in self.targets if item.name == target] or self.targets
        return " and ".join(
            self.author(item.name).method("loss")
            if item.name in self._own_losses
            else f"{item.loss_told} of {item.name!r}"
            for item in chosen
        )

    def _outputs(self, model: nn.Module, batch: Batch) -> dict[str, Output]:
        single = self._single_input
        inputs = batch.inputs[single] if single is not None else batch.inputs
        raw = model(inputs, batch.targets or None) if self._own_losses else model(inputs)
        if not isinstance(raw, Tensor):
            return self._by_name(raw)
        if len(self.targets) == 1:
            return {self.targets[0].name: raw}
        return {target.name: raw[:, target.part] for target in self.targets}

    def _by_name(self, raw: Any) -> dict[str, Output]:
        """The outputs of a model that answers target by target."""
        names = [target.name for target in self.targets]
        if isinstance(raw, dict) and all(isinstance(raw.get(name), Tensor | dict) for name in names):
            return {name: raw[name] for name in names}
        for name, found in raw.items() if isinstance(raw, dict) else ():
            author = self._authors.get(name)
            if author is not None and not isinstance(found, Tensor | dict):
                raise ModelError(
                    f"{author.method('forward')} gives {'None' if found is None else type(found).__name__}",
                    where=author.where,
                    why=f"the answer for target {name!r} is one tensor",
                    fix="return a tensor [B, numbers]",
                )
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
        """Weighted sum of the targets' mean losses; what else tells how the targets are learned as logs."""
        outputs = self._outputs(model, batch)
        logs: dict[str, Tensor] = {}
        total: Tensor | None = None
        for target in self.targets:
            output, truth = outputs[target.name], batch.targets[target.name]
            each = target.per_sample(output, truth)
            if batch.weights is not None:
                each = each * batch.weights
            total = _add(total, each, target.weight)
            prefix = self._prefix(target)
            if prefix:
                logs[prefix + "loss"] = each.detach().sum()
            logs |= {prefix + name: value for name, value in target.logs(output, truth).items()}
        assert total is not None
        if self._penalized:
            # Of this very model, which may be a copy of the one that was built.
            terms = [ask() for ask in penalties(getattr(model, "_orig_mod", model))]
            total = total.mean() + sum(term for term in terms if term is not None)
        return StepOutput(total, logs)

    def _prefix(self, target: LearnedTarget) -> str:
        return f"{target.name}/" if len(self.targets) > 1 else ""

    def predict(self, model: nn.Module, batch: Batch) -> dict[str, Output]:
        """Raw outputs per target: logits `[B, C]`, numbers `[B, K]` as the model sees them, or answers.

        A head with a loss of its own adds its loss where the batch knows the truth. Of pictures only their
        loss and errors are kept there, unless the model is in training.
        """
        outputs = self._outputs(model, batch)
        if model.training or not batch.targets:
            return outputs
        for target in self.targets:
            output = outputs[target.name]
            if isinstance(output, dict) and "answer" in output and target.compares:
                # Before it is compared: a class that there is not would be no place in a matrix of counts.
                author, samples = self.author(target.name), _samples(batch.targets)
                check_answer(output, target.spec, author, plain=True, samples=samples)
        return {t.name: t.kept(outputs[t.name], batch.targets[t.name]) for t in self.targets}

    def kept(self, targets: dict[str, Value], outputs: dict[str, Value]) -> dict[str, Value]:
        """The truth without masks that an output has been compared with: those of a split fill the memory."""
        return {name: _without_masks(value, outputs[name]) for name, value in targets.items()}

    def per_sample_losses(self, outputs: dict[str, Output], targets: dict[str, Value]) -> dict[str, Tensor]:
        """Loss of each sample `[n]` per target, unweighted by the target's weight."""
        return {t.name: t.per_sample(outputs[t.name], targets[t.name]) for t in self.targets}

    def score(self, outputs: dict[str, Output], targets: dict[str, Value]) -> dict[str, float]:
        """`loss` (the weighted total), and every target's metrics, prefixed when there are several."""
        values: dict[str, float] = {}
        total = 0.0
        for target in self.targets:
            prefix = self._prefix(target)
            output, truth = outputs[target.name], targets[target.name]
            loss = float(target.per_sample(output, truth).double().mean())
            total += target.weight * loss
            if prefix:
                values[prefix + "loss"] = loss
            values |= {prefix + name: value for name, value in target.score(output, truth).items()}
        return {"loss": total, **values}

    def check_answers(self, outputs: dict[str, Output], *, plain: bool, samples: int) -> None:
        """Raises ModelError where the answer of a model with losses of its own does not have its form."""
        for target in self.targets:
            output = outputs.get(target.name)
            if target.name in self._own_losses and isinstance(output, dict):
                check_answer(output, target.spec, self.author(target.name), plain=plain, samples=samples)

    def check_outputs(self, outputs: dict[str, Output]) -> None:
        """Raises ModelError where an output cannot fit its target, naming both shapes."""
        for target in self.targets:
            target.check(outputs[target.name], self._authors.get(target.name))

    def check_losses(self, outputs: dict[str, Output], targets: dict[str, Value]) -> None:
        """Raises ModelError where a loss cannot be computed or has no gradient, naming it."""
        for target in self.targets:
            output = outputs[target.name]
            if target.name in self._own_losses and isinstance(output, dict):
                check_losses(output, self.author(target.name), _samples(targets), first=True)
            target.check_loss(outputs[target.name], targets[target.name])

    def dead(self) -> list[TrainwrightError]:
        """Losses and weights of classes that a model with losses of its own has not looked at."""
        name = self.model_spec["name"]
        asked = registry.describe("model", name).positional
        found: list[TrainwrightError] = []
        for target in self.targets:
            if target.name not in self._own_losses:
                continue
            loss = target.loss
            weighed = self.sections[target.name].class_weights != "none"
            for key, is_dead in (
                ("loss", target.named_loss and loss is not None and not loss.called),
                ("class_weights", weighed and "class_weights" not in asked),
            ):
                if is_dead:
                    found.append(
                        ModelError(
                            f"`{key}` of target {target.name!r} has no effect",
                            where=f"data.targets.{target.name}.{key}",
                            why=f"model {name} learns it by a loss of its own, and makes no use of this",
                            fix=f"remove it, or let the model ask for `{'losses' if key == 'loss' else key}`",
                        )
                    )
        return found

    def doubts(self, outputs: dict[str, Output]) -> list[str]:
        """What looks like a mistake in the model's first outputs."""
        found = [target.doubt(outputs[target.name]) for target in self.targets]
        return [doubt for doubt in found if doubt is not None]

    def facts(self) -> list[str]:
        """Loss and metrics of every target."""
        return [
            f"target {target.name}: loss {self._loss_name(target)}, "
            f"metrics {', '.join(target.metric_names) or 'none'}"
            + (f", weight {target.weight:g}" if len(self.targets) > 1 else "")
            for target in self.targets
        ]

    def _loss_name(self, target: LearnedTarget) -> str:
        if target.name in self._own_losses and not target.named_loss:
            return "of its head"
        return target.loss_name

    def monitor(self) -> tuple[str, str]:
        """The leading metric of a single target where its type has one, else the loss."""
        single = self.targets[0] if len(self.targets) == 1 else None
        if single is not None:
            for metric, name in MONITORED.get(single.spec.type, ()):
                if metric in single.metric_names or single.spec.type == "category":
                    return name, "max"
        return "loss", "min"


def _samples(columns: dict[str, Value]) -> int:
    """Size of the batch axis, which a batch that is padded does not know."""
    return len(next(iter(tensors_of(columns).values())))


def _add(total: Tensor | None, each: Tensor, weight: float) -> Tensor:
    weighted = each if weight == 1.0 else each * weight
    return weighted if total is None else total + weighted


def _without_masks(truth: Value, output: Value) -> Value:
    if isinstance(truth, dict) and isinstance(output, dict) and "similarity" in output:
        return {part: tensor for part, tensor in truth.items() if part != "masks"}
    return truth

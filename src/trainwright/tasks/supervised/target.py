"""One target: which part of the model's output is its own, how it is learned, how it is scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from trainwright import registry
from trainwright.data.batch import Value
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError, RecipeError, TrainwrightError
from trainwright.losses import DEFAULTS, RAW_SCORES, default_loss
from trainwright.metrics import default_metrics
from trainwright.models.heads.author import Author
from trainwright.models.widths import VECTORS, output_width
from trainwright.recipe.schema import Target
from trainwright.tasks.supervised.class_weights import class_weights
from trainwright.tasks.supervised.loss_form import check_first
from trainwright.tasks.supervised.mask_errors import mask_errors
from trainwright.tasks.supervised.picture_borders import has_boxes, within_picture
from trainwright.tasks.supervised.picture_errors import picture_errors
from trainwright.tasks.supervised.recipe_loss import RecipeLoss, column_function, recipe_loss
from trainwright.wording import counted

PLAIN = (*VECTORS, "image")
"""Column types whose answer is one tensor that a loss of the recipe reads."""

Output = Value
"""Of one target: a tensor `[B, K]`, or pictures `[B, C, H, W]`, that the loss reads. Of a head with a loss of
its own: `loss` `[B]`, `loss_NAME` `[B]` and the parts of the answer (one tensor alone is called `answer`)."""


@dataclass
class LearnedTarget:
    """One target.

    Attributes:
        name: The column.
        spec: What it looks like.
        part: Its numbers among those that a model gives side by side.
        loss: Of an output that is one tensor, per sample; None where only a head of its own can learn it.
        metrics: Functions of answer and truth over a whole split.
        weight: In the total loss.
        class_weights: Of the loss `[C]`, None where all classes count alike.
        decode: From model-side values to the target's own unit.
        loss_name: What the recipe calls the loss.
        named_loss: The recipe names it.
        metric_names: What the recipe calls the metrics.
    """

    name: str
    spec: TensorSpec
    part: slice
    loss: RecipeLoss | None
    metrics: list[Callable[..., dict[str, float]]]
    weight: float
    class_weights: Tensor | None
    decode: Callable[[Any], Any] | None = None
    loss_name: str = ""
    named_loss: bool = False
    metric_names: tuple[str, ...] = ()

    @property
    def compares(self) -> bool:
        """Whether of an answer that is one tensor only its errors are kept."""
        return self.spec.type in ("mask", "image")

    def per_sample(self, output: Output, target: Value) -> Tensor:
        """Loss of each sample `[B]`."""
        if isinstance(output, dict):
            return output["loss"]
        assert self.loss is not None
        if self.spec.type == "distribution" and isinstance(target, dict):
            target = target["probabilities"]
        try:
            if self.class_weights is None:
                return self.loss(output, target)
            if self.class_weights.device != output.device:
                self.class_weights = self.class_weights.to(output.device)
            return self.loss(output, target, self.class_weights)
        except ModelError as error:
            error.where = error.where or self.loss.where
            raise

    @property
    def loss_told(self) -> str:
        """The loss of the recipe in words, with file and line where it is a user's own."""
        return self.loss.told if self.loss is not None else "the loss"

    def check_loss(self, output: Output, target: Value) -> None:
        """Raises ModelError where the loss fails, gives no value per sample, has no gradient or is NaN."""
        where = f"data.targets.{self.name}.loss"
        try:
            loss = self.per_sample(output, target)
        except TrainwrightError:
            raise
        except (Exception, SystemExit) as error:
            said = ": ".join([type(error).__name__, *str(error).strip().splitlines()[:1]])
            raise ModelError(
                f"{self.loss_told} fails on outputs and targets of two samples",
                where=where,
                why=said,
                fix="a loss is called with (output, target), and gives [B]; docs/losses.md shows its forms",
            ) from error
        own = ":" in self.loss_name and not isinstance(output, dict)
        check_first(loss, output, target, self.loss_told, where, own=own)

    def kept(self, output: Output, target: Value) -> Output:
        """What scoring keeps of an output and its truth: of pictures how near they come, else all of it.

        Boxes end at the borders of their picture, as they do in answers without a truth.
        """
        if isinstance(output, dict) and isinstance(target, dict) and "frame" in target and has_boxes(output):
            return output | within_picture(output, target["frame"])
        answer = answer_of(output)
        if not self.compares or isinstance(answer, dict):
            return output
        assert isinstance(target, Tensor) and self.decode is not None
        if self.spec.type == "mask":
            return _losses_of(output) | mask_errors(answer, target, len(self.spec.classes), self.spec.void)
        losses = _losses_of(output) or {"loss": self.per_sample(output, target)}
        return losses | picture_errors(self.decode(answer), self.decode(target))

    def logs(self, output: Output, target: Value) -> dict[str, Tensor]:
        """What a step tells of its samples, each a detached sum over them."""
        if isinstance(output, dict):
            return {name: value.detach().sum() for name, value in output.items() if name.startswith("loss_")}
        if self.spec.type != "category":
            return {}
        assert isinstance(target, Tensor)
        return {"accuracy": output.detach().argmax(1).eq_(_true_class(target)).sum()}

    def score(self, output: Output, target: Value) -> dict[str, float]:
        """Metrics over a split."""
        answer: Any = answer_of(output)
        truth: Any = target
        if self.spec.type == "number" and self.decode is not None:
            # People read an RMSE in the target's own unit, not in standard deviations.
            answer, truth = self.decode(answer), self.decode(truth)
        elif self.spec.type == "distribution" and isinstance(answer, Tensor):
            answer, truth = answer.double().softmax(1).numpy(), truth["number"].numpy()
        values: dict[str, float] = {}
        for metric in self.metrics:
            values |= metric(answer, truth)
        return values

    def check(self, output: Output, head: Author | None = None) -> None:
        """Raises ModelError where an output that is one tensor cannot fit the target, naming both shapes.

        Args:
            output: Of the model.
            head: That gave it, where there is one for this target.
        """
        if isinstance(output, dict):
            return
        giver, where = (head.method("forward"), head.where) if head else ("the model", "model")
        shape, size = tuple(output.shape[1:]), output_width(self.spec)
        if self.spec.type == "image":
            # Height and width may be those of a window; the loss compares them.
            if len(shape) != 3 or shape[0] != self.spec.shape[0]:
                raise ModelError(
                    f"{giver} gives {list(shape)} per sample, target {self.name!r} is a picture of "
                    f"{list(self.spec.shape)}",
                    where=where,
                    fix="use dncnn, or pyramid, whose head `restore` answers with a picture",
                )
        elif shape != (size,):
            raise ModelError(
                f"{giver} gives {list(shape)} per sample, target {self.name!r} needs [{size}]",
                where=where,
                why=self.needs(),
                fix=f"let the last layer have {size if head else '`num_outputs`'} outputs",
            )

    def needs(self) -> str:
        """How many numbers its answer has, in words."""
        size = output_width(self.spec)
        return f"{self.name!r} has {f'{size} classes' if self.spec.classes else counted(size, 'number')}"

    def doubt(self, output: Output) -> str | None:
        """Probabilities where the loss takes raw scores: a softmax twice, which learns slowly."""
        if isinstance(output, dict) or self.loss_name not in RAW_SCORES or not _are_probabilities(output):
            return None
        return (
            f"the model gives probabilities for target {self.name!r}, and loss {self.loss_name} takes raw "
            "scores: leave out the model's last softmax"
        )


def learned_target(
    name: str, spec: TensorSpec, section: Target, offset: int, decode: Callable[[Any], Any] | None
) -> LearnedTarget:
    """How a target is learned and scored, by what the recipe says and its type's defaults.

    Args:
        name: The column.
        spec: What it looks like.
        section: The recipe's words on it.
        offset: Where its numbers begin among those that a model gives side by side.
        decode: From model-side values to its own unit.
    """
    loss_spec = section.loss or (default_loss(spec.type) if spec.type in DEFAULTS else None)
    specs = section.metrics if section.metrics is not None else default_metrics(spec.type, len(spec.classes))
    where, width = f"data.targets.{name}", output_width(spec) if spec.type in VECTORS else 0
    return LearnedTarget(
        name,
        spec,
        slice(offset, offset + width),
        recipe_loss(loss_spec, spec, f"{where}.loss") if loss_spec else None,
        [_metric(item, spec, decode, f"{where}.metrics") for item in _meant(name, spec, specs)],
        section.weight,
        class_weights(name, spec, section),
        decode,
        loss_spec["name"] if loss_spec else "",
        section.loss is not None,
        tuple(item["name"] for item in specs),
    )


def _meant(name: str, spec: TensorSpec, metrics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The metrics. Raises RecipeError where one is 1 whatever the model answers."""
    for item in metrics:
        guesses, classes = item.get("k", 0), len(spec.classes)
        if item["name"] == "top_k_accuracy" and guesses >= classes > 0:
            raise RecipeError(
                f"the right class is always among {guesses} guesses of {classes} classes",
                where=f"data.targets.{name}.metrics",
                why=f"top_{guesses}_accuracy would be 1 for any model",
                fix=f"give a k below {classes}" if classes > 2 else "use accuracy, which is k: 1",
            )
    return metrics


def _metric(
    item: dict[str, Any], spec: TensorSpec, decode: Callable[[Any], Any] | None, where: str
) -> Callable[..., dict[str, float]]:
    metric = column_function("metric", item, spec, where)
    if (
        spec.type != "distribution"
        or decode is None
        or "spec" in registry.describe("metric", item["name"]).positional
    ):
        return metric
    return lambda probabilities, truth: metric(decode(probabilities)[:, None], truth)


def answer_of(output: Output) -> Value:
    """The answer within an output."""
    return output.get("answer", output) if isinstance(output, dict) else output


def _losses_of(output: Output) -> dict[str, Tensor]:
    """The losses within an output of a head that has one of its own."""
    if not isinstance(output, dict):
        return {}
    return {name: part for name, part in output.items() if name == "loss" or name.startswith("loss_")}


def _true_class(target: Tensor) -> Tensor:
    """Class ids `[B]`; of mixed samples that of the largest share."""
    return target.argmax(1) if target.is_floating_point() else target


def _are_probabilities(output: Tensor) -> bool:
    """Whether several classes' outputs are non-negative and sum to 1 in every row, up to rounding."""
    values = output.detach().float()
    if values.dim() != 2 or values.shape[1] < 2:
        return False
    return bool((values >= 0).all()) and bool(((values.sum(1) - 1).abs() < 1e-3).all())

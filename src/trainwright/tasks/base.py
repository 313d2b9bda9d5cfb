"""What the one loop needs to know of a task, and nothing more."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor, nn

from trainwright.data.batch import Batch, Value
from trainwright.data.types import DataInfo
from trainwright.errors import TrainwrightError
from trainwright.models.heads.author import Author


@dataclass(slots=True)
class StepOutput:
    """Result of one forward pass.

    Attributes:
        loss: Loss of each sample `[B]`, whose mean is differentiated; or that mean itself, a scalar,
            where a sample has no loss of its own.
        logs: Detached values, each a sum over the batch's samples.
    """

    loss: Tensor
    logs: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Phase:
    """One optimizer's turn within a step.

    Attributes:
        name: Unique; prefixes the phase's logs when there is more than one.
        parameters: Names and parameters that the phase's optimizer owns.
        optimizer: Component spec, None for the recipe's `train.optimizer`.
        every: The phase runs at steps that are a multiple of this.
    """

    name: str
    parameters: tuple[tuple[str, nn.Parameter], ...]
    optimizer: dict[str, Any] | None = None
    every: int = 1


class Task(ABC):
    """What is learned: builds a model, defines a step, scores and predicts.

    Attributes:
        weighs_samples: Whether the loss heeds `Batch.weights`.
    """

    weighs_samples: ClassVar[bool] = False

    @abstractmethod
    def build(self, data: DataInfo) -> nn.Module:
        """The model with initial weights. Draws only from the default generators."""

    def phases(self, model: nn.Module) -> list[Phase]:
        """One phase over all trainable parameters, unless the task says otherwise."""
        owned = tuple((name, p) for name, p in model.named_parameters() if p.requires_grad)
        return [Phase("train", owned)]

    @abstractmethod
    def training_step(self, model: nn.Module, batch: Batch, phase: Phase) -> StepOutput:
        """Forward pass and loss of one micro-batch, in training mode."""

    @abstractmethod
    def predict(self, model: nn.Module, batch: Batch) -> dict[str, Value]:
        """Raw outputs per target `[B, ...]`, in evaluation mode and without gradients.

        Where the batch knows the truth, an output may hold what scoring needs in place of a large answer.
        """

    def kept(self, targets: dict[str, Value], outputs: dict[str, Value]) -> dict[str, Value]:
        """What scoring needs of a batch's truth beside the outputs of `predict`."""
        return targets

    @abstractmethod
    def score(self, outputs: dict[str, Value], targets: dict[str, Value]) -> dict[str, float]:
        """Metrics over a whole split, `loss` among them; names without the split's prefix."""

    def per_sample_losses(self, outputs: dict[str, Value], targets: dict[str, Value]) -> dict[str, Tensor]:
        """Loss of each sample `[n]` per target, where a sample has one of its own."""
        return {}

    @abstractmethod
    def monitor(self) -> tuple[str, str]:
        """The metric that tells the best checkpoint, without prefix, and `min` or `max`."""

    def author(self, target: str) -> Author:
        """Who answers for a target: a head of the model, or all of it."""
        return Author("the model", "model", nn.Module)

    def loss_method(self, target: str = "") -> str:
        """What computes the loss of a target, in words; of the only one when none is named."""
        return "the loss"

    def check_answers(  # noqa: B027 - most tasks fit by design
        self, outputs: dict[str, Value], *, plain: bool, samples: int
    ) -> None:
        """Raises ModelError where what was answered cannot be read, saying who answers so.

        Args:
            outputs: Of `predict` in evaluation mode, of some samples or of a whole split.
            plain: The truth was not given.
            samples: Their number.
        """

    def check_outputs(self, outputs: dict[str, Value]) -> None:  # noqa: B027 - most tasks fit by design
        """Raises ModelError where the model's outputs cannot fit the targets."""

    def check_losses(  # noqa: B027 - most tasks bring losses of their own
        self, outputs: dict[str, Value], targets: dict[str, Value]
    ) -> None:
        """Raises ModelError where a loss of the recipe cannot be computed, or has no gradient."""

    def dead(self) -> list[TrainwrightError]:
        """What the recipe sets and nothing made use of; asked after a training step and an evaluation."""
        return []

    def doubts(self, outputs: dict[str, Value]) -> list[str]:
        """What works with these first outputs, but perhaps not as meant."""
        return []

    def facts(self) -> list[str]:
        """How each target is learned and scored, in words."""
        return []

    def stateful(self) -> Iterable[tuple[str, Any]]:
        """Objects of the task, besides the model, whose `state_dict` belongs to a checkpoint."""
        return ()

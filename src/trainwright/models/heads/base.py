"""What a head gives that has a loss of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from trainwright.data.batch import Value

Features = list[Tensor]
"""Maps `[B, C_i, h_i, w_i]` of one image batch, the finest first."""


class Head(nn.Module, ABC):
    """From feature maps to one target, with a loss of its own.

    Loss and answer are computed in float32 whatever the precision of the maps, and no value of one sample
    depends on another sample of the batch, so that the order of the data changes nothing but rounding.
    """

    @abstractmethod
    def loss(self, features: Features, target: Value) -> Tensor | dict[str, Tensor]:
        """How far the answer is from the truth.

        Args:
            features: Maps as the neck gives them.
            target: The column's batch, as its processor's `to_tensor` gives it.

        Returns:
            Loss of each sample `[B]`, or several by name, which are added up and logged apart.
        """

    @abstractmethod
    def predict(self, features: Features) -> Value:
        """The answer in the form of the target: one tensor `[B, ...]`, or several of fixed shape by name."""

    def compare(self, answer: Value, target: Value) -> Value:
        """What scoring keeps of an answer and its truth, small where the answer is large.

        Metrics get it as their `output`. Runs per batch, without gradients.
        """
        return answer

    def judge(self, features: Features, target: Value) -> tuple[Tensor | dict[str, Tensor], Value]:
        """Loss, and what scoring keeps; a head overrides it where both share work."""
        return self.loss(features, target), self.compare(self.predict(features), target)


def learns(head: nn.Module) -> bool:
    """Whether a head has a loss of its own."""
    return callable(getattr(head, "loss", None)) and callable(getattr(head, "predict", None))


def judged(head: nn.Module, features: Features, target: Value | None, *, answer: bool) -> dict[str, Tensor]:
    """Loss and answer of a head that has a loss of its own, as one flat mapping.

    Args:
        head: Such a head.
        features: Maps.
        target: The truth; None where it is not known, and there is no loss then.
        answer: Whether the answer is wanted beside the loss.

    Returns:
        `loss` `[B]` and, where there are several, `loss_NAME` `[B]`; the parts of the answer by their
        names, a single tensor as `answer`.
    """
    if target is None:
        return _answers(head.predict(features))
    if not answer:
        return _losses(head.loss(features, target))
    if hasattr(head, "judge"):
        loss, kept = head.judge(features, target)
    else:
        loss, kept = head.loss(features, target), head.predict(features)
        kept = head.compare(kept, target) if hasattr(head, "compare") else kept
    return _losses(loss) | _answers(kept)


def _losses(loss: Tensor | dict[str, Tensor]) -> dict[str, Tensor]:
    if not isinstance(loss, dict):
        return {"loss": loss}
    parts = list(loss.values())
    return {f"loss_{name}": value for name, value in loss.items()} | {"loss": sum(parts[1:], parts[0])}


def _answers(answer: Value) -> dict[str, Tensor]:
    return answer if isinstance(answer, dict) else {"answer": answer}

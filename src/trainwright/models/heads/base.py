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
    found: dict[str, Tensor] = {}
    if target is not None:
        each = head.loss(features, target)
        if isinstance(each, dict):
            found |= {f"loss_{name}": value for name, value in each.items()}
            each = sum(each.values())
        found["loss"] = each
    if answer or target is None:
        given = head.predict(features)
        if target is not None and hasattr(head, "compare"):
            given = head.compare(given, target)
        found |= given if isinstance(given, dict) else {"answer": given}
    return found

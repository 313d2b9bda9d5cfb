"""What a head gives that has a loss of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from trainwright.data.batch import Value
from trainwright.errors import ModelError
from trainwright.models.heads.author import author_of

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
        return _answers(head, "predict", head.predict(features))
    if not answer:
        return _losses(head, head.loss(features, target))
    if hasattr(head, "judge"):
        told = head.judge(features, target)
        if not isinstance(told, tuple) or len(told) != 2:
            raise _misfit(head, "judge", told, "give a pair: the loss, and what scoring keeps")
        loss, kept, method = *told, "judge"
    else:
        loss, kept, method = head.loss(features, target), head.predict(features), "predict"
        if hasattr(head, "compare"):
            _answers(head, method, kept)
            kept, method = head.compare(kept, target), "compare"
    return _losses(head, loss) | _answers(head, method, kept)


def _losses(head: nn.Module, loss: Tensor | dict[str, Tensor]) -> dict[str, Tensor]:
    if isinstance(loss, Tensor):
        return {"loss": loss}
    if not _are_tensors(loss):
        raise _misfit(head, "loss", loss, "return a tensor [B], or several of them by name: {part: [B]}")
    parts = list(loss.values())
    return {f"loss_{name}": value for name, value in loss.items()} | {"loss": sum(parts[1:], parts[0])}


def _answers(head: nn.Module, method: str, answer: Value) -> dict[str, Tensor]:
    if isinstance(answer, Tensor):
        return {"answer": answer}
    if not _are_tensors(answer):
        raise _misfit(head, method, answer, "return a tensor [B, ...], or several of them by name")
    return answer


def _are_tensors(value: object) -> bool:
    """Whether a value is several tensors by name, at least one."""
    if not isinstance(value, dict) or not value:
        return False
    return all(isinstance(name, str) and isinstance(part, Tensor) for name, part in value.items())


def _misfit(head: nn.Module, method: str, value: object, fix: str) -> ModelError:
    author = author_of(head)
    if isinstance(value, dict):
        gives = f"a dict of {', '.join(f'{k}: {type(v).__name__}' for k, v in value.items()) or 'nothing'}"
    else:
        gives = "None" if value is None else f"a {type(value).__name__}"
    return ModelError(
        f"{author.method(method) if author else f'`{method}` of the head'} gives {gives}",
        where=author.where if author else "model",
        why="what it gives has to be one tensor, or a dict of tensors",
        fix=fix,
    )

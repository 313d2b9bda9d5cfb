"""Whether the first answers of a model can be written into the table of predictions."""

from __future__ import annotations

from collections.abc import Mapping

from trainwright.data.types import Processor
from trainwright.engine.layer_trail import words_of
from trainwright.engine.preflight import FirstAnswers
from trainwright.errors import ModelError, TrainwrightError
from trainwright.inference.answers import answer_columns
from trainwright.tasks.base import Task


def check_columns(task: Task, targets: Mapping[str, Processor], first: FirstAnswers | None) -> None:
    """Makes the columns of a model's first answers, with and without a truth, and throws them away.

    Args:
        task: Knows who answers.
        targets: Fitted processor of each target.
        first: What the model said; None where that was looked at before.

    Raises:
        ModelError: An answer cannot be told; says whose it is.
    """
    if first is None:
        return
    losses = task.per_sample_losses(first.kept, first.truth) if first.truth else {}
    for name, processor in targets.items():
        author = task.author(name)
        try:
            answer_columns(name, processor, first.plain[name])
            answer_columns(name, processor, first.kept[name], first.truth[name], losses.get(name))
        except TrainwrightError:
            raise
        except Exception as error:
            raise ModelError(
                f"the answer of {author.name} for target {name!r} cannot be told",
                where=author.where,
                why=words_of(error),
                fix="answer in the form of the target's type, which docs/heads.md describes",
            ) from error

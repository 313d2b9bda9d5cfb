"""Answers of several batches have one shape per sample, so that they can be laid one behind the other."""

from __future__ import annotations

from trainwright.data.batch import Value, tensors_of
from trainwright.errors import ModelError
from trainwright.tasks.base import Task

_FIX = (
    "answer with a fixed number of places, a parameter such as `detections`, and fill those without an object"
)


def refuse_other_shapes(
    task: Task, outputs: dict[str, Value], first: dict[str, Value], samples: int | None = None
) -> None:
    """Raises ModelError where the answer to one batch has other shapes than that to an earlier one.

    Args:
        task: Knows who answers.
        outputs: Of a batch.
        first: Of an earlier one.
        samples: Size of the batch; not looked at when None.
    """
    for name, value in outputs.items():
        shapes, before = (
            {part: tuple(tensor.shape[1:]) for part, tensor in tensors_of({"": item}).items()}
            for item in (value, first.get(name, {}))
        )
        lengths = {len(tensor) if tensor.dim() else 0 for tensor in tensors_of({"": value}).values()}
        if shapes == before and (samples is None or lengths == {samples}):
            continue
        author = task.author(name)
        parts = [part for part in {*shapes, *before} if shapes.get(part) != before.get(part)]
        part = min(parts, default="")
        told = part.removeprefix(".") or "the answer"
        if parts:
            what = f"gives {told} of {_shape(shapes, part)} per sample, and of {_shape(before, part)} before"
        else:
            what = f"answers {samples} samples with {min(lengths)} values"
        raise ModelError(
            f"{author.method(author.teller())} {what}",
            where=author.where,
            why="the answers of all batches are laid one behind the other",
            fix=_FIX,
        )


def _shape(shapes: dict[str, tuple[int, ...]], part: str) -> str:
    return str(list(shapes[part])) if part in shapes else "no shape"

"""Learned vectors for category and text inputs, as an encoder."""

from __future__ import annotations

from torch import Tensor, nn

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.fields import PositiveInt
from trainwright.models.inputs import FlattenInputs


class MeanOfWords(nn.Module):
    """The mean of the vectors of a text's words; 0 where it has none.

    Args:
        words: Number of ids, of which 0 is no word.
        width: Length of a vector.
    """

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(words, width, padding_idx=0)
        self.out_features = width

    def forward(self, ids: Tensor) -> Tensor:
        """Ids `[B, L]` to `[B, width]`."""
        present = (ids != 0).sum(dim=1, keepdim=True).clamp(min=1)
        mean: Tensor = self.vectors(ids).sum(dim=1) / present
        return mean


def embedding(inputs: dict[str, TensorSpec], *, width: PositiveInt = 8) -> nn.Module:
    """One learned vector per class, or the mean of one per word of a text.

    Args:
        inputs: Category columns, of which several are concatenated; or one text column.
        width: Length of a vector.

    Raises:
        ModelError: A column is neither, or there are several with a text among them.
    """
    specs = list(inputs.values())
    if len(specs) == 1 and specs[0].type == "text":
        return MeanOfWords(len(specs[0].classes), width)
    for name, spec in inputs.items():
        if spec.type != "category":
            raise ModelError(
                f"an embedding reads class ids or one text, but the input {name!r} is of type {spec.type}",
                where="model.encoders",
                fix="use an encoder per column: mlp for numbers, cnn for images",
            )
    return FlattenInputs(inputs, "embedding", width)

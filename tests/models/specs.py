"""Descriptions of inputs that the tests of models share."""

from trainwright.data.types import TensorSpec

GREY = TensorSpec("image", (1, 28, 28))
COLOUR = TensorSpec("image", (3, 32, 32))
FOUR = TensorSpec("number", (4,))
ONE = TensorSpec("number", (1,))
ABC = TensorSpec("category", (), "int64", ("a", "b", "c"))


def parameters(model):
    """Number of trainable and frozen parameters."""
    return sum(p.numel() for p in model.parameters())

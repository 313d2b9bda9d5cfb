"""The mean of a text's vectors, by hand; texts are refused where their ids would be quantities."""

import pytest
import torch

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.embedding import embedding
from trainwright.models.mlp import mlp

TEXT = TensorSpec("text", (4,), "int64", ("", "<unknown>", "a", "b"))
CLASS = TensorSpec("category", (), "int64", ("x", "y"))


def test_the_mean_of_the_words_without_the_padding():
    net = embedding({"t": TEXT}, width=3)
    out = net(torch.tensor([[2, 3, 2, 0], [0, 0, 0, 0]]))
    vectors = net.vectors.weight.detach()
    torch.testing.assert_close(out[0], (2 * vectors[2] + vectors[3]) / 3)
    assert not out[1].any()


def test_a_text_is_no_vector_of_numbers():
    with pytest.raises(ModelError, match="is a text") as error:
        mlp({"t": TEXT}, 2, hidden=[4])
    assert "embedding" in error.value.fix
    with pytest.raises(ModelError, match="is a text"):
        mlp({"t": TEXT, "c": CLASS}, 2, hidden=[4])
    with pytest.raises(ModelError, match="of type text"):
        embedding({"t": TEXT, "c": CLASS})

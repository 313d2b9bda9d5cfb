"""What a constructor gives has to be a module; how one that raises is mended."""

import pytest
from torch import nn

from trainwright.errors import ModelError
from trainwright.models.constructed import as_module, mend_constructor


def test_a_module_stays_what_it_is_and_anything_else_is_named():
    layer = nn.Linear(1, 1)
    assert as_module(layer, "linear", "model") is layer
    with pytest.raises(ModelError, match=r"mine:make gave int, which is no torch\.nn\.Module") as error:
        as_module(3, "mine:make", "model.encoder")
    assert error.value.where == "model.encoder"


def test_a_constructor_that_forgot_its_base_class_is_told_so():
    class Forgets(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError) as error:
        Forgets()
    assert mend_constructor(error.value, "look") == "call super().__init__() first in its __init__"
    assert mend_constructor(ValueError("x"), "look") == "look"

import pytest

from trainwright import registry
from trainwright.errors import RecipeError

pytestmark = pytest.mark.usefixtures("samples")

MODULE = """
from pathlib import Path
from typing import Any

def record(
    params, *, betas: tuple[float, float] = (0.9, 0.99), place: Path = Path("x"), options: dict[str, Any] = {}
):
    return {"params": params, "betas": betas, "place": place, "options": options}

def timm_like(num_classes, *, architecture: str, pretrained: bool = False):
    return (num_classes, architecture, pretrained)
"""


def test_values_arrive_as_the_signature_asks(user_module):
    user_module("my_parts", MODULE)
    built = registry.build(
        "optimizer", {"name": "my_parts:record", "betas": [0, 1], "place": "a/b"}, params=[1]
    )
    assert built["betas"] == (0.0, 1.0)
    assert str(built["place"]) == "a/b" and not isinstance(built["place"], str)
    assert built["params"] == [1]


def test_only_what_the_signature_names_is_passed(user_module):
    user_module("my_parts", MODULE)
    assert registry.build("optimizer", "my_parts:record", params=[], other=1)["params"] == []


def test_what_is_missing_is_named(user_module):
    user_module("my_parts", MODULE)
    with pytest.raises(RecipeError, match="needs `params`"):
        registry.build("optimizer", "my_parts:record")


def test_spec_is_checked(user_module):
    user_module("my_parts", MODULE)
    with pytest.raises(RecipeError, match="unknown parameter"):
        registry.build("optimizer", {"name": "my_parts:record", "beta": 1}, params=[], where="task.optimizer")


def test_foreign_name_is_given_to_the_adapter():
    values = registry.arguments("model", {"name": "resnet18", "pretrained": True})
    assert values == {"architecture": "resnet18", "pretrained": True}


def test_built_in_component_is_imported_only_when_built():
    with pytest.raises(ModuleNotFoundError):
        registry.build("optimizer", "sgd", params=[])

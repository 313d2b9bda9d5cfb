import json
from typing import Any

import pytest

from trainwright.recipe import json_schema

pytestmark = pytest.mark.usefixtures("samples")


def test_is_json_and_every_reference_exists():
    schema = json.loads(json.dumps(json_schema()))
    known = {f"#/$defs/{name}" for name in schema["$defs"]}
    assert {item["$ref"] for item in walk(schema) if "$ref" in item} <= known
    assert not [item for item in walk(schema) if isinstance(item.get("component"), str)]


def walk(node: Any) -> list[dict[str, Any]]:
    found = [node] if isinstance(node, dict) else []
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        found += walk(item)
    return found


def test_component_has_its_parameters():
    options = json_schema()["$defs"]["optimizer"]["anyOf"]
    assert {"enum": ["sgd", "adamw"]} in options
    sgd = next(item for item in options if item.get("title") == "optimizer sgd")
    assert sgd["description"] == "Gradient descent."
    assert sgd["additionalProperties"] is False
    assert sgd["properties"]["name"] == {"const": "sgd"}
    lr = sgd["properties"]["lr"]
    assert (lr["type"], lr["exclusiveMinimum"], lr["default"]) == ("number", 0, 0.01)
    assert lr["description"] == "Learning rate, over two lines."


def test_column_has_its_own_keys_and_the_processor_s():
    target = json_schema()["$defs"]["Target"]["anyOf"]
    category = next(item for item in target if item.get("title") == "processor category")
    assert {"type", "classes", "loss", "weight"} <= set(category["properties"])


def test_nested_components_are_defined():
    definitions = json_schema()["$defs"]
    assert "aggregator" in definitions
    text = json.dumps(definitions["task"])
    assert "#/$defs/aggregator" in text


def test_descriptions_are_there():
    train = json_schema()["$defs"]["Train"]
    assert all("description" in item or "$ref" in item for item in train["properties"].values())

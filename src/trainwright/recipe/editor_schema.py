"""JSON Schema of recipes, for completion and checks in editors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from trainwright import registry
from trainwright.recipe.schema import Column, Recipe, Target
from trainwright.registry.checking import adapter, is_plain, plain
from trainwright.registry.info import UNANNOTATED, ComponentInfo
from trainwright.registry.tables import FOREIGN

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_OWN = {"type": "string", "pattern": "^[\\w.]+:[\\w.]+$", "description": "Your own: module:attribute"}

Schema = dict[str, Any]


def json_schema() -> Schema:
    """JSON Schema of a recipe: the sections, and every component that ships with its parameters."""
    root = Recipe.model_json_schema()
    definitions = root.setdefault("$defs", {})
    for section in (Column, Target):
        definitions[section.__name__] = _column(section, definitions[section.__name__])
    root = _with_components(root, definitions)
    # Components hold components: definitions are added while they are looked through.
    done: set[str] = set()
    while pending := [name for name in definitions if name not in done]:
        for name in pending:
            definitions[name] = _with_components(definitions[name], definitions)
            done.add(name)
    root["properties"]["extends"] = {"type": "string", "description": Recipe.read_before["extends"]}
    root["required"] = []  # a recipe that extends another may give any few keys
    return {"$schema": DIALECT, **root, "$defs": definitions}


def _with_components(node: Any, definitions: dict[str, Schema]) -> Any:
    """Replaces each placeholder `{"component": kind}` by a reference to the schema of the kind."""
    if isinstance(node, list):
        return [_with_components(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$defs" in node:
        node = {key: item for key, item in node.items() if key != "$defs"}
    kind = node.get("component")
    if kind not in registry.kinds():
        return {key: _with_components(item, definitions) for key, item in node.items()}
    if kind not in definitions:
        definitions[kind] = _component(kind)
    rest = {key: item for key, item in node.items() if key != "component"}
    return {"$ref": f"#/$defs/{kind}", **rest}


def _component(kind: str) -> Schema:
    """A name alone, or a mapping for each component of the kind."""
    names = registry.names(kind)
    options: list[Schema] = [{"enum": names}] if names else []
    options += [_mapping(registry.describe(kind, name), {"const": name}) for name in names]
    options += [_OWN, {"type": "object", "properties": {"name": _OWN}, "required": ["name"]}]
    if kind in FOREIGN:
        example = next(iter(registry.timm_names()), None)
        options.append({"type": "string", "description": "Any model of timm"})
        if example:
            not_ours = {"type": "string", "not": {"enum": names}}
            options.append(_mapping(registry.describe(kind, example), not_ours))
    return {"title": kind, "anyOf": options}


def _mapping(info: ComponentInfo, name: Schema, key: str = "name") -> Schema:
    parameters = {item.name: _parameter(item) for item in info.parameters}
    return {
        "type": "object",
        "title": f"{info.kind} {info.name}",
        "description": info.summary,
        "properties": {key: name, **parameters},
        "required": [item.name for item in info.parameters if item.required],
        "additionalProperties": False,
    }


def _parameter(item: registry.Parameter) -> Schema:
    schema: Schema = {} if item.annotation is UNANNOTATED else adapter(item.annotation).json_schema()
    if item.doc:
        schema["description"] = item.doc
    if not item.required and is_plain(item.default):
        schema["default"] = plain(item.default)
    return schema


def _column(section: type[BaseModel], schema: Schema) -> Schema:
    """A column is its own keys and those of the processor that its `type` names."""
    own = {key: item for key, item in schema["properties"].items() if key != "type"}
    names = registry.names("processor")
    options: list[Schema] = [
        {"enum": names},
        {"type": "object", "properties": {"type": _OWN}, "required": ["type"]},
    ]
    for name in names:
        option = _mapping(registry.describe("processor", name), {"const": name}, "type")
        option["properties"] = {**option["properties"], **own}
        option["required"] = ["type", *option["required"]]
        options.append(option)
    return {"title": section.__name__, "description": schema.get("description", ""), "anyOf": options}

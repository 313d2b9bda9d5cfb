"""What is read from a component's source is what Python says of it after an import."""

from __future__ import annotations

import importlib
import inspect

import pytest

from trainwright import registry
from trainwright.registry.info import REQUIRED
from trainwright.registry.tables import POSITIONAL, TABLES

ENTRIES = [(kind, name, target) for kind, table in TABLES.items() for name, target in table.items()]


@pytest.mark.parametrize(("kind", "name", "target"), ENTRIES)
def test_read_and_imported_signatures_agree(kind: str, name: str, target: str):
    info = registry.describe(kind, name)
    module, _, attribute = target.partition(":")
    component = getattr(importlib.import_module(module), attribute)
    if inspect.isclass(component) and "__init__" not in vars(component):
        component = next(base for base in component.__mro__ if "__init__" in vars(base))
    signature = inspect.signature(component)
    own = [item for item in signature.parameters.values() if item.kind is item.KEYWORD_ONLY]
    assert [item.name for item in info.parameters] == [item.name for item in own]
    for read, said in zip(info.parameters, own, strict=True):
        assert read.required == (said.default is said.empty)
        if not read.required:
            assert read.default == said.default and read.default is not REQUIRED
    filled = [item.name for item in signature.parameters.values() if item.kind is not item.KEYWORD_ONLY]
    assert set(info.positional) == set(filled) <= set(POSITIONAL[kind])

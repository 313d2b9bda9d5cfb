"""Every component that ships can be described without importing it, and is written as the contract says."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from trainwright import registry
from trainwright.registry.checking import convert, is_plain
from trainwright.registry.dead_values import holds, names_in
from trainwright.registry.source_reading import source_path
from trainwright.registry.tables import FOREIGN, POSITIONAL, TABLES

ENTRIES = [(kind, name, target) for kind, table in TABLES.items() for name, target in table.items()]
FOREIGN_ENTRIES = [(kind, "resnet18", target) for kind, target in FOREIGN.items()]


def described(kind: str, name: str, target: str) -> registry.ComponentInfo:
    if not source_path(target.partition(":")[0]).exists():
        pytest.skip(f"{target} is not written yet")
    return registry.describe(kind, name)


@pytest.mark.parametrize(("kind", "name", "target"), ENTRIES + FOREIGN_ENTRIES)
def test_entry_is_written_as_a_component(kind: str, name: str, target: str):
    info = described(kind, name, target)
    assert info.summary, "a component has a docstring"
    assert info.target == target
    for parameter in info.parameters:
        assert parameter.name not in ("name", "type")
        assert parameter.text, f"{parameter.name} has no annotation"
        if not parameter.required:
            assert is_plain(parameter.default), parameter.name


@pytest.mark.parametrize(("kind", "name", "target"), ENTRIES + FOREIGN_ENTRIES)
def test_defaults_satisfy_their_annotations(kind: str, name: str, target: str):
    for parameter in described(kind, name, target).parameters:
        if not parameter.required:
            try:
                convert(parameter.annotation, parameter.default)
            except ValidationError as error:
                pytest.fail(f"{parameter.name}: {error}")


@pytest.mark.parametrize(("kind", "name", "target"), ENTRIES + FOREIGN_ENTRIES)
def test_dead_when_reads_parameters_only(kind: str, name: str, target: str):
    info = described(kind, name, target)
    defaults = {item.name: item.default for item in info.parameters}
    for parameter, condition in info.dead_when.items():
        assert info.parameter(parameter) is not None
        assert names_in(condition) <= set(defaults)
        holds(condition, defaults)


def test_every_kind_has_a_table_and_its_filled_names():
    assert set(TABLES) == set(POSITIONAL)
    assert set(FOREIGN) <= set(TABLES)


def test_describing_everything_imports_no_heavy_package():
    code = """
import sys
for name in ("torch", "timm", "torchvision", "pandas", "matplotlib", "sklearn"):
    sys.modules[name] = None
from trainwright import registry
from trainwright.registry.source_reading import source_path
for kind in registry.kinds():
    for name, target in registry.TABLES[kind].items():
        if source_path(target.partition(":")[0]).exists():
            registry.describe(kind, name)
assert not any(name.startswith("trainwright.engine") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)

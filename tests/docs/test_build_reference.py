"""The reference that is committed is what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from trainwright import registry

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference.md"


def test_the_page_is_up_to_date():
    spec = importlib.util.spec_from_file_location("build_reference", PAGE.with_name("build_reference.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert PAGE.read_text() == module.reference(), "run: python docs/build_reference.py"


def test_every_source_and_processor_is_in_it():
    text = PAGE.read_text()
    names = [f"### {kind}.{name}\n" for kind in ("source", "processor") for name in registry.names(kind)]
    assert [name for name in names if name not in text] == []

"""Every shipped recipe is valid against the components that ship."""

import json
import subprocess
import sys

import pytest

from trainwright.recipe import json_schema, load, shipped_names


@pytest.mark.parametrize("name", shipped_names())
def test_is_valid_and_its_resolved_copy_is_the_same(name: str, tmp_path, monkeypatch):
    monkeypatch.setenv("DATA", "/data")
    monkeypatch.setenv("WEIGHTS", "/weights.safetensors")
    loaded = load(name)
    assert loaded.notices == []
    (tmp_path / "resolved.yaml").write_text(loaded.dump_resolved())
    assert load(tmp_path / "resolved.yaml").recipe == loaded.recipe


def test_loading_imports_no_heavy_package():
    code = """
import sys
for name in ("torch", "timm", "torchvision", "pandas", "matplotlib", "sklearn"):
    sys.modules[name] = None
from trainwright import recipe
loaded = recipe.load("digits")
recipe.identity(loaded, "d")
recipe.json_schema()
recipe.explain("optimizer.adamw")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_json_schema_of_what_ships():
    schema = json.loads(json.dumps(json_schema()))
    assert {"optimizer", "model", "loss", "metric", "schedule"} <= set(schema["$defs"])

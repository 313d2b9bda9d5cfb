"""The recipe on the page on tracking is valid, and names what the page tells of."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from trainwright import recipe as recipes
from trainwright import registry

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "tracking.md").read_text()


def test_its_recipe_is_valid():
    [shown] = re.findall(r"<!-- checked: \S+ -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)
    train = recipes.load(yaml.safe_load(shown)).recipe.train
    assert [item["name"] for item in train.sinks] == ["tensorboard"]
    assert [item["name"] for item in train.callbacks] == ["best", "threshold"]


def test_it_tells_of_every_sink_and_callback():
    for kind in ("sink", "callback"):
        for name in registry.names(kind):
            assert f"`{name}`" in PAGE or f"name: {name}" in PAGE

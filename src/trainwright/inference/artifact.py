"""What a run carries besides weights to answer for raw files: its processors and its execution."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trainwright import registry
from trainwright.data.types import Processor
from trainwright.errors import RunError
from trainwright.runs.atomic import write_json


def save_processors(
    path: Path, inputs: dict[str, Processor], targets: dict[str, Processor], columns: dict[str, str]
) -> None:
    """Writes `processors.json`.

    Args:
        path: The file.
        inputs: Input column -> fitted processor.
        targets: Target column -> fitted processor.
        columns: Column of the recipe -> column of the source.
    """
    write_json(
        path,
        {
            "inputs": {name: _describe(name, item, columns) for name, item in inputs.items()},
            "targets": {name: _describe(name, item, columns) for name, item in targets.items()},
        },
    )


def _describe(name: str, processor: Processor, columns: dict[str, str]) -> dict[str, Any]:
    return {"type": processor.type, "column": columns.get(name, name), "state": processor.state()}


def load_processors(path: Path) -> tuple[dict[str, Processor], dict[str, Processor], dict[str, str]]:
    """Inputs, targets and source columns from `processors.json`.

    Raises:
        RunError: The file is missing or damaged, or names a processor whose code is absent.
    """
    try:
        stored = json.loads(path.read_text())
        groups = [stored["inputs"], stored["targets"]]
    except (OSError, ValueError, KeyError) as error:
        raise RunError(
            "the run's processors cannot be read",
            where=str(path),
            why=str(error),
            fix="the run did not get as far as training; train it again",
        ) from error
    columns = {name: item["column"] for group in groups for name, item in group.items()}
    built = [{name: _rebuild(name, item) for name, item in group.items()} for group in groups]
    return built[0], built[1], columns


def _rebuild(name: str, item: dict[str, Any]) -> Processor:
    kind = registry.load(registry.describe("processor", item["type"]))
    processor: Processor = kind.from_state(item["state"])
    return processor

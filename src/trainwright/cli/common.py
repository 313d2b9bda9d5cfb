"""Arguments and outputs that several verbs share."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

DEFAULT_RUNS = "runs"


def add_runs_dir(parser: argparse.ArgumentParser) -> None:
    """The option that says where runs live."""
    parser.add_argument(
        "--runs-dir",
        metavar="DIR",
        default=os.environ.get("TRAINWRIGHT_RUNS", DEFAULT_RUNS),
        help="where runs live [TRAINWRIGHT_RUNS, else ./runs]",
    )


def add_index(parser: argparse.ArgumentParser, **default: Any) -> None:
    """The option that says where the index of runs is."""
    parser.add_argument(
        "--index",
        metavar="PLACE",
        help="index of runs: a file, postgresql://... or none [TRAINWRIGHT_INDEX, else in DIR]",
        **default,
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Options that stand for values of the recipe: where it is trained."""
    parser.add_argument(
        "--device", metavar="NAME", help="cpu, cuda, cuda:1, mps or auto; the same as train.device=NAME"
    )
    parser.add_argument(
        "--wait",
        metavar="MINUTES",
        help="wait so long for a GPU that nobody works on; the same as train.wait_minutes=MINUTES",
    )


def add_runs(parser: argparse.ArgumentParser, *, many: bool) -> None:
    """The runs that a verb works on."""
    parser.add_argument(
        "run" if not many else "runs",
        metavar="RUN",
        nargs="+" if many else None,
        help="path, id, name or salt of a run" + ("; globs too, quoted" if many else ""),
    )
    add_runs_dir(parser)


def say(text: str = "") -> None:
    """One line on stdout: a result, not a message."""
    sys.stdout.write(f"{text}\n")


def tell(text: str) -> None:
    """One line on stderr: a message beside the results."""
    sys.stderr.write(f"{text}\n")


def say_json(value: Any) -> None:
    """A value on stdout as strict JSON; NaN and infinities become null."""
    say(json.dumps(_finite(value), indent=1, ensure_ascii=False))


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns as wide as they need to be; numbers to the right."""
    cells = [list(header), *([_cell(value) for value in row] for row in rows)]
    numeric = [
        len(cells) > 1 and all(_is_number(row[index]) for row in cells[1:]) for index in range(len(header))
    ]
    widths = [max(len(row[index]) for row in cells) for index in range(len(header))]
    lines = (
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in cells
    )
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell == "-"
    return True


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

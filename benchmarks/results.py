"""The stored results: their schema, their statistics and their table.

Standard library only, so that it runs on machines that hold nothing but PyTorch.
"""

from __future__ import annotations

import dataclasses
import json
import re
import statistics
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SCHEMA = 1
FOLDER = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Machine:
    """What a result was measured on."""

    name: str
    cpu: str
    cores: int
    memory_gib: float
    accelerators: list[str]
    system: str
    python: str
    versions: dict[str, str]
    commit: str


@dataclass(frozen=True)
class Measurement:
    """One run of one contestant.

    Attributes:
        work: What was done, such as `W1`.
        contestant: Who did it.
        round: Number of the round; ratios are formed within a round.
        values: Measured numbers; the unit is the end of the name (`_s`, `us_per_step`, `_mib`).
        note: Settings worth knowing.
        error: Why there are no values.
    """

    work: str
    contestant: str
    round: int
    values: dict[str, float]
    note: str = ""
    error: str = ""


@dataclass(frozen=True)
class Results:
    """One session of measurements.

    Attributes:
        benchmark: The script that measured.
        options: Its command line's options.
        taken_at: ISO 8601 time in UTC.
        machine: What it was measured on.
        baseline: The contestant that ratios refer to.
        measurements: Every single run.
    """

    benchmark: str
    options: dict[str, str]
    taken_at: str
    machine: Machine
    baseline: str
    measurements: list[Measurement] = field(default_factory=list)
    schema: int = SCHEMA


@dataclass(frozen=True)
class Statistics:
    """Median and range of one value over the rounds, and the median of its per-round ratios."""

    median: float
    smallest: float
    largest: float
    ratio: float | None


def now() -> str:
    """The time for `taken_at`."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def summarise(results: Results, work: str, contestant: str, value: str) -> Statistics | None:
    """Statistics of one value, None where nothing was measured.

    The ratio is the median over rounds of value / value of the baseline in the same round, so that a
    slow minute of the machine that hits both leaves it unchanged.
    """
    mine = _by_round(results, work, contestant, value)
    if not mine:
        return None
    base = _by_round(results, work, results.baseline, value)
    ratios = [mine[number] / base[number] for number in mine if base.get(number)]
    found = list(mine.values())
    ratio = statistics.median(ratios) if ratios else None
    return Statistics(statistics.median(found), min(found), max(found), ratio)


def _by_round(results: Results, work: str, contestant: str, value: str) -> dict[int, float]:
    chosen = (m for m in results.measurements if (m.work, m.contestant) == (work, contestant))
    return {m.round: m.values[value] for m in chosen if value in m.values}


def table(results: Results, values: Sequence[str]) -> str:
    """A Markdown table per work: median (smallest to largest) and ratio to the baseline."""
    parts = []
    for work in _unique(m.work for m in results.measurements):
        names = _unique(m.contestant for m in results.measurements if m.work == work)
        shown = [v for v in values if any(summarise(results, work, name, v) for name in names)]
        lines = [f"| {work} | " + " | ".join(shown) + " |", "|---" * (len(shown) + 1) + "|"]
        for name in names:
            cells = [_cell(summarise(results, work, name, value)) for value in shown]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        failed = [m for m in results.measurements if m.work == work and m.error]
        lines += [f"\n{m.contestant} failed in round {m.round}: {m.error}" for m in failed]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _cell(found: Statistics | None) -> str:
    if found is None:
        return "-"
    ratio = "" if found.ratio is None else f" **{found.ratio:.2f}x**"
    return f"{_number(found.median)} ({_number(found.smallest)} to {_number(found.largest)}){ratio}"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def store(results: Results, folder: Path = FOLDER) -> Path:
    """Writes `<benchmark>-<date>-<machine>.json`; another one of the same day gets a number."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = re.sub(r"[^A-Za-z0-9]+", "-", results.machine.name).strip("-").lower()
    stem = f"{results.benchmark}-{results.taken_at[:10]}-{machine}"
    taken = {path.stem for path in folder.glob("*.json")}
    names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
    path = folder / f"{next(name for name in names if name not in taken)}.json"
    path.write_text(json.dumps(dataclasses.asdict(results), indent=1) + "\n")
    return path


def load(path: Path) -> Results:
    """Reads a stored file. Raises ValueError where it does not fit the schema."""
    found = json.loads(path.read_text())
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise ValueError(f"{path}: not a results file of schema {SCHEMA}")
    loaded: Results = _fit(Results, found, path.name)
    return loaded


def _fit(kind: Any, value: Any, where: str) -> Any:
    """`value` of JSON as `kind`, with every key and type checked."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _fit_dataclass(kind, value, where)
    if origin is list and isinstance(value, list):
        return [_fit(inner[0], item, f"{where}[{i}]") for i, item in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {key: _fit(inner[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if origin is None and isinstance(value, kind) and not isinstance(value, bool):
        return value
    raise ValueError(f"{where}: expected {kind}, found {value!r}")


def _fit_dataclass(kind: type, value: Any, where: str) -> Any:
    fields = typing.get_type_hints(kind)
    if not isinstance(value, dict) or set(value) != set(fields):
        raise ValueError(f"{where}: expected the keys {sorted(fields)}, found {value!r:.200}")
    return kind(**{name: _fit(fields[name], item, f"{where}.{name}") for name, item in value.items()})

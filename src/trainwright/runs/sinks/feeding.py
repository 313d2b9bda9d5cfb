"""Feeding sinks from a run's directory: what they were given is remembered in `sinks/NAME.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from trainwright import registry
from trainwright.errors import TrainwrightError
from trainwright.recipe.loading import read_document
from trainwright.recipe.nodes import join_path, leaves
from trainwright.runs.atomic import make_directory, write_json
from trainwright.runs.difference import final_metrics
from trainwright.runs.directory import RunDirectory
from trainwright.runs.following import Follower, Mark
from trainwright.runs.metrics import MetricRecord, read_records
from trainwright.runs.record import RunState
from trainwright.runs.sinks.base import Ending, Point, RunFacts, Sink


@dataclass
class Fed:
    """What a sink was given.

    Attributes:
        mark: How far the spool was read for it.
        attempt: The newest attempt of which it has values.
        memory: The sink's own.
        finished: Attempt after whose end it was finished, 0 for none.
        error: Why it takes nothing at present.
    """

    mark: Mark = field(default_factory=Mark)
    attempt: int = 0
    memory: dict[str, Any] = field(default_factory=dict)
    finished: int = 0
    error: str = ""

    @classmethod
    def read(cls, path: Path) -> Fed:
        """What is remembered; nothing where there is no file or it cannot be read."""
        try:
            value = json.loads(path.read_bytes())
            return cls(**{**value, "mark": Mark(**value["mark"])})
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def write(self, path: Path) -> None:
        """Replaces the file. Raises StorageError."""
        write_json(path, asdict(self))


class SinkConsumer:
    """Gives one sink the points of a run, each once, whatever was repeated.

    Args:
        run: The run directory.
        sink: Who is given them.
        name: Of its file in `sinks/`.
    """

    def __init__(self, run: RunDirectory, sink: Sink, name: str) -> None:
        self.run, self.sink, self.name = run, sink, name
        self.file = run.path / "sinks" / f"{name}.json"
        self._fed = Fed()
        self._earlier: dict[tuple[str, int], float] = {}

    def remembered(self) -> Mark:
        """Opens the sink where it was left."""
        self._fed = Fed.read(self.file)
        with suppress(Exception):  # it may be what failed before
            self.sink.close()
        self.sink.open(run_facts(self.run), self._fed.memory)
        self._earlier = self._values_before(self._fed.attempt)
        return self._fed.mark

    def take(self, records: Sequence[MetricRecord], mark: Mark) -> None:
        """Gives the sink what is new in the records."""
        points: list[Point] = []
        for record in records:
            if record.attempt > self._fed.attempt:
                self.sink.write(points)
                points = []
                self._begin(record)
            points += [
                Point(name, record.step, value, record.epoch, record.time)
                for name, value in record.values.items()
                if not _same(self._earlier.get((name, record.step)), value)
            ]
        self.sink.write(points)
        self._fed.mark, self._fed.memory, self._fed.error = mark, self.sink.memory(), ""
        self._fed.write(self.file)

    def end(self) -> None:
        """Tells the sink how the run ended, once, and closes it."""
        record = self.run.record()
        if record.state is not RunState.RUNNING and self._fed.finished != record.attempt:
            self.sink.finish(_ending(self.run))
            self._fed.finished, self._fed.memory = record.attempt, self.sink.memory()
        self.sink.close()
        self._fed.write(self.file)

    def failed(self, error: str) -> None:
        """Writes down why the sink takes nothing, for whoever waits for it."""
        fed = Fed.read(self.file)
        fed.error = error
        fed.write(self.file)

    def _begin(self, record: MetricRecord) -> None:
        """Another attempt went on from an earlier step."""
        was = self._fed.attempt
        self._fed.attempt = record.attempt
        if was:
            step = self._first_step(record.attempt, record.step)
            self._earlier = {} if self.sink.rewind(step) else self._values_before(record.attempt)

    def _first_step(self, attempt: int, found: int) -> int:
        resumed = self.run.record().resumed_from.get(attempt)
        return found if resumed is None else resumed + 1

    def _values_before(self, attempt: int) -> dict[tuple[str, int], float]:
        """What earlier attempts gave of the steps that an attempt repeats."""
        if attempt < 2:
            return {}
        spool = self.run.metrics_file
        first = next((item.step for item in read_records(spool) if item.attempt == attempt), 0)
        step = self._first_step(attempt, first)
        return {
            (name, item.step): value
            for item in read_records(spool)
            if item.attempt < attempt and item.step >= step
            for name, value in item.values.items()
        }


def build_sinks(specs: Sequence[Mapping[str, Any]]) -> list[Sink]:
    """The sinks of a recipe. Raises RecipeError, and MissingExtra where a package is missing."""
    return [registry.build("sink", spec, where=f"train.sinks.{i}") for i, spec in enumerate(specs)]


def names_of(specs: Iterable[Mapping[str, Any]]) -> list[str]:
    """A file name for every sink: its own, numbered where there are several of a kind."""
    found: list[str] = []
    for spec in specs:
        base = str(spec["name"]).replace(":", ".").replace("/", ".")
        number = sum(name == base or name.rpartition("-")[0] == base for name in found)
        found.append(f"{base}-{number + 1}" if number else base)
    return found


def follow(run: RunDirectory, specs: Sequence[Mapping[str, Any]]) -> list[Follower]:
    """Starts to feed the sinks of a run, each on a thread of its own."""
    make_directory(run.path / "sinks")
    consumers = [
        SinkConsumer(run, sink, name) for sink, name in zip(build_sinks(specs), names_of(specs), strict=True)
    ]
    return [Follower(run.metrics_file, item, name=item.name).start() for item in consumers]


def write_failures(followers: Sequence[Follower]) -> None:
    """Writes down why sinks that were not given everything take nothing."""
    for follower in followers:
        consumer = follower.consumer
        if not follower.complete and isinstance(consumer, SinkConsumer):
            error = follower.error
            told = (
                f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
                if error
                else "it does not answer"
            )
            consumer.failed(told)


def run_facts(run: RunDirectory) -> RunFacts:
    """What sinks are told of a run."""
    record = run.record()
    resolved = read_document(run.resolved).tree.plain()
    given = run.recipe.read_text(encoding="utf-8") if run.recipe.exists() else ""
    kept = {
        key: value for key, value in resolved.items() if key not in ("tune", "aliases", "plugins", "code")
    }
    parameters = {join_path(path): value for path, value in leaves(kept) if _plain(value)}
    tags = {
        "salt": record.salt,
        "git": str(record.git.get("commit", "")),
        "command": " ".join(record.command),
        "parents": ", ".join(str(item.get("run", "")) for item in record.parents),
    }
    told = {key: value for key, value in tags.items() if value}
    return RunFacts(run.id, record.name, run.path, record.created, parameters, told, given)


def _plain(value: Any) -> bool:
    return value is not None and not isinstance(value, list | dict)


def _ending(run: RunDirectory) -> Ending:
    record = run.record()
    report = run.report if run.report.exists() else None
    step, ended = int(record.progress.get("step", 0)), record.finished or record.created
    metrics: Mapping[str, float] = {}
    with suppress(TrainwrightError):
        metrics = {name: float(value) for name, value in final_metrics(run).items()}
    return Ending(str(record.state), step, ended, metrics, sorted(run.plots.glob("*.png")), report)


def _same(left: float | None, right: float) -> bool:
    return left is not None and (left == right or (math.isnan(left) and math.isnan(right)))

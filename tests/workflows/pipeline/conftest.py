"""Pipelines in a temporary directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trainwright.workflows.pipeline.coordinator import Coordinator, PipelineResult
from trainwright.workflows.pipeline.opening import open_pipeline
from trainwright.workflows.pipeline.planning import Plan

WRITE = """\
import pathlib, sys
target, *sources = sys.argv[1:]
pathlib.Path(target).write_text("".join(pathlib.Path(s).read_text() for s in sources) + "+")
"""


class Bench:
    """A directory with a pipeline's file, and what is done with it.

    Args:
        folder: The directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "pipe.yaml"
        self.lines: list[str] = []

    def write(self, text: str) -> None:
        """Writes the file, with a name on top."""
        self.file.write_text(f"name: pipe\n{text}")

    def plan(self) -> Plan:
        """Reads it."""
        return open_pipeline(self.file, runs_dir=self.folder / "runs", pipelines_dir=self.folder / "made")

    def salts(self) -> dict[str, str]:
        """Stage -> salt."""
        return {name: item.salt for name, item in self.plan().stages.items()}

    def work(self, **options: object) -> PipelineResult:
        """Starts it; what it says is kept in `lines`."""
        self.lines = []
        say: Callable[[str, str], None] = lambda stage, line: self.lines.append(f"{stage}: {line}")  # noqa: E731
        return Coordinator(self.plan(), runs_dir=self.folder / "runs", say=say, **options).run()  # type: ignore[arg-type]

    def output(self, stage: str) -> Path:
        """The output of a stage that is done."""
        plan = self.plan()
        manifest, fault = plan.made(stage)
        assert manifest is not None, fault
        return plan.directory(stage).result(manifest)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """An empty bench with a program `write.py TARGET SOURCE...`, in the current directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "write.py").write_text(WRITE)
    yield Bench(tmp_path)


CHAIN = """\
stages:
  first:
    name: command
    argv: [python, write.py, "{output}/a.txt", "{inputs.start}"]
    inputs: {start: start.txt}
    outputs: [a.txt]
  second:
    name: command
    argv: [python, write.py, "{output}/b.txt", "${stages.first}/a.txt"]
    outputs: [b.txt]
  apart:
    name: command
    argv: [python, write.py, "{output}/c.txt"]
    outputs: [c.txt]
  last:
    name: command
    argv: [python, write.py, "{output}/d.txt", "${stages.second}/b.txt", "${stages.apart}/c.txt"]
    outputs: [d.txt]
"""


@pytest.fixture
def chain(bench: Bench) -> Bench:
    """Four stages: first -> second -> last, apart -> last."""
    (bench.folder / "start.txt").write_text("s")
    bench.write(CHAIN)
    return bench

"""Weights & Biases: a run with its settings, metrics, summary and figures, offline unless asked otherwise."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from trainwright.runs.sinks.base import Ending, Point, RunFacts, Sink, need


class WandbSink(Sink):
    """Writes `wandb/offline-run-*` into the run, which `wandb sync` uploads.

    Every attempt of a run writes a folder of its own, under one id.

    Args:
        project: Project; the recipe's name when absent.
        mode: `online` sends at once, and needs an account.
    """

    def __init__(self, *, project: str | None = None, mode: Literal["offline", "online"] = "offline") -> None:
        need("wandb")
        self.project, self.mode = project, mode
        self._run: Any = None
        self._id = ""

    def open(self, run: RunFacts, memory: Mapping[str, Any]) -> None:
        """Begins a run of W&B; its horizontal axis is the optimizer step."""
        import wandb

        self._id = str(memory.get("run") or f"{run.id[-80:]}-{int(run.created)}")
        self._run = wandb.init(
            project=self.project or run.name,
            id=self._id,
            name=run.id,
            dir=str(run.path),
            mode=self.mode,
            resume="allow" if self.mode == "online" else None,
            config={**run.parameters, **{f"trainwright.{key}": value for key, value in run.tags.items()}},
            settings=wandb.Settings(
                silent=True, console="off", disable_git=True, disable_code=True, x_disable_stats=True
            ),
        )
        self._run.define_metric("*", step_metric="step")

    def write(self, points: Sequence[Point]) -> None:
        """Logs one row per step."""
        for (step, moment), group in itertools.groupby(points, key=lambda item: (item.step, item.time)):
            self._run.log({"step": step, "time": moment, **{item.name: item.value for item in group}})

    def memory(self) -> dict[str, Any]:
        """W&B's id of the run."""
        return {"run": self._id}

    def finish(self, ending: Ending) -> None:
        """Puts final metrics into the summary, and figures into the media."""
        import wandb

        self._run.summary.update({f"final/{name}": value for name, value in ending.metrics.items()})
        if ending.figures:
            figures = {f"figures/{path.stem}": wandb.Image(str(path)) for path in ending.figures}
            self._run.log({"step": ending.step, **figures})

    def close(self) -> None:
        """Writes what is left."""
        if self._run is not None:
            self._run.finish()
            self._run = None

"""MLflow: a run with parameters, tags, metrics, figures and the report, by MLflow's own client."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from trainwright.runs.sinks.base import Ending, Point, RunFacts, Sink, need

_MOST_METRICS, _MOST_OTHERS = 1000, 100  # that one request may carry
_MOST_TEXT = 5000
_NOT_IN_NAMES = re.compile(r"[^\w\-. /:]")
_TAG = "trainwright.run"
_STATUS = {"done": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}


class MlflowSink(Sink):
    """Writes to an MLflow server, database or folder.

    A value that is there already, with its step, is not written again. Steps that were trained anew with
    other values stay beside the earlier ones, since MLflow deletes no value; the later one is the newest.

    Args:
        uri: Such as `http://host:5000`, `sqlite:///mlflow.db` or `file:mlruns`; when absent that of
            `MLFLOW_TRACKING_URI`, else `mlflow.db` beside the runs.
        experiment: Experiment; the recipe's name when absent.
        artifacts: Whether figures and report are copied to it as well.
    """

    def __init__(
        self, *, uri: str | None = None, experiment: str | None = None, artifacts: bool = True
    ) -> None:
        need("mlflow")
        self.uri, self.experiment, self.artifacts = uri, experiment, artifacts
        self._client: Any = None
        self._run = ""
        self._reopened = False
        self._there: dict[str, set[tuple[int, float | str]]] = {}

    def open(self, run: RunFacts, memory: Mapping[str, Any]) -> None:
        """Finds the run that is there, or makes it with all parameters and tags."""
        uri = (
            self.uri
            or os.environ.get("MLFLOW_TRACKING_URI")
            or f"sqlite:///{run.path.parent.resolve()}/mlflow.db"
        )
        self._client = _client(uri)
        experiment = self._experiment(self.experiment or run.name, uri, run)
        self._there.clear()
        self._run = str(memory.get("run") or self._find(experiment, run) or "")
        self._reopened = bool(self._run)
        if self._run:
            self._client.update_run(self._run, status="RUNNING")
        else:
            made = self._client.create_run(
                experiment,
                start_time=int(1000 * run.created),
                run_name=run.id,
                tags={
                    _TAG: _identity(run),
                    **{f"trainwright.{k}": v[:_MOST_TEXT] for k, v in run.tags.items()},
                },
            )
            self._run = made.info.run_id
        self._log_parameters(run.parameters)

    def write(self, points: Sequence[Point]) -> None:
        """Sends the points that are not there yet."""
        from mlflow.entities import Metric

        new = (point for point in points if not self._has(_name(point.name), point.step, point.value))
        metrics = (Metric(_name(p.name), p.value, int(1000 * p.time), p.step) for p in new)
        for some in _batches(metrics, _MOST_METRICS):
            self._client.log_batch(self._run, metrics=some)

    def memory(self) -> dict[str, Any]:
        """MLflow's id of the run."""
        return {"run": self._run}

    def rewind(self, step: int) -> bool:
        """Nothing can be forgotten; what comes is compared with what is there."""
        self._reopened = True
        self._there.clear()
        return False

    def finish(self, ending: Ending) -> None:
        """Sends final metrics, figures and report, and ends the run."""
        self._reopened = True
        self._there.clear()
        names = {f"final/{name}": value for name, value in ending.metrics.items()}
        self.write([Point(name, ending.step, value, 0.0, ending.time) for name, value in names.items()])
        if self.artifacts:
            for figure in ending.figures:
                self._client.log_artifact(self._run, str(figure), "figures")
            if ending.report is not None:
                self._client.log_artifact(self._run, str(ending.report))
        status = _STATUS.get(ending.state, "FINISHED")
        self._client.set_terminated(self._run, status=status, end_time=int(1000 * ending.time))

    def _experiment(self, name: str, uri: str, run: RunFacts) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        local = uri.startswith("sqlite:")
        # MLflow would put them into the folder in which the command happens to be called.
        place = (run.path.parent.resolve() / "mlflow-artifacts" / _NOT_IN_NAMES.sub("_", name)).as_uri()
        return str(self._client.create_experiment(name, artifact_location=place if local else None))

    def _find(self, experiment: str, run: RunFacts) -> str | None:
        wanted = _identity(run).replace("'", "")
        found = self._client.search_runs([experiment], f"tags.`{_TAG}` = '{wanted}'", max_results=1)
        return str(found[0].info.run_id) if found else None

    def _log_parameters(self, parameters: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        there = self._client.get_run(self._run).data.params
        texts = {_name(key): str(value)[:_MOST_TEXT] for key, value in parameters.items()}
        new = (Param(key, value) for key, value in texts.items() if key not in there)
        for some in _batches(new, _MOST_OTHERS):
            self._client.log_batch(self._run, params=some)

    def _has(self, name: str, step: int, value: float) -> bool:
        """Whether a point is there; asked of MLflow only after a resume or a failure."""
        if not self._reopened:
            return False
        if name not in self._there:
            history = self._client.get_metric_history(self._run, name)
            self._there[name] = {(item.step, _comparable(item.value)) for item in history}
        return (step, _comparable(value)) in self._there[name]


def _client(uri: str) -> Any:
    if "://" not in uri or uri.startswith("file:"):
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # the recipe asks for it
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri)


def _identity(run: RunFacts) -> str:
    """A run repeated with `--fresh`, or trained elsewhere, is another one."""
    return f"{run.path.resolve()} {int(1000 * run.created)}".replace("'", "")


def _name(name: str) -> str:
    return _NOT_IN_NAMES.sub("_", name)


def _comparable(value: float) -> float | str:
    """NaN equals itself here, and infinities are what MLflow's databases make of them."""
    if value != value:
        return "NaN"
    largest = 1.7976931348623157e308
    return max(-largest, min(largest, value))


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some

"""MLflow's own client and its search read what the sink wrote."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainwright.runs.sinks.base import Ending, Point
from trainwright.runs.sinks.mlflow import MlflowSink

pytest.importorskip("mlflow")
pytestmark = pytest.mark.xdist_group("mlflow")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One for all tests: its tables take seconds to make."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture(params=["database", "folder"])
def uri(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    yield request.getfixturevalue("database") if request.param == "database" else (tmp_path / "ml").as_uri()


def client(uri):
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri)


def history(uri, run, name):
    return sorted((m.step, m.value) for m in client(uri).get_metric_history(run, name))


def experiment(facts) -> str:
    return f"e-{facts.path.parent.parent.name}"


def test_search_finds_the_run_by_metric_parameter_and_tag(uri, facts, points, ending):
    sink = MlflowSink(uri=uri, experiment=experiment(facts))
    sink.open(facts, {})
    sink.write([point for point in points if point.name != "train/loss/box"])
    sink.finish(ending)
    number = client(uri).get_experiment_by_name(experiment(facts)).experiment_id
    [run] = client(uri).search_runs(
        [number],
        "metrics.`val/accuracy` > 0.7 and metrics.`final/test/accuracy` > 0.6 and "
        "params.`train.optimizer.lr` = '0.01' and tags.`trainwright.salt` = '0123456789'",
    )
    assert run.info.run_name == facts.id and run.info.status == "FINISHED"
    assert (run.info.start_time, run.info.end_time) == (1_700_000_000_000, 1_700_000_200_000)
    assert history(uri, run.info.run_id, "val/accuracy") == [(10, 0.5), (20, 0.75)]
    [(step, value)] = history(uri, run.info.run_id, "val/f1_cat_")
    assert step == 10 and math.isnan(value)
    [(step, value)] = history(uri, run.info.run_id, "train/loss")
    assert step == 20 and value >= 1.7e308
    assert [item.path for item in client(uri).list_artifacts(run.info.run_id, "figures")] == [
        "figures/learning-curves.png"
    ]


def test_what_is_there_is_not_written_again(uri, facts, points):
    some = [point for point in points if point.name != "train/loss/box"]
    first = MlflowSink(uri=uri, experiment=experiment(facts), artifacts=False)
    first.open(facts, {})
    first.write(some)
    first.finish(Ending("interrupted", 20, 1_700_000_200.0))
    run = first.memory()["run"]
    assert client(uri).get_run(run).info.status == "KILLED"
    second = MlflowSink(uri=uri, experiment=experiment(facts), artifacts=False)
    second.open(facts, {})  # its memory was lost as well
    assert second.memory() == {"run": run} and client(uri).get_run(run).info.status == "RUNNING"
    second.write([*some, Point("val/accuracy", 30, 0.8, 2, 1_700_000_300.0)])
    assert history(uri, run, "val/accuracy") == [(10, 0.5), (20, 0.75), (30, 0.8)]
    assert len(history(uri, run, "val/f1_cat_")) == len(history(uri, run, "train/loss")) == 1


def test_a_step_trained_anew_with_another_value_is_the_newest(uri, facts):
    sink = MlflowSink(uri=uri, experiment=experiment(facts))
    sink.open(facts, {})
    sink.write([Point("loss", 10, 2.0, 0, 1_700_000_100.0)])
    assert not sink.rewind(10)
    sink.write([Point("loss", 10, 1.0, 0, 1_700_000_200.0)])
    run = client(uri).get_run(sink.memory()["run"])
    assert run.data.metrics["loss"] == 1.0


def test_more_points_than_a_request_may_carry(database, facts):
    sink = MlflowSink(uri=database, experiment=experiment(facts))
    parameters = {f"p{i}": i for i in range(250)}
    sink.open(dataclasses.replace(facts, parameters=parameters), {})
    sink.write([Point("x", step, float(step), 0, 1_700_000_000.0 + step) for step in range(2500)])
    run = sink.memory()["run"]
    assert len(client(database).get_run(run).data.params) == 250
    assert client(database).get_run(run).data.metrics["x"] == 2499

"""The run object: what it shows without any training."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trainwright.errors import RunError
from trainwright.runs.directory import RunDirectory
from trainwright.runs.record import RunRecord, RunState
from trainwright.runs.spool import Spool
from trainwright.workflows.run import Run


@pytest.fixture
def run(tmp_path) -> Run:
    record = RunRecord("digits", "0123456789")
    record.begin()
    directory = RunDirectory(tmp_path / "digits-0123456789")
    with directory.acquire():
        directory.create(record, as_given="", resolved="name: digits\n")
        with Spool(directory.metrics_file) as spool:
            for step in (10, 20, 30):
                spool.log(step, 0, {"train/loss": 1 / step, "val/loss": 2 / step, "lr": 0.1})
            spool.log(30, 0, {"val/accuracy": 0.9})
        record.end(RunState.DONE, "")
        directory.save(record)
    return Run(directory.path)


def test_state_and_curves(run):
    assert run.id == "digits-0123456789" and run.state == "done"
    assert run.results == {"train/loss": 1 / 30, "val/loss": 2 / 30, "lr": 0.1, "val/accuracy": 0.9}
    assert run.curves["val/loss"] == ([10, 20, 30], [0.2, 0.1, 2 / 30])
    assert run.metrics()["lr"] == [(10, 0.1), (20, 0.1), (30, 0.1)]
    assert repr(run).startswith("<Run digits-0123456789: done, train/loss=0.0333")


def test_plot_has_one_chart_per_metric_with_all_its_splits(run):
    figure = run.plot()
    drawn = {axes.get_title(): [line.get_label() for line in axes.lines] for axes in figure.axes}
    assert drawn == {"loss": ["train", "val"], "lr": ["lr"]}  # one point makes no curve
    assert [axes.get_title() for axes in run.plot("accuracy").axes] == ["accuracy"]
    with pytest.raises(KeyError, match="there are loss"):
        run.plot("acuracy")


def test_notebooks_see_a_picture(run):
    html = run._repr_html_()
    assert html.startswith("<b>digits-0123456789</b> done<table>") and "data:image/png;base64," in html


def test_no_run_is_told(tmp_path):
    with pytest.raises(RunError, match="no such run"):
        Run(tmp_path / "x")


def test_reading_a_run_imports_no_torch(run):
    code = f"""
import sys
import trainwright as tw
run = tw.load({str(run.path)!r})
run.curves, run.results, run.state
assert "torch" not in sys.modules and "matplotlib" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)

"""The command on real digits, from training to predictions through a pipe."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys

import pytest
from PIL import Image
from sklearn.datasets import load_digits


def trainwright(*words: str, cwd, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trainwright.cli", *words],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    answer = trainwright("train", "digits", "train.epochs=2", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    digits = load_digits()
    for number in range(3):
        pixels = (digits.images[number] * 15.9).astype("uint8")
        Image.fromarray(pixels).save(folder / f"{digits.target[number]}.png")
    return folder, answer


def test_train_shows_what_came_out_and_what_comes_next(trained):
    folder, answer = trained
    [run] = (folder / "runs").glob("[!.]*")
    assert "test        loss" in answer.stdout
    assert str(run.relative_to(folder)) in answer.stdout and "trainwright predict" in answer.stdout
    assert "epoch 2/2" in answer.stderr and "\r" not in answer.stderr
    log = (run / "log.txt").read_text()
    assert "epoch 1/2" in log and "epoch 2/2" in log


def test_again_is_done_at_once(trained):
    folder, _ = trained
    answer = trainwright("train", "digits", "--train.epochs", "2", cwd=folder)
    assert answer.returncode == 0 and "is done already; --fresh repeats it" in answer.stdout


def test_predict_in_every_format_and_through_a_pipe(trained):
    folder, _ = trained
    answer = trainwright("predict", "digits", "-", cwd=folder, stdin="0.png\n2.png\n")
    assert answer.returncode == 0, answer.stderr
    rows = list(csv.DictReader(io.StringIO(answer.stdout)))
    assert [row["sample"] for row in rows] == ["0.png", "2.png"]
    total = sum(float(value) for name, value in rows[0].items() if "probabilities" in name)
    assert total == pytest.approx(1, abs=1e-5)
    answer = trainwright("predict", "digits", "0.png", "2.png", "-o", "a.json", cwd=folder)
    assert answer.returncode == 0 and answer.stdout == ""
    found = json.loads((folder / "a.json").read_text())
    assert [item["label_predicted"] for item in found] == [row["label_predicted"] for row in rows]


def test_evaluate_as_json_equals_what_training_said(trained):
    folder, answer = trained
    found = json.loads(trainwright("evaluate", "digits", "--json", cwd=folder).stdout)
    [metrics] = found.values()
    assert f"accuracy {metrics['accuracy']:.4g}" in answer.stdout


def test_runs_and_report(trained):
    folder, _ = trained
    assert "done" in trainwright("runs", cwd=folder).stdout
    answer = trainwright("report", "digits", cwd=folder)
    assert answer.returncode == 0 and answer.stdout.strip().endswith("report.html")


def test_unknown_key_is_one_readable_error(trained):
    folder, _ = trained
    answer = trainwright("train", "digits", "train.epohcs=2", cwd=folder)
    assert answer.returncode == 2
    assert "epohcs" in answer.stderr and "epochs" in answer.stderr and "Traceback" not in answer.stderr


def test_interrupt_saves_and_resume_ends_it(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-m", "trainwright.cli", "train", "digits", "train.epochs=40"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith("epoch 1/40"):
            break
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate()
    assert child.returncode == 130
    assert "trainwright resume runs/digits-" in out
    assert "interrupted" in trainwright("runs", cwd=tmp_path).stdout
    answer = trainwright("resume", "digits", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "resuming at step" in answer.stderr

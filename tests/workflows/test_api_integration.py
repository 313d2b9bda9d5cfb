"""The Python interface on real digits: trained, loaded, asked and scored."""

from __future__ import annotations

import logging
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

import trainwright as tw


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def fitted(digits, tmp_path_factory):
    return tw.fit(*digits, epochs=8, lr=3e-3, runs_dir=tmp_path_factory.mktemp("runs"), progress=False)


def test_fit_learns_and_predict_agrees_with_evaluate(digits, fitted):
    X, y = digits
    assert fitted.state == "done" and fitted.results["val/accuracy"] > 0.9
    answers = fitted.predict(X)
    right = np.mean(np.array(answers.columns["y_predicted"]) == y.astype(str))
    assert right > 0.93
    assert fitted.evaluate("val") == {
        name.removeprefix("val/"): value for name, value in fitted.results.items()
    }


def test_the_same_call_gives_the_same_run(digits, fitted):
    again = tw.fit(*digits, epochs=8, lr=3e-3, runs_dir=fitted.path.parent, progress=False)
    assert again.path == fitted.path and len(again.record.attempts) == 1
    fresh = tw.fit(*digits, epochs=1, lr=3e-3, runs_dir=fitted.path.parent, progress=False)
    assert fresh.path != fitted.path


def test_load_by_name_and_salt(fitted):
    salt = fitted.record.salt
    assert tw.load(salt, runs_dir=fitted.path.parent).path == fitted.path
    assert tw.load(fitted) is fitted
    with pytest.raises(tw.TrainwrightError, match="no run matches"):
        tw.load("nope", runs_dir=fitted.path.parent)


def test_data_in_memory_must_be_given_again(fitted):
    with pytest.raises(tw.TrainwrightError):
        tw.load(fitted.path).evaluate("val")


def test_users_logger_and_error_handler(digits, tmp_path):
    heard: list[BaseException] = []
    tw.set_logger(logging.getLogger("mine"), on_error=heard.append)
    try:
        with pytest.raises(tw.TrainwrightError) as caught:
            tw.train("digits", {"train.epohcs": 3}, runs_dir=tmp_path)
        assert heard == [caught.value]
    finally:
        tw.set_logger(None)


def test_a_script_without_a_main_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import trainwright as tw\n"
        "run = tw.train('digits', {'train.epochs': 1, 'report.enabled': False}, progress=False)\n"
        "print(run.state, sorted(run.results))\n"
    )
    answer = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("done ") and "test/accuracy" in answer.stdout
    assert (tmp_path / "runs").is_dir()

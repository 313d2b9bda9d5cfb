"""From command lines to exit codes and readable words."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from trainwright.cli import entry, recipes
from trainwright.cli.verbs import VERBS
from trainwright.errors import RunError, TrainwrightError, closest


def test_help_names_every_verb(command):
    for words in ([], ["--help"], ["help"]):
        answer = command(*words)
        assert answer.code == 0
        assert all(f"  {verb} " in answer.out for verb in VERBS)


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_has_a_help(command, verb):
    answer = command(verb, "--help")
    assert answer.code == 0
    assert answer.out.startswith(f"usage: trainwright {verb}") and "--log-level" in answer.out


def test_version(command):
    from importlib.metadata import version

    assert command("--version").out == f"trainwright {version('trainwright')}\n"


def test_unknown_verb_names_the_closest(command):
    answer = command("trian")
    assert answer.code == 2 and answer.out == ""
    assert answer.err == "error: there is no verb 'trian'\n  fix: did you mean `trainwright train`?\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["runs", "list", "--jsn"], "unrecognized arguments: --jsn"),
        (["resume"], "the following arguments are required: RUN"),
        (["resume", "x", "--from", "middle"], "invalid choice: 'middle'"),
        (["train", "digits", "--log-level", "inof", "--quiet"], "did you mean info?"),
    ],
)
def test_wrong_usage_is_two_without_traceback(command, words, message):
    answer = command(*words)
    assert answer.code == 2
    assert message in answer.err and "Traceback" not in answer.err


def raising(error):
    def run(arguments):
        raise error

    return run


def test_our_errors_give_their_words_and_code(command, monkeypatch):
    for error, code in ((RunError("no", where="a:1", why="b", fix="c"), 2), (TrainwrightError("no"), 1)):
        monkeypatch.setattr(recipes, "run", raising(error))
        answer = command("recipes")
        assert (answer.code, answer.err) == (code, f"error: {error}\n")


def test_unexpected_errors_say_how_to_get_the_traceback(command, monkeypatch):
    monkeypatch.setattr(recipes, "run", raising(ZeroDivisionError("by zero")))
    answer = command("recipes")
    assert answer.code == 1
    assert "unexpected ZeroDivisionError: by zero" in answer.err
    assert "TRAINWRIGHT_TRACEBACK=1" in answer.err and "Traceback" not in answer.err
    monkeypatch.setenv("TRAINWRIGHT_TRACEBACK", "1")
    assert "Traceback (most recent call last)" in command("recipes").err


def test_code_of_the_user_is_blamed_by_line_and_ours_as_a_defect(command, monkeypatch):
    monkeypatch.setattr(recipes, "run", raising(ZeroDivisionError("by zero")))
    said = command("recipes").err
    assert re.search(r"raised at \S*test_entry\.py:\d+, which is no part of trainwright", said)
    assert "defect" not in said
    monkeypatch.setattr(recipes, "run", lambda _: closest("name", None))
    said = command("recipes").err
    assert "unexpected TypeError" in said and "defect of trainwright" in said


def test_control_c_is_130(command, monkeypatch):
    monkeypatch.setattr(recipes, "run", raising(KeyboardInterrupt()))
    answer = command("recipes")
    assert (answer.code, answer.err) == (130, "interrupted\n")


def test_broken_pipe_is_quiet():
    """The reader goes away before anything is written."""
    read, write = os.pipe()
    os.close(read)
    answer = subprocess.run(
        [sys.executable, "-m", "trainwright.cli", "runs", "--json"],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert answer.returncode == entry.BROKEN_PIPE
    assert answer.stderr == b""


def test_users_error_handler_hears_of_errors(command, monkeypatch):
    from trainwright import log

    heard = []
    log.set_logger(None, on_error=heard.append)
    try:
        error = RunError("no")
        monkeypatch.setattr(recipes, "run", raising(error))
        command("recipes")
        assert heard == [error]
    finally:
        log.set_logger(None)


def test_code_of_the_user_that_exits_is_an_error(command, monkeypatch):
    monkeypatch.setattr(recipes, "run", raising(SystemExit(3)))
    answer = command("recipes")
    assert answer.code == 2
    assert "a component ended the program: SystemExit: 3" in answer.err and __file__ in answer.err


@pytest.mark.parametrize("module", ["trainwright.cli.entry", "argparse", "trainwright.cli.overrides"])
def test_ctrl_c_while_the_command_is_imported(module):
    code = (
        "import sys\n"
        "class Pressed:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "sys.argv = ['trainwright', '--help']\n"
        "from trainwright.cli import script\n"
        "script()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")

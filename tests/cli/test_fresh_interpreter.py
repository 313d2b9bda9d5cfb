"""What works, and fast, in an interpreter that has none of the heavy packages."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

BLOCK = """
import sys
from importlib.machinery import PathFinder
class Refusing:
    def create_module(self, spec):
        raise ImportError(f"{spec.name} is blocked")
    def exec_module(self, module):
        raise AssertionError
class Blocked:
    # They can be found, as where they are installed, but not be imported.
    heavy = {"torch", "timm", "torchvision", "pandas", "matplotlib", "sklearn"}
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.heavy:
            spec = PathFinder.find_spec(name, path)
            spec.loader = Refusing()
            return spec
sys.meta_path.insert(0, Blocked())
"""


def fresh(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCK + code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )


def test_the_block_blocks():
    assert "torch is blocked" in fresh("import torch").stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["train", "--help"],
        ["recipes", "list"],
        ["recipes", "show", "digits"],
        ["recipe", "schema"],
        ["explain", "optimizer.adamw"],
        ["explain", "train.batch_size"],
        ["runs"],
    ],
)
def test_command_without_heavy_packages(words, tmp_path):
    code = f"""
import os; os.chdir({str(tmp_path)!r})
from trainwright.cli import main
sys.exit(main({words!r}))
"""
    answer = fresh(code)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout


def test_import_is_lazy():
    code = """
import trainwright
assert trainwright.__version__ and "train" in dir(trainwright)
assert not {"yaml", "pydantic", "numpy", "rich", "logging", "argparse"} & set(sys.modules), sys.modules
trainwright.TrainwrightError, trainwright.Run, trainwright.train, trainwright.fit, trainwright.set_logger
try:
    trainwright.trian
except AttributeError as error:
    assert "trian" in str(error)
else:
    raise AssertionError
"""
    answer = fresh(code)
    assert answer.returncode == 0, answer.stderr


def test_help_imports_no_verb():
    code = """
from trainwright.cli import main
main(["--help"])
ours = {name for name in sys.modules if name.startswith("trainwright.")}
parts = ("", ".entry", ".overrides", ".parsing", ".verbs")
allowed = {"trainwright.errors", *("trainwright.cli" + part for part in parts)}
assert ours <= allowed, ours - allowed
assert not {"yaml", "pydantic", "numpy", "logging"} & set(sys.modules)
"""
    answer = fresh(code)
    assert answer.returncode == 0, answer.stderr

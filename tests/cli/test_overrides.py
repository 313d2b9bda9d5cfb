"""Both spellings of an override, beside the verb's own options."""

from __future__ import annotations

import pytest

from trainwright.cli import train
from trainwright.cli.overrides import take_overrides
from trainwright.cli.parsing import Parser, UsageError


@pytest.fixture
def parser() -> Parser:
    made = Parser(prog="trainwright train", allow_abbrev=False)
    train.add_arguments(made)
    return made


@pytest.mark.parametrize(
    ("words", "rest", "overrides"),
    [
        ("digits", "digits", []),
        ("digits train.epochs=3", "digits", ["train.epochs=3"]),
        ("digits --train.epochs 3", "digits", ["train.epochs=3"]),
        ("digits --train.epochs=3", "digits", ["train.epochs=3"]),
        ("--train.epochs 3 digits --fresh", "digits --fresh", ["train.epochs=3"]),
        ("digits --train.optimizer.lr -1e-3", "digits", ["train.optimizer.lr=-1e-3"]),
        ("digits data.augment.0.padding=2 a.b=null", "digits", ["data.augment.0.padding=2", "a.b=null"]),
        ("digits --train-steps 500", "digits", ["train-steps=500"]),
        ("digits --steps 500", "digits", ["steps=500"]),
        ("digits name=x=y", "digits", ["name=x=y"]),
        ("digits name=", "digits", ["name="]),
        ("digits --runs-dir a=b --fresh", "digits --runs-dir a=b --fresh", []),
        ("digits --runs-dir=elsewhere", "digits --runs-dir=elsewhere", []),
        ("lr=3.yaml lr=3", "lr=3.yaml", ["lr=3"]),
        ("digits -- --x", "digits -- --x", []),
    ],
)
def test_spellings(parser, words, rest, overrides):
    assert take_overrides(words.split(), parser) == (rest.split(), overrides)


def test_order_is_kept_so_that_the_last_wins(parser):
    words = ["digits", "a.b=1", "--a.b", "2", "a.b=3"]
    assert take_overrides(words, parser)[1] == ["a.b=1", "a.b=2", "a.b=3"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("digits --freshh", "did you mean --fresh?"),
        ("digits --train.epochs", "--train.epochs has no value"),
        ("digits --train.epochs --fresh", "--train.epochs has no value"),
    ],
)
def test_what_cannot_be_meant_is_refused(parser, words, message):
    with pytest.raises(UsageError) as caught:
        take_overrides(words.split(), parser)
    assert message in str(caught.value)


def test_a_word_that_is_no_override_is_refused(command):
    answer = command("train", "digits", "epochs", "--quiet")
    assert answer.code == 2 and "'epochs' is not an override" in answer.err

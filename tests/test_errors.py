"""The name that was meant is found."""

from __future__ import annotations

import pytest

from trainwright.errors import closest

OPTIMIZERS = ("adam", "adamax", "adamw", "sgd", "one_cycle")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("AdamW", "adamw"),
        ("Adam", "adam"),
        ("sdg", "sgd"),
        ("SGD", "sgd"),
        ("OneCycle", "one_cycle"),
        ("one-cycle", "one_cycle"),
        ("ADAMWW", "adamw"),
        ("lion", None),
        ("", None),
        ("---", None),
    ],
)
def test_case_and_signs_count_least(written: str, meant: str | None):
    assert closest(written, OPTIMIZERS) == meant


def test_an_option_is_given_as_it_is_spelt():
    assert closest("mynet", ["MyNet", "Other"]) == "MyNet"


def test_nothing_to_choose_from():
    assert closest("a", []) is None

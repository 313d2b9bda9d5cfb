"""One measures while the others rest."""

from __future__ import annotations

from types import SimpleNamespace

from trainwright.workflows.quiet import Quiet


class Process:
    def __init__(self) -> None:
        self.trial = SimpleNamespace(number=0, token=1)
        self.told: list[str] = []

    def tell(self, message) -> None:
        self.told.append(message["kind"])


def test_one_measures_while_the_others_rest():
    quiet, (a, b, c) = Quiet(), (Process(), Process(), Process())
    everyone = [a, b, c]
    quiet.grant(everyone)
    assert not quiet and a.told == []
    quiet.ask(a)
    quiet.grant(everyone)
    assert quiet and (a.told, b.told, c.told) == ([], ["rest"], ["rest"])
    quiet.rests(b)
    quiet.grant(everyone)
    assert a.told == []  # c works still
    quiet.rests(c)
    quiet.grant(everyone)
    quiet.grant(everyone)
    assert a.told == ["verdict"]
    quiet.measured(a)
    quiet.grant(everyone)
    assert not quiet and b.told == c.told == ["rest", "go on"]


def test_a_trial_that_ends_while_it_is_to_rest_is_not_waited_for_and_goes_on():
    quiet, (a, b) = Quiet(), (Process(), Process())
    quiet.ask(a)
    quiet.grant([a, b])
    b.trial = None
    quiet.grant([a, b])
    assert a.told == ["verdict"]
    quiet.measured(a)
    quiet.grant([a, b])
    assert b.told == ["rest", "go on"]


def test_whoever_dies_while_it_measures_holds_nobody_up():
    quiet, (a, b) = Quiet(), (Process(), Process())
    quiet.ask(a)
    quiet.grant([a, b])
    quiet.rests(b)
    quiet.grant([a, b])
    quiet.grant([b])
    assert not quiet and b.told == ["rest", "go on"]


def test_two_that_would_measure_take_turns():
    quiet, (a, b) = Quiet(), (Process(), Process())
    quiet.ask(a)
    quiet.ask(b)
    quiet.grant([a, b])
    assert (a.told, b.told) == (["verdict"], [])  # b waits anyway
    quiet.measured(a)
    quiet.grant([a, b])
    assert (a.told, b.told) == (["verdict", "rest"], [])
    quiet.rests(a)
    quiet.grant([a, b])
    quiet.measured(b)
    quiet.grant([a, b])
    assert (a.told, b.told) == (["verdict", "rest", "go on"], ["verdict"])

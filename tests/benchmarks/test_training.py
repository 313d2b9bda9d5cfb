"""The schedule of the rounds, and that every contestant has its script."""

from collections import Counter

from benchmarks import workloads
from benchmarks.processes import ROOT
from benchmarks.training import schedule


def test_every_round_has_every_contestant_of_the_work_once():
    planned = list(schedule(["W0", "W2"], ["ours", "bare", "timm"], 3, seed=0))
    counts = Counter((work, name) for work, name, _ in planned)
    assert counts == {("W0", "ours"): 3, ("W0", "bare"): 3} | {
        ("W2", name): 3 for name in ("ours", "bare", "timm")
    }
    assert [number for work, _, number in planned if work == "W2"] == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_the_order_is_shuffled_by_the_seed_alone():
    names = ["ours", "bare", "lightning", "fastai"]
    first = list(schedule(["W1"], names, 8, seed=1))
    assert first == list(schedule(["W1"], names, 8, seed=1))
    assert len({tuple(name for _, name, n in first if n == number) for number in range(1, 9)}) > 1


def test_every_contestant_has_its_script_and_every_work_its_recipe():
    for work, package in workloads.PACKAGES.items():
        assert (ROOT / "benchmarks" / "recipes" / f"{work.lower()}.yaml").is_file()
        for contestant in workloads.CONTESTANTS.values():
            if contestant.script and work in contestant.works:
                assert (ROOT / "benchmarks" / "workloads" / package / f"{contestant.script}.py").is_file()

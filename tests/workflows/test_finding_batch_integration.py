"""Looking for the batch of a recipe measures it elsewhere, and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainwright.cli import main
from trainwright.errors import RecipeError, UserError
from trainwright.workflows.finding_batch import find_batch, sizes_to_measure
from trainwright.workflows.step_probe_worker import _quickest


def test_the_command_measures_doubling_sizes_and_answers_with_an_override(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    words = ["find", "batch", "iris", "train.threads=1", "--from", "4", "--to", "20", "--quiet", "--json"]
    assert main(words) == 0
    found = json.loads(capfd.readouterr().out)
    sizes = [item["samples"] for item in found["measured"]]
    assert sizes == [4, 8, 16]
    assert all(item["seconds"] > 0 and item["host"] > 0 for item in found["measured"])
    assert found["suggestion"] in sizes and found["override"] == f"train.batch_size={found['suggestion']}"
    assert found["largest"] == 120  # of a few numbers a row all rows fit
    page = Path("runs/iris.batch.html").read_text()
    assert page.count("<svg") == 2 and found["override"] in page
    assert [path.name for path in Path("runs").iterdir()] == ["iris.batch.html"]


@pytest.mark.parametrize(
    ("given", "sizes"),
    [((2, None, 100), [2, 4, 8, 16, 32]), ((3, 13, 100), [3, 6, 12]), ((1, 1, 9), [1]), ((3, None, 9), [3])],
)
def test_sizes_double_up_to_a_third_of_the_samples(given, sizes):
    assert sizes_to_measure(*given) == sizes


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((0, None, 100), "no range of sizes"),
        ((8, 4, 100), "no range of sizes"),
        ((64, None, 100), "a batch of 64 is too large to be measured on 100 training samples"),
        ((2, None, 2), "give it more data"),
    ],
)
def test_ranges_that_are_none(given, says):
    with pytest.raises(UserError) as caught:
        sizes_to_measure(*given)
    assert says in str(caught.value)


def test_an_unknown_recipe():
    with pytest.raises(RecipeError, match="did you mean"):
        find_batch("iriss")


def test_steps_that_end_an_epoch_or_have_fewer_samples_are_not_timed():
    # Three steps an epoch, the third of few samples; before the first of an epoch the last one is closed.
    seconds = {1: 5.0, 2: 3.0, 3: 1.0, 4: 6.0, 5: 2.0, 6: 1.0, 7: 5.0}
    moments, now = [(0, 0.0)], 0.0
    for step, taken in seconds.items():
        now += taken
        moments.append((step, now))
    assert _quickest(moments, 3, whole=False) == 2.0
    assert _quickest(moments, 3, whole=True) == 1.0
    assert _quickest(moments[:2], 1, whole=True) == 5.0  # there is no other

"""Statistics of results, and the schema of the stored files."""

import dataclasses
import json
from pathlib import Path

import pytest

from benchmarks.results import FOLDER, Machine, Measurement, Results, load, store, summarise, table

MACHINE = Machine("Host A", "cpu", 2, 8.0, [], "Linux", "3.12", {"torch": "2.9"}, "abc")


def results(*measurements):
    return Results(
        "training", {"rounds": "3"}, "2026-01-02T03:04:05+00:00", MACHINE, "bare", list(measurements)
    )


def measured(contestant, number, **values):
    return Measurement("W1", contestant, number, values)


def test_ratio_is_the_median_of_ratios_within_rounds():
    # The machine is ten times slower in round 2; the ratio of medians would be 2.0 / 1.5.
    found = results(
        measured("bare", 1, wall_s=1.0),
        measured("ours", 1, wall_s=1.1),
        measured("bare", 2, wall_s=10.0),
        measured("ours", 2, wall_s=12.0),
        measured("bare", 3, wall_s=1.5),
        measured("ours", 3, wall_s=2.0),
    )
    ours = summarise(found, "W1", "ours", "wall_s")
    assert ours is not None
    assert (ours.median, ours.smallest, ours.largest) == (2.0, 1.1, 12.0)
    assert ours.ratio == pytest.approx(1.2)


def test_no_ratio_without_a_baseline_in_the_round():
    found = results(measured("bare", 1, wall_s=1.0), measured("ours", 2, wall_s=3.0))
    ours = summarise(found, "W1", "ours", "wall_s")
    assert ours is not None and ours.ratio is None
    assert summarise(found, "W1", "fastai", "wall_s") is None


def test_table_shows_failures_and_gaps():
    failed = Measurement("W1", "fastai", 1, {}, error="no bf16 here")
    text = table(results(measured("bare", 1, wall_s=2.0), failed), ["wall_s", "train_s"])
    assert "| bare | 2 (2 to 2) **1.00x** |" in text
    assert "| fastai | - |" in text
    assert "fastai failed in round 1: no bf16 here" in text
    assert "train_s" not in text


def test_stored_results_are_read_back_equal_and_never_overwritten(tmp_path):
    given = results(measured("bare", 1, wall_s=2.0))
    first, second = store(given, tmp_path), store(given, tmp_path)
    assert first.name == "training-2026-01-02-host-a.json"
    assert second.name == "training-2026-01-02-host-a-2.json"
    assert load(first) == load(second) == given


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["schema"], 2),
        (["machine", "cores"], "two"),
        (["machine", "extra"], 1),
        (["measurements", 0, "values", "wall_s"], "fast"),
        (["measurements", 0, "round"], True),
        (["options"], []),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path, path, value):
    content = json.loads(json.dumps(dataclasses.asdict(results(measured("bare", 1, wall_s=2.0)))))
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"bad\.json"):
        load(file)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_every_stored_file_fits_the_schema(path: Path):
    loaded = load(path)
    assert loaded.measurements
    assert loaded.machine.commit

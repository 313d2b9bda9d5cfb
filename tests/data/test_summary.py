"""What is written about the data into the run directory."""

import csv
import json

import numpy as np

from trainwright.data.summary import summary, write_dropped
from trainwright.data.types import Dropped


def test_summary_counts_classes_per_split_and_is_json(make_data, prepared):
    data = make_data(
        "digits",
        {"image": {"type": "image"}, "pixels": {"type": "number"}},
        {"label": {"type": "category"}},
        split={"val": 0.1, "test": 0.2},
    )
    result = prepared(data)
    about = json.loads(json.dumps(summary(result)))
    label = about["targets"]["label"]
    assert about["sizes"] == {"train": 1258, "val": 180, "test": 359}
    assert label["classes"] == list("0123456789")
    for split, counts in label["counts"].items():
        assert counts == np.bincount(result.arrays["label"][result.splits[split]], minlength=10).tolist()
    assert about["inputs"]["pixels"]["high"][20] == 16.0
    assert about["inputs"]["image"]["shape"] == [1, 8, 8]
    assert 0 < about["inputs"]["image"]["mean"][0] < 1
    assert about["dropped"] == {"count": 0, "reasons": {}}
    assert about["fingerprint"] == result.fingerprint


def test_dropped_samples_as_csv(tmp_path):
    dropped = [
        Dropped(4, "cat/4, the best.png", "image", 'says "no"'),
        Dropped(-1, "t.csv:5", "", "2 fields where 3 are expected"),
    ]
    write_dropped(tmp_path / "data" / "dropped.csv", dropped)
    with (tmp_path / "data" / "dropped.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"sample": "cat/4, the best.png", "row": "4", "column": "image", "reason": 'says "no"'},
        {"sample": "t.csv:5", "row": "", "column": "", "reason": "2 fields where 3 are expected"},
    ]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["dropped.csv"]

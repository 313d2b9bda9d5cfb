"""What series of the UCR archive are taken for."""

import pytest

from trainwright.data.sniffing import sniff
from trainwright.errors import DataError


def test_archive_sets_can_be_prepared(shared_data, make_data, prepared):
    for name, train, test in [("GunPoint", 50, 150), ("BasicMotions", 40, 40), ("JapaneseVowels", 270, 370)]:
        guess = sniff(shared_data / "timeseries" / name)
        assert (guess.size, guess.split, guess.given_training) == (train + test, {"val": 0.1}, train)
        data = prepared(make_data(guess.source, guess.inputs, guess.targets))
        assert {split: len(rows) for split, rows in data.splits.items()} == {"train": train, "test": test}
        assert not data.dropped


def test_a_single_file_and_gaps(tmp_path):
    (tmp_path / "x.ts").write_text("@classLabel true a b\n@data\n1,?:a\n1,2,3:b\n")
    guess = sniff(tmp_path / "x.ts")
    assert guess.inputs == {"series": {"type": "series", "length": 3, "missing": "interpolate"}}
    assert guess.targets == {"label": {"type": "category"}}
    assert guess.split == {"val": 0.5}  # of two rows, one each


def test_a_folder_of_sets_is_told_to_choose(shared_data):
    with pytest.raises(DataError, match="there are 5 sets of series: ArrowHead, BasicMotions"):
        sniff(shared_data / "timeseries")

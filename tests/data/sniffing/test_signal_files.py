"""What folders of sounds and clips are taken for."""

import pytest

from trainwright.data.sniffing import sniff
from trainwright.data.sniffing.file_names import common_pattern
from trainwright.errors import DataError


def test_the_spoken_digits(shared_data, make_data, prepared):
    guess = sniff(shared_data / "fsdd")
    assert guess.source["pattern"] == "{label}_{part2}_{index}.wav"
    assert guess.source["splits"] == {"test": "index < 5"}
    assert (guess.size, guess.given_training, guess.split) == (800, 600, {"val": 0.1})
    data = prepared(make_data(guess.source, guess.inputs, guess.targets))
    assert {name: len(rows) for name, rows in data.splits.items()} == {"train": 600, "test": 200}
    assert data.targets["label"].spec().classes == tuple("0123456789")
    assert data.arrays["audio"].shape[1:] == data.inputs["audio"].spec().shape


def test_clips_without_labels(shared_data):
    guess = sniff(shared_data / "video_clips")
    assert (guess.source["name"], guess.size, guess.targets) == ("files", 5, {})
    assert "nothing labels them: there is no target to learn" in guess.notes


def test_patterns_of_names():
    digits = [f"{digit}_{speaker}_{n}" for digit in range(3) for speaker in "ab" for n in range(4)]
    assert common_pattern(digits).text == "{label}_{part2}_{index}"
    keys = [f"rec-{n}-{'cat' if n % 2 else 'dog'}" for n in range(20)]
    found = common_pattern(keys)
    assert (found.text, found.index) == ("{part1}-{part2}-{label}", None)
    assert common_pattern(["one", "two"]) is None
    assert common_pattern(["a_1", "b"]) is None
    assert common_pattern([f"{n}_{n}" for n in range(30)]) is None


def test_records_and_series_in_tables(shared_data, make_data, prepared):
    for name, sizes, target in [
        ("ecg_wfdb", {"train": 1591, "val": 331, "test": 346}, "label"),
        ("timeseries/Airline", {"train": 77, "val": 21, "test": 22}, "future"),
        ("timeseries/solar/solar.csv", {"train": 154, "val": 44, "test": 43}, "future"),
    ]:
        guess = sniff(shared_data / name)
        data = prepared(make_data(guess.source, guess.inputs, guess.targets))
        assert list(guess.targets) == [target]
        assert {split: len(rows) for split, rows in data.splits.items()} == sizes
    assert sniff(shared_data / "ecg_wfdb").source["records"] == ["100"]
    assert sniff(shared_data / "ecg_wfdb" / "s0010_re.hea").targets == {}


def test_tables_without_an_order_in_time_stay_tables(shared_data):
    for name in ("tabular/mpg.csv", "tabular/iris.csv"):
        assert sniff(shared_data / name).source["name"] == "table"


def test_sounds_of_which_none_can_be_read_are_named(shared_data, tmp_path):
    for name in ("corrupt_header.wav", "empty.wav"):
        (tmp_path / name).write_bytes((shared_data / "bad" / name).read_bytes())
    with pytest.raises(DataError, match="not one of 2 sounds that were looked at can be read") as error:
        sniff(tmp_path)
    assert "0 channels and 0 Hz" in error.value.why and "it has no samples" in error.value.why

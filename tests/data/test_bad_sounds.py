"""The damaged sounds of the shared data: stopped at by name, or left out and counted."""

import shutil

import numpy as np
import pytest
import soundfile

from trainwright.errors import ErrorList


@pytest.fixture
def sounds(tmp_path, shared_data):
    for number, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for index in range(6):
            tone = np.sin(np.arange(800) * (0.1 + number) + index)
            soundfile.write(tmp_path / name / f"{index}.wav", tone, 8000)
    for name in ("corrupt_header", "truncated", "empty"):
        shutil.copy(shared_data / "bad" / f"{name}.wav", tmp_path / "dog" / f"{name}.wav")
    return tmp_path


def section(make_data, sounds, **on_bad):
    return make_data(
        {"name": "files", "root": str(sounds), "kind": "audio"},
        {"audio": {"type": "audio", "length": 0.1, "mels": 20}},
        {"label": {"type": "category"}},
        split={"val": 0.2},
        on_bad=on_bad,
    )


def test_stop_names_all_three(sounds, make_data, prepared):
    with pytest.raises(ErrorList) as caught:
        prepared(section(make_data, sounds, policy="stop"))
    text = str(caught.value)
    for name, reason in [
        ("corrupt_header", "0 channels and 0 Hz"),
        ("truncated", "cut off: 2563 of 5148"),
        ("empty", "no samples"),
    ]:
        assert any(name in line and reason in line for line in text.splitlines()), text


def test_skip_counts_them_and_trains_on_none(sounds, make_data, prepared):
    data = prepared(section(make_data, sounds, policy="skip", limit=0.5))
    assert sorted(item.name for item in data.dropped) == [
        "dog/corrupt_header.wav",
        "dog/empty.wav",
        "dog/truncated.wav",
    ]
    kept = np.concatenate(list(data.splits.values()))
    assert len(kept) == 12
    assert not {item.row for item in data.dropped} & set(kept.tolist())
    assert np.isfinite(data.arrays["audio"]).all()

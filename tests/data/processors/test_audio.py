"""Sound: lengths, channels, rates and features; what is no sound is a bad sample; real recordings."""

import io
import json

import numpy as np
import pytest
import soundfile
import torch

from trainwright.data.processors import audio_decoding
from trainwright.data.processors.audio import AudioProcessor
from trainwright.data.processors.spectrogram import mel_filters, power_spectrogram
from trainwright.data.types import BadSample, RawFile
from trainwright.errors import RecipeError


def ready(values, **options):
    processor = AudioProcessor(**options)
    processor.inspect(values)
    return processor


def ramp(frames, channels=1):
    return np.tile(np.arange(1.0, frames + 1)[:, None] / 10, (1, channels))


@pytest.fixture
def write(tmp_path):
    def to_file(name, samples, rate=8000, **options):
        soundfile.write(tmp_path / name, samples, rate, **options)
        return RawFile(str(tmp_path / name))

    return to_file


@pytest.mark.parametrize(
    ("align", "short", "long"),
    [
        ("start", [0.1, 0.2, 0, 0], [0.1, 0.2, 0.3, 0.4]),
        ("center", [0, 0.1, 0.2, 0], [0.2, 0.3, 0.4, 0.5]),
        ("end", [0, 0, 0.1, 0.2], [0.3, 0.4, 0.5, 0.6]),
    ],
)
def test_lengths(align, short, long):
    processor = ready([ramp(2)], rate=4, length=1.0, features="waveform", normalise="none", align=align)
    for frames, expected in [(2, short), (6, long)]:
        np.testing.assert_allclose(processor.encode(ramp(frames)), [expected], rtol=1e-6)


def test_channels():
    both = np.array([[0.2, 0.4], [0.0, 0.6]], dtype=np.float32)
    options = {"rate": 2, "length": 1.0, "features": "waveform"}
    np.testing.assert_allclose(ready([both], **options).encode(both), [[0.3, 0.3]], rtol=1e-6)
    stereo = ready([both], channels="stereo", **options)
    np.testing.assert_allclose(stereo.encode(both), both.T)
    assert stereo.encode(ramp(2)).tolist() == [stereo.encode(ramp(2))[0].tolist()] * 2
    with pytest.raises(BadSample, match="3 channels"):
        stereo.encode(ramp(2, 3))


def test_whole_numbers_are_scaled_and_files_and_arrays_agree(write):
    samples = (np.random.default_rng(0).integers(-32768, 32767, 400)).astype(np.int16)
    file = write("a.wav", samples)
    processor = ready([file], features="waveform")
    np.testing.assert_array_equal(processor.encode(file), processor.encode(samples))
    assert processor.spec().shape == (1, 400)


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "ulaw.wav"])
def test_other_formats_by_libsndfile(write, name):
    options = {"subtype": "ULAW"} if name == "ulaw.wav" else {}
    file = write(name, np.sin(np.arange(4000) / 10), **options)
    processor = ready([file], features="waveform", normalise="none")
    np.testing.assert_allclose(processor.encode(file)[0], np.sin(np.arange(4000) / 10), atol=0.05)


def test_rates_are_changed_where_one_is_given(write):
    tones = [np.sin(2 * np.pi * 440 * np.arange(rate) / rate) for rate in (8000, 16000)]
    files = [write(f"{len(x)}.wav", x, len(x), subtype="FLOAT") for x in tones]
    with pytest.raises(RecipeError, match="differ in sample rate"):
        ready(files)
    processor = ready(files, rate=8000, features="waveform", normalise="none")
    low, high = (processor.encode(file)[0] for file in files)
    np.testing.assert_allclose(low[500:-500], high[500:-500], atol=1e-4)
    with pytest.raises(BadSample, match="16000 Hz where the training sounds have 8000 Hz"):
        ready(files[:1]).encode(files[1])


def test_a_claimed_rate_that_would_need_all_memory_is_refused(write):
    file = write("slow.wav", np.zeros(100_000), 1)
    with pytest.raises(BadSample, match="too far from 48000 Hz"):
        ready([file], rate=48000, length=1.0).encode(file)


def test_log_mel_by_its_formula():
    samples = np.random.default_rng(1).normal(size=1600).astype(np.float32) / 4
    processor = ready([samples], rate=8000, mels=20, normalise="none")
    power = power_spectrogram(samples, 200, 80, 256)
    expected = np.log(np.maximum(mel_filters(8000, 256, 20, 0, 4000) @ power, 1e-6))
    np.testing.assert_allclose(processor.encode(samples)[0], expected, rtol=1e-5)
    assert processor.spec().type == "image"
    assert processor.spec().shape == processor.encode(samples).shape == (1, 20, 21)
    silence = processor.encode(np.zeros(1600, dtype=np.float32))
    np.testing.assert_allclose(silence, np.log(1e-6), rtol=1e-6)


def test_normalisation_is_fitted_on_stored_values_and_undone():
    sounds = [np.random.default_rng(seed).normal(size=800) for seed in range(5)]
    processor = ready(sounds, rate=8000, features="mel", mels=10)
    stored = np.stack([processor.encode(sound) for sound in sounds])
    processor.fit(stored)
    again = AudioProcessor.from_state(json.loads(json.dumps(processor.state())))
    tensor = again.to_tensor(torch.from_numpy(stored))
    assert tensor.mean().abs() < 1e-4 and abs(tensor.std(correction=0) - 1) < 1e-4
    np.testing.assert_allclose(again.decode(tensor[0]), stored[0], rtol=1e-3, atol=1e-4)
    assert again.cache_key() == processor.cache_key()
    own = ready(sounds, rate=8000, features="waveform", normalise="per_sample").encode(sounds[0])
    np.testing.assert_allclose([own.mean(), own.std()], [0, 1], atol=1e-5)


def test_what_does_not_fit_the_recipe():
    with pytest.raises(RecipeError, match="differ in length"):
        ready([ramp(3), ramp(5)], rate=100)
    with pytest.raises(BadSample, match=r"lasts 0\.05 s where the training sounds last 0\.03 s"):
        ready([ramp(3)], rate=100, features="waveform").encode(ramp(5))
    with pytest.raises(RecipeError, match="lie between two bins"):
        ready([ramp(800)], rate=8000, mels=200)
    with pytest.raises(RecipeError, match="do not fit 8000"):
        ready([ramp(800)], rate=8000, high=5000.0)
    with pytest.raises(RecipeError, match="samples in memory say no rate"):
        ready([ramp(800)])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (np.zeros((0,)), "is no sound"),
        (np.zeros((2, 2, 2)), "is no sound"),
        (np.array(["a"]), "is no sound"),
        (np.array([0.1, np.nan]), "NaN"),
        (RawFile("/nowhere/a.wav"), "does not exist"),
    ],
)
def test_what_is_no_sound(raw, reason):
    with pytest.raises(BadSample, match=reason):
        ready([ramp(4)], rate=4, features="waveform", length=1.0).encode(raw)


def test_bad_files_by_content(tmp_path, shared_data):
    processor = ready([ramp(4)], rate=4, features="waveform", length=1.0)
    (tmp_path / "text.mp3").write_text("hello " * 100)
    (tmp_path / "empty.wav").write_bytes(b"")
    for path, reason in [
        (tmp_path / "text.mp3", "no sound file"),
        (tmp_path / "empty.wav", "the file is empty"),
        (shared_data / "bad" / "corrupt_header.wav", "0 channels and 0 Hz"),
        (shared_data / "bad" / "truncated.wav", "cut off"),
        (shared_data / "bad" / "empty.wav", "no samples"),
    ]:
        with pytest.raises(BadSample, match=reason):
            processor.encode(RawFile(str(path)))


def test_a_cut_flac_is_a_bad_sample():
    file = io.BytesIO()
    soundfile.write(file, np.random.default_rng(0).normal(size=20000) / 5, 8000, format="FLAC")
    with pytest.raises(BadSample, match=r"cut off|cannot be decoded"):
        audio_decoding.decode(file.getvalue()[:9000])

"""Clips: which frames are kept, what they hold, real files, damaged ones, and memory."""

import json

import av
import numpy as np
import pytest
import torch

from trainwright.data.processors.video import VideoProcessor
from trainwright.data.processors.video_decoding import count_frames
from trainwright.data.types import BadSample, RawFile
from trainwright.errors import RecipeError


def clip(path, count=20, size=(48, 64), codec="mpeg4"):
    """A clip whose frame `n` is grey of level 10 n."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width = size
        stream.pix_fmt = "yuv420p"
        for number in range(count):
            pixels = np.full((*size, 3), 10 * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return RawFile(str(path))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"frames": 4}, [2, 7, 12, 17]),
        ({"frames": 3, "sampling": "start", "stride": 4}, [0, 4, 8]),
        ({"frames": 3, "sampling": "center", "stride": 4}, [5, 9, 13]),
        ({"frames": 3, "sampling": "start", "stride": 15}, [0, 15, 19]),
    ],
)
def test_the_right_frames_are_kept(tmp_path, options, expected):
    processor = VideoProcessor(size=16, mode="gray", **options)
    stored = processor.encode(clip(tmp_path / "a.mp4"))
    assert stored.shape == (len(expected), 16, 16, 1)
    np.testing.assert_allclose(stored.mean(axis=(1, 2, 3)), 10 * np.array(expected), atol=3)
    numbers = np.arange(20, dtype=np.uint8).repeat(9).reshape(20, 3, 3, 1)
    assert np.array_equal(processor.encode(numbers)[:, 0, 0, 0], expected)


def test_real_clips(shared_data):
    processor = VideoProcessor(size=[32, 40], frames=5)
    for name, frames in [("demo.mp4", 280), ("part_0.mp4", 32), ("test.avi", 164)]:
        path = shared_data / "video_clips" / name
        assert count_frames(str(path)) == frames
        stored = processor.encode(RawFile(str(path)))
        assert stored.shape == (5, 32, 40, 3)
        assert stored.std() > 10


def test_tensors_and_back(tmp_path):
    stored = VideoProcessor(size=8, frames=2).encode(clip(tmp_path / "a.mp4", 4))
    for rule in ("none", "unit", "symmetric", "imagenet"):
        processor = VideoProcessor(size=8, frames=2, normalise=rule)
        again = VideoProcessor.from_state(json.loads(json.dumps(processor.state())))
        tensor = again.to_tensor(torch.from_numpy(stored[None]))
        assert tensor.shape == (1, *again.spec().shape) == (1, 3, 2, 8, 8)
        np.testing.assert_array_equal(again.decode(tensor[0]), stored)
        assert again.cache_key() == VideoProcessor(size=8, frames=2).cache_key()


def test_damaged_clips_are_bad_samples(tmp_path, shared_data):
    whole = (shared_data / "video_clips" / "part_0.mp4").read_bytes()
    for name, content in [
        ("empty.mp4", b""),
        ("text.mp4", b"no clip at all " * 50),
        ("half.mp4", whole[: len(whole) // 2]),
        ("head.mp4", whole[:200]),
        ("playlist.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadSample):
            VideoProcessor().encode(RawFile(str(tmp_path / name)))
    with pytest.raises(BadSample, match="does not exist"):
        VideoProcessor().encode(RawFile(str(tmp_path / "gone.mp4")))
    with pytest.raises(BadSample, match="no pictures"):
        VideoProcessor().encode(sound_only(tmp_path / "sound.avi"))


def sound_only(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), dtype=np.int16), layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return RawFile(str(path))


def test_arrays_that_are_no_clip():
    with pytest.raises(BadSample, match="is no clip"):
        VideoProcessor().encode(np.zeros((2, 3, 3), dtype=np.uint8))
    with pytest.raises(RecipeError, match="not \\[height, width\\]"):
        VideoProcessor(size=[1, 2, 3])

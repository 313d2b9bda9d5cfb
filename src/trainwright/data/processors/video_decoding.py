"""From a video file to some of its frames, without ever holding the others."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainwright.data.archive import ArchiveError
from trainwright.data.processors.image_decoding import MAX_PIXELS
from trainwright.data.types import BadSample, RawFile
from trainwright.errors import MissingExtra

# Playlists, and containers that name other files, are left out: a clip can open nothing but itself.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm,mpeg,mpegts,flv,ogg,asf,gif,ivf,m4v,h264,hevc"


def count_frames(raw: Any) -> int:
    """Frames of the first video stream, from its packets, nothing decoded.

    Raises:
        BadSample: The file is damaged, cut off, or no video.
    """
    with _opened(raw) as (container, stream):
        count = sum(1 for packet in container.demux(stream) if packet.size)
        claimed = int(stream.frames)
    if count == 0:
        raise BadSample("it has no frames")
    if count < claimed:
        raise BadSample(f"it is cut off: {count} of {claimed} frames are there")
    return count


def read_frames(
    raw: Any, places: npt.NDArray[np.int64], prepare: Callable[[Image.Image], npt.NDArray[np.uint8]]
) -> npt.NDArray[np.uint8]:
    """The frames at some places, each prepared as soon as it is decoded.

    Args:
        raw: `RawFile`, or a path.
        places: Numbers of frames in ascending order; one may come several times.
        prepare: From a picture, turned upright, to pixels of fixed size.

    Returns:
        uint8 `[len(places), ...]`.

    Raises:
        BadSample: The file cannot be decoded as far as the last of these frames.
    """
    wanted = iter(places.tolist())
    place: int | None = next(wanted, None)
    taken: list[npt.NDArray[np.uint8]] = []
    number = -1
    with _opened(raw) as (container, stream):
        for number, frame in enumerate(container.decode(stream)):
            if number != place:
                continue
            _check_size(frame.width, frame.height)
            pixels = prepare(_picture(frame))
            while place == number:
                taken.append(pixels)
                place = next(wanted, None)
            if place is None:
                break
    if place is not None:
        raise BadSample(f"only {number + 1} of its frames can be decoded, and frame {place} is wanted")
    return np.stack(taken)


@contextmanager
def _opened(raw: Any) -> Iterator[tuple[Any, Any]]:
    """The container and its first video stream; faults of either become `BadSample`."""
    if importlib.util.find_spec("av") is None:
        raise MissingExtra("av", "video")
    import av

    file = raw if isinstance(raw, RawFile) else RawFile(str(raw))
    try:
        # A file object instead of a path, so that no name can mean a protocol of FFmpeg's.
        with _stream_of(file) as data, _container(av, data) as container:
            if not container.streams.video:
                raise BadSample("it has no pictures")
            stream = container.streams.video[0]
            _check_size(stream.codec_context.width, stream.codec_context.height)
            stream.codec_context.thread_count = 1  # samples are decoded side by side, in processes
            yield container, stream
    except av.FFmpegError as error:
        raise BadSample(f"it cannot be decoded: {error.strerror or error}") from error
    except FileNotFoundError:
        raise BadSample("the file does not exist") from None
    except (OSError, KeyError, ValueError, ArchiveError) as error:
        raise BadSample(f"the file cannot be read: {error}") from error


def _container(av: Any, data: Any) -> Any:
    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
    return av.open(data, mode="r", container_options=options, metadata_errors="replace")


@contextmanager
def _stream_of(file: RawFile) -> Iterator[Any]:
    if file.size() == 0:
        raise BadSample("the file is empty")
    if file.member is not None:
        yield io.BytesIO(file.read())
        return
    with open(file.path, "rb") as opened:  # noqa: PTH123 (called per sample)
        yield opened


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise BadSample(f"its header claims frames of {width} x {height} pixels")


def _picture(frame: Any) -> Image.Image:
    pixels = frame.to_ndarray(format="rgb24")
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return Image.fromarray(np.ascontiguousarray(np.rot90(pixels, turns)))

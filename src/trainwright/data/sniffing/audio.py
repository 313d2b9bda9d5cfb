"""Folders of sound files, labelled by folder or by file name."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from trainwright.data.faults import in_groups
from trainwright.data.processors import audio_decoding
from trainwright.data.sniffing.file_names import common_pattern
from trainwright.data.sniffing.guess import Guess, missing_split, named_splits, training_rows
from trainwright.data.sources.file_set import stem, suffix
from trainwright.data.sources.files import FilesSource, only_these
from trainwright.data.types import BadSample
from trainwright.errors import DataError
from trainwright.wording import counted

_LOOKED_AT = 500  # sounds whose length is looked at
_MOST_MELS = 40
_USUAL = 0.95  # share of the sounds that are not cut


def detect(path: Path) -> Guess | None:
    """A folder or archive with sound files and no pictures."""
    if not only_these(path, "audio"):
        return None
    source = FilesSource(root=str(path), kind="audio")
    spec: dict[str, Any] = {"name": "files", "root": str(path), "kind": "audio"}
    notes = [f"{len(source)} sound files"]
    target = "label" if "label" in source.columns else None
    if target is None and source.splits() is None:
        names = list(source.sample_names())
        pattern = common_pattern([stem(name).rpartition("/")[2] for name in names])
        if pattern is not None:
            endings = {suffix(name) for name in names}
            text = pattern.text + (PurePosixPath(names[0]).suffix if len(endings) == 1 else ".{ending}")
            spec["pattern"] = text
            notes.append(f"their names follow {text}; {pattern.label!r} is taken for the target")
            source, target = FilesSource(root=str(path), kind="audio", pattern=text), pattern.label
            if pattern.index is not None and _by_convention(source, pattern.index):
                spec["splits"] = {"test": f"{pattern.index} < 5"}
                notes.append(f"{pattern.index} 0 to 4 is the test set, as in the Free Spoken Digit Dataset")
                source = FilesSource(root=str(path), kind="audio", pattern=text, splits=spec["splits"])
    given = source.splits()
    notes += [f"splits {named_splits(given)}"] if given else []
    column, why = _column(source)
    targets = {target: {"type": "category"}} if target else {}
    return Guess(
        spec,
        {"audio": column},
        targets,
        missing_split(source),
        len(source),
        [*notes, *why, *source.notices],
        training_rows(source),
    )


def _by_convention(source: FilesSource, index: str) -> bool:
    """Whether names look like the Free Spoken Digit Dataset's: digit, speaker, and numbers from 0."""
    first = set(source.column(next(iter(name for name in source.columns if name != "audio"))))
    numbers = set(np.asarray(source.column(index)).tolist())
    return first == set(range(10)) and set(range(10)) <= numbers


def _column(source: FilesSource) -> tuple[dict[str, Any], list[str]]:
    """The column with rate and length, and why these."""
    places = sorted({round(place) for place in np.linspace(0, len(source) - 1, _LOOKED_AT)})
    values = source.column("audio")
    looks = []
    bad: list[tuple[str, str]] = []
    for place in places:
        try:
            looks.append(audio_decoding.frames_and_rate(audio_decoding.read_bytes(values[place])))
        except BadSample as error:
            bad.append((values[place].name, error.reason))
    if not looks:
        raise DataError(
            f"not one of {counted(len(bad), 'sound')} that were looked at can be read",
            where="data",
            why=in_groups(bad),
            fix="check the files, or give the folder that holds the sounds",
        )
    rates = sorted({rate for _, rate in looks})
    seconds = sorted(frames / rate for frames, rate in looks)
    usual = seconds[min(len(seconds) - 1, int(_USUAL * len(seconds)))]
    length = max(0.1, -(-usual // 0.05) * 0.05)
    column: dict[str, Any] = {"type": "audio", "length": round(length, 2), "mels": _MOST_MELS}
    if rates[0] < 16000:
        column["mels"] = 32
    why = [
        f"{rates[0]} Hz"
        if len(rates) == 1
        else f"rates from {rates[0]} to {rates[-1]} Hz; all become {rates[0]} Hz",
        f"they last {seconds[0]:.2f} to {seconds[-1]:.2f} seconds; "
        f"the longest twentieth is cut at {column['length']:g}",
    ]
    if len(rates) > 1:
        column["rate"] = rates[0]
    return column, why

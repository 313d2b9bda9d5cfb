"""A store that fails, dawdles and gives half a file, and then recovers: nothing is lost, nothing is silent.

No test waits: the clock is made, and so is the store.
"""

from __future__ import annotations

import csv
import errno
import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from trainwright.data.columns import PlannedColumn
from trainwright.data.decode_pool import CRASHED
from trainwright.data.encoding import encode_rows
from trainwright.data.loader import Loader, Pipeline
from trainwright.data.processors.category import CategoryProcessor
from trainwright.data.processors.image import ImageProcessor
from trainwright.data.retry import Retry, may_pass
from trainwright.data.samplers.shuffle import Shuffle
from trainwright.data.storing import ColumnStore, Stored
from trainwright.data.stream_store import StreamStore
from trainwright.data.substitutes import Substitutes
from trainwright.data.summary import write_dropped
from trainwright.data.types import BadSample, Dropped, PreparedData, RawFile
from trainwright.errors import RunError

CPU = torch.device("cpu")
COUNT, SIZE = 24, 6


@dataclass
class Store:
    """Files somewhere far away; what the next reads of a file do can be said beforehand."""

    files: dict[str, bytes]
    planned: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    reads: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def read(self, name: str) -> bytes:
        self.reads.append(name)
        event = self.planned[name].pop(0) if self.planned[name] else "good"
        if event == "always":
            self.planned[name].append("always")
        if event in ("fails", "always"):
            raise OSError(errno.EIO, "the store does not answer")
        if event == "slow":
            self.seconds += 30.0
        data = self.files[name]
        return data[: len(data) // 2] if event == "truncated" else data

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Remote(RawFile):
    """A file of the store."""

    store: Store

    def read(self) -> bytes:
        return Remote.store.read(self.path)


def colour(row: int) -> tuple[int, int, int]:
    return (10 * row, 255 - 10 * row, 7 * row)


@pytest.fixture
def store() -> Store:
    files = {}
    for row in range(COUNT):
        file = io.BytesIO()
        Image.new("RGB", (SIZE, SIZE), colour(row)).save(file, "PNG")
        files[f"far/{row}.png"] = file.getvalue()
    Remote.store = Store(files)
    return Remote.store


def remotes() -> list[Remote]:
    return [Remote(f"far/{row}.png") for row in range(COUNT)]


def processor() -> ImageProcessor:
    return ImageProcessor(size=SIZE, mode="rgb", normalise="none")


def encode(retry: Retry) -> tuple[np.ndarray, list[tuple[int, str]]]:
    return encode_rows(processor(), remotes(), COUNT, (SIZE, SIZE, 3), np.uint8, retry)


def prepared(store: Store, *, attempts: int = 1, allowed: int | None = None) -> PreparedData:
    """Labels tell the row of a picture, so that a picture with another's label would be seen."""
    labels = CategoryProcessor(classes=[str(row) for row in range(COUNT)])
    splits = {"train": np.arange(20), "val": np.arange(20, COUNT)}
    names = [f"{row}.png" for row in range(COUNT)]
    return PreparedData(
        arrays={"label": np.arange(COUNT)},
        splits=splits,
        names=names,
        inputs={"image": processor()},
        targets={"label": labels},
        streamed={"image": remotes()},
        workers=0,
        retry=Retry(attempts, 0.5, store.sleep),
        substitutes=None if allowed is None else Substitutes(splits, names, 5, allowed),
    )


def loader_of(data: PreparedData, split: str = "train") -> Loader:
    pipeline = Pipeline(data.inputs, data.targets)
    loader = Loader(StreamStore(data, CPU), pipeline, data.splits[split], 4, Shuffle(), seed=1)
    loader.chunk = 2
    return loader


def seen(loader: Loader, epoch: int, start: int = 0) -> list[list[int]]:
    """Rows of every batch, after a look at the pictures."""
    steps = []
    for batches in loader.batches(epoch, start):
        for batch in batches:
            steps.append(batch.ids.tolist())
            for row, image, label in zip(
                batch.ids, batch.inputs["image"], batch.targets["label"], strict=True
            ):
                assert int(label) == row
                assert tuple(image[:, 0, 0].int().tolist()) == colour(int(row))
    return steps


@pytest.mark.parametrize("event", ["fails", "truncated"])
def test_reads_that_fail_and_recover_lose_nothing(store: Store, event: str) -> None:
    for row in (2, 7):
        store.planned[f"far/{row}.png"] = [event, "fails", "slow"]
    retry = Retry(4, 0.5, store.sleep)
    stored, bad = encode(retry)
    assert bad == []
    assert [tuple(pixels[0, 0].tolist()) for pixels in stored] == [colour(row) for row in range(COUNT)]
    assert retry.repeated == 4
    assert store.reads.count("far/2.png") == 3 and store.reads.count("far/3.png") == 1
    assert store.seconds > 60, "two slow reads, and the waits"


def test_what_never_recovers_is_bad_after_the_last_attempt(store: Store) -> None:
    store.planned["far/5.png"] = ["always"]
    store.planned["far/6.png"] = ["truncated"] * 9
    stored, bad = encode(Retry(3, 0.5, store.sleep))
    assert [row for row, _ in bad] == [5, 6]
    assert "does not answer" in bad[0][1] and "not an image" in bad[1][1]
    assert not stored[5].any()
    assert store.reads.count("far/5.png") == store.reads.count("far/6.png") == 3


def test_waits_double_with_a_jitter_that_is_addressed() -> None:
    waits: list[float] = []
    retry = Retry(12, 0.5, waits.append)

    def fails() -> bytes:
        raise OSError(errno.EIO, "no")

    with pytest.raises(OSError, match="no"):
        retry("a", fails)
    assert len(waits) == 11
    for attempt, wait in enumerate(waits):
        assert 0.5 <= wait / min(60, 0.5 * 2**attempt) < 1.5
    assert waits[0] == Retry(2, 0.5).delay("a", 1) != Retry(2, 0.5).delay("b", 1)


@pytest.mark.parametrize("error", [FileNotFoundError("gone"), PermissionError("not yours")])
def test_what_cannot_pass_is_not_tried_again(error: Exception) -> None:
    calls = []

    def fails() -> bytes:
        calls.append(1)
        raise BadSample("bad") from error

    with pytest.raises(BadSample):
        Retry(5, 0.0)("a", fails)
    assert len(calls) == 1
    assert not may_pass(error)


def test_training_goes_on_with_substitutes_that_bring_their_own_labels(store: Store) -> None:
    data = prepared(store, allowed=3)
    loader, plain = loader_of(data), loader_of(prepared(store))
    expected = seen(plain, 0)
    store.planned["far/4.png"] = store.planned["far/11.png"] = ["always"]
    steps = seen(loader, 0)
    assert [len(step) for step in steps] == [4] * 5, "the epoch keeps its length"
    for step, planned in zip(steps, expected, strict=True):
        for row, wanted in zip(step, planned, strict=True):
            assert row == wanted or wanted in (4, 11)
            assert row not in (4, 11) and row < 20, "of the same split"
    assert data.substitutes is not None and len(data.substitutes) == 2


def test_a_row_stays_bad_when_its_file_comes_back(store: Store) -> None:
    data = prepared(store, allowed=3)
    loader = loader_of(data)
    store.planned["far/4.png"] = ["fails"]
    first = seen(loader, 0)
    assert 4 not in {row for step in first for row in step}
    before = store.reads.count("far/4.png")
    assert 4 not in {row for step in seen(loader, 1) for row in step}
    assert store.reads.count("far/4.png") == before, "and is not read again in vain"


@pytest.mark.parametrize("step", range(6))
def test_a_resume_repeats_the_substitutes(store: Store, step: int) -> None:
    """The files fail once, are back at the time of the resume, and the batches are those of the first run."""
    data = prepared(store, allowed=5)
    for row in (3, 8, 15):
        store.planned[f"far/{row}.png"] = ["fails"]
    loader = loader_of(data)
    batches = loader.batches(0)
    for _ in range(step):
        next(batches)
    assert data.substitutes is not None
    state = data.substitutes.state_dict()
    rest = [batch.ids.tolist() for micro in batches for batch in micro]
    later = seen(loader, 1)

    for row in (3, 8, 15):  # those not met before the checkpoint fail again, the others are well
        met = row in [int(item[0]) for item in state["bad"]]
        store.planned[f"far/{row}.png"] = [] if met else ["fails"]
    again = prepared(store, allowed=5)
    assert again.substitutes is not None
    again.substitutes.load_state_dict(state)
    resumed = loader_of(again)
    assert seen(resumed, 0, step) == rest
    assert seen(resumed, 1) == later


def test_more_bad_samples_than_allowed_interrupt_the_training(store: Store) -> None:
    for row in (1, 2, 3):
        store.planned[f"far/{row}.png"] = ["always"]
    with pytest.raises(RunError, match="3 samples became unreadable in training, 2 may be skipped") as error:
        seen(loader_of(prepared(store, allowed=2)), 0)
    assert "data.on_bad.limit" in str(error.value)
    assert "does not answer" in str(error.value)


def test_without_leave_to_skip_the_run_is_interrupted(store: Store) -> None:
    store.planned["far/4.png"] = ["always"]
    with pytest.raises(RunError, match="cannot be read now") as error:
        seen(loader_of(prepared(store, attempts=2)), 0)
    assert "far/4.png" in str(error.value) and "resume" in str(error.value)
    assert store.reads.count("far/4.png") == 2


def test_every_bad_sample_is_listed_with_its_reason(store: Store, tmp_path: Path) -> None:
    store.planned["far/4.png"] = ["always"]
    data = prepared(store, allowed=3)
    data.dropped = [Dropped(22, "22.png", "image", "the file is empty (0 bytes)")]
    seen(loader_of(data), 0)
    write_dropped(tmp_path / "dropped.csv", data.all_dropped())
    with (tmp_path / "dropped.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [(line["sample"], line["column"]) for line in lines] == [("22.png", "image"), ("4.png", "image")]
    assert "does not answer" in lines[1]["reason"] and "found in training" in lines[1]["reason"]


def test_evaluation_skips_what_training_may_skip(store: Store) -> None:
    store.planned["far/21.png"] = ["always"]
    (step,) = seen(loader_of(prepared(store, allowed=1), "val"), 0)
    assert len(step) == 4 and 21 not in step and set(step) <= {20, 22, 23}


FRAGILE = '''
from pathlib import Path
from trainwright.data.processors.image import ImageProcessor
from trainwright.data.types import BadSample

class Fragile(ImageProcessor):
    """The first read of each file fails, in whichever process."""

    def encode(self, raw):
        mark = Path(raw.path + ".tried")
        if not mark.exists():
            mark.touch()
            raise BadSample("the store does not answer") from OSError(5, "no answer")
        return super().encode(raw)
'''


@pytest.fixture
def fragile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "fragile_processor.py").write_text(FRAGILE)
    monkeypatch.syspath_prepend(str(tmp_path))
    from fragile_processor import Fragile  # type: ignore[import-not-found]

    return Fragile(size=8, mode="rgb")


@pytest.mark.parametrize("attempts", [1, 2])
def test_workers_read_again_too(
    class_folders: Callable[..., Path], fragile: Any, tmp_path: Path, attempts: int
) -> None:
    from trainwright.data.stream import DecodeStream

    files: Sequence[RawFile] = [RawFile(str(p)) for p in sorted(class_folders(count=4).rglob("*.png"))]
    if attempts == 1:
        (tmp_path / "photos" / "cat" / "0.png.tried").touch()
    retry = Retry(attempts, 0.0)
    with DecodeStream({"image": files}, {"image": fragile}, workers=1, max_rows=8, retry=retry) as stream:
        stream.request(np.arange(8))
        _, bad = stream.next_and_bad()
    # The first file was tried already, to see what form its values have.
    assert [item.row for item in bad] == (list(range(1, 8)) if attempts == 1 else [])
    assert retry.repeated == (0 if attempts == 1 else 8)


class FarSource:
    """Rows of the store, as a source gives them."""

    columns = {"image": "image"}  # noqa: RUF012
    slow_columns = ("image",)

    def column(self, name: str) -> Sequence[Remote]:
        return remotes()


@pytest.mark.parametrize("on_the_fly", [False, True])
@pytest.mark.parametrize("event", ["fails", "truncated"])
def test_what_could_not_be_read_is_no_part_of_the_cache_for_ever(
    store: Store, tmp_path: Path, on_the_fly: bool, event: str
) -> None:
    def stored() -> tuple[Stored, list[str]]:
        notices: list[str] = []
        column = PlannedColumn("image", False, processor(), ["image"], FarSource())  # type: ignore[arg-type]
        return ColumnStore(tmp_path, {"data": 1}, 0, on_the_fly, None, notices).store(column), notices

    store.planned["far/7.png"] = [event]
    store.planned["far/9.png"] = ["always"]
    # Nor is the form of a stored value asked of them: the first row is good.
    first, _ = stored()
    assert [row for row, _ in first.bad] == [7, 9]
    again, notices = stored()
    assert again.cached
    assert [row for row, _ in again.bad] == [9]
    assert notices == ["image: 1 sample that could not be read before can be read now"]
    store.planned.clear()
    last, _ = stored()
    assert last.bad == []
    store.reads.clear()
    final, notices = stored()
    assert (final.bad, notices) == ([], [])
    assert set(store.reads) <= {"far/0.png"}  # whose form is asked where nothing is kept
    if not on_the_fly:
        assert final.values is not None
        assert [tuple(map(int, final.values[row, 0, 0])) for row in (7, 9)] == [colour(7), colour(9)]


def test_of_very_many_bad_samples_some_are_tried_first(
    store: Store, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("trainwright.data.storing._TRIED_AGAIN", 8)
    monkeypatch.setattr("trainwright.data.storing._SAMPLED", 3)
    column = PlannedColumn("image", False, processor(), ["image"], FarSource())  # type: ignore[arg-type]
    for row in range(1, COUNT):
        store.planned[f"far/{row}.png"] = ["always"]

    def bad() -> list[int]:
        made = ColumnStore(tmp_path, {}, 0, on_the_fly=False, progress=None, notices=[]).store(column)
        return [row for row, _ in made.bad]

    assert len(bad()) == COUNT - 1
    store.reads.clear()
    assert len(bad()) == COUNT - 1
    assert len(store.reads) <= 4
    store.planned.clear()
    assert bad() == []


def test_a_file_that_crashes_the_decoder_is_not_read_again(store: Store, tmp_path: Path) -> None:
    column = PlannedColumn("image", False, processor(), ["image"], FarSource())  # type: ignore[arg-type]
    made = ColumnStore(tmp_path, {}, 0, on_the_fly=True, progress=None, notices=[])
    key = {"column": ["image"], "processor": column.processor.cache_key()}
    made._checked.store(key, [[3, f"{CRASHED} twice, with SIGSEGV"]])
    store.reads.clear()
    assert made.store(column).bad == [(3, f"{CRASHED} twice, with SIGSEGV")]
    assert "far/3.png" not in store.reads

"""The plain types that travel between sources, processors, the loader and tasks. No torch."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from trainwright.data.archive import open_archive

if TYPE_CHECKING:
    from torch import Tensor

    from trainwright.data.columns import PlannedColumn
    from trainwright.data.retry import Retry
    from trainwright.data.substitutes import Substitutes

Values = Sequence[Any] | np.ndarray  # raw values of a column; NumPy's arrays are no Sequence to typing
Role = str  # "image", "number", "category": what a column is good for, used by `init`


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file that is not read yet: a path, or a member of a zip archive.

    Attributes:
        path: The file, or the archive.
        member: Name inside the archive, None for a plain file.
    """

    path: str
    member: str | None = None

    @property
    def name(self) -> str:
        """What a person calls this file."""
        return self.path if self.member is None else f"{self.path}!{self.member}"

    def read(self) -> bytes:
        """The file's bytes. Raises OSError, KeyError or `ArchiveError`."""
        if self.member is None:
            return _whole(self.path)
        return open_archive(self.path).read(self.member)

    def size(self) -> int:
        """The file's length in bytes. Raises OSError, KeyError or `ArchiveError`."""
        if self.member is None:
            return Path(self.path).stat().st_size
        return open_archive(self.path).members[self.member].size


def _whole(path: str) -> bytes:
    """A file's bytes. Raises OSError where a store gives fewer than it says that there are."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (called per sample)
        data = file.readall()
        size = os.fstat(file.fileno()).st_size
    if len(data) < size:
        raise OSError(errno.EIO, f"the read was cut short: {len(data)} of {size} bytes")
    return data


@dataclass(frozen=True, slots=True)
class Beside:
    """A raw value together with the picture that it belongs to.

    Attributes:
        value: The raw value.
        picture: Raw value of the image column in the same row.
    """

    value: Any
    picture: Any

    @property
    def name(self) -> str:
        """What a person calls the value."""
        return str(getattr(self.value, "name", "its array"))


class Source(Protocol):
    """Where records come from: columns of equal length, read lazily.

    Attributes:
        columns: Name of every column and the role it most likely has.
        notices: What was left out or assumed, in words, each with its count.
        faults: Records that are no rows at all (a ragged line): name and reason.
        slow_columns: Columns that take longer to read or decode than to load as stored values, which
            therefore are cached.
    """

    columns: dict[str, Role]
    notices: Sequence[str]
    faults: Sequence[tuple[str, str]]
    slow_columns: Collection[str]

    def __len__(self) -> int: ...

    def column(self, name: str) -> Values:
        """All raw values of one column: numbers, strings, `RawFile`s or uint8 arrays [H, W, C]."""
        ...

    def splits(self) -> dict[str, np.ndarray] | None:
        """Row numbers (int64) per split where the source itself knows them, else None."""
        ...

    def sample_names(self) -> Sequence[str]:
        """A stable, human-readable name per row (a relative path, `file.csv:17`, ...)."""
        ...

    def files(self) -> list[Path]:
        """Every file that the source reads, annotations included, for the data fingerprint."""
        ...


@dataclass(frozen=True)
class Space:
    """What the training pictures tell of the space that they show.

    Attributes:
        camera: Their projection from metres to pixels of the processed image, row by row `[12]`.
        sizes: Mean height, width and length of each class's objects in metres.
        depth: Geometric mean of the objects' depth in metres.
    """

    camera: tuple[float, ...]
    sizes: tuple[tuple[float, float, float], ...]
    depth: float


@dataclass(frozen=True)
class TensorSpec:
    """What a column looks like to a model, without the batch axis.

    Attributes:
        type: The column's type: `image`, `number`, `category`, ...
        shape: Image `(C, H, W)`, number `(K,)`, category `()`.
        dtype: NumPy name of the dtype that the model gets: `float32` or `int64`.
        classes: Names of the classes of a category, in the order of their ids.
        counts: Number of training samples (objects, pixels) per class.
        void: Id that stands for no class in a mask.
        points: Names of the K points of keypoints.
        edges: Edges `[K + 1]` of a distribution's bins, in the number's own unit.
        space: Camera and common sizes of boxes in space.
    """

    type: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    void: int | None = None
    points: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    space: Space | None = None


class Processor(Protocol):
    """Turns one raw column into a tensor and back. Fitted on the training split, saved as JSON.

    Keyword-only constructor parameters belong to the recipe. `encode` gives the stored form (small
    and cacheable: uint8 `[H, W, C]` for an image); `to_tensor` turns a batch of stored values into
    what the model reads, on the batch's device, so that normalisation is never cached.

    Attributes:
        type: Name in the recipe.
        needs_fit: Whether `fit` must see the training values before `encode`.
        fits_on_encoded: `fit` wants stored values (an array) instead of raw ones.
        fits_on_all: `fit` takes all training rows, however many, block by block; else `data.fit_rows`.
        follows_image: Its values live in an image's pixel space; see `processors/picture_space.py`.
        heavy: A stored value is so large, or takes so long to make, that it is worth a cache.
        reads_picture: `encode` wants a `Beside`: the value with the picture that it belongs to.
    """

    type: ClassVar[str]
    needs_fit: ClassVar[bool]
    fits_on_encoded: ClassVar[bool]
    fits_on_all: ClassVar[bool]
    follows_image: ClassVar[bool]
    heavy: ClassVar[bool]
    reads_picture: ClassVar[bool]

    def inspect(self, values: Values) -> None:
        """Settles, from raw training values, what the first `encode` needs: an image's size, ..."""
        ...

    def survey(self, values: Values) -> list[str]:
        """Settles capacities from the raw values of all rows, which is nothing learned, before `encode`.

        Returns:
            What `encode` will leave out or change, in words, with counts.
        """
        ...

    def fit(self, values: Any) -> None:
        """Learns from the training split's raw or stored values; unreadable ones are passed over."""
        ...

    def encode(self, raw: Any) -> np.ndarray:
        """One stored value, of fixed shape and dtype. Raises `BadSample` with the reason."""
        ...

    def encode_all(self, values: Values) -> np.ndarray:
        """Stored values `[N, ...]` of a whole column; vectorised where that is possible."""
        ...

    def spec(self) -> TensorSpec: ...

    def to_tensor(self, stored: Tensor) -> Tensor | dict[str, Tensor]:
        """What the model reads, of a batch of stored values: one tensor, or several by name."""
        ...

    def decode(self, value: Any) -> Any:
        """The human form of a model-side value: a class name, a number in its unit, a picture."""
        ...

    def cache_key(self) -> dict[str, Any]:
        """What decides the stored form: only these values invalidate a decoded cache."""
        ...

    def state(self) -> dict[str, Any]:
        """JSON from which `from_state` rebuilds the processor without the recipe."""
        ...

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Processor: ...


class BadSample(Exception):
    """One value cannot be read; the policy `data.on_bad` decides what happens.

    Args:
        reason: In words, without the sample's name.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Dropped:
    """A sample that is left out, and why."""

    row: int
    name: str
    column: str
    reason: str


@dataclass
class PreparedData:
    """Data ready to train on: every used column encoded, split, and described. No torch.

    Attributes:
        arrays: Column -> stored values `[N, ...]` over all rows of the source (in RAM or memory-mapped,
            read-only); a dropped row keeps its number, holds zeros and is in no split.
        splits: Split -> int64 row numbers into `arrays`.
        names: Sample names by row.
        inputs: Input columns' processors, in the recipe's order.
        targets: Target columns' processors, in the recipe's order.
        dropped: Samples that were left out.
        fingerprint: Digest of all files (or arrays) behind the data.
        seconds: Where the time went: `fingerprint`, `fit`, `decode`, ...
        cached: Whether the decoded values came from an earlier run's cache.
        streamed: Column -> raw values of all rows, for columns that are decoded on the fly and so are
            not in `arrays`.
        workers: Processes that decode them.
        notices: Decisions and findings that a person should hear of.
        source: Where the raw values come from.
        columns: What each column of the recipe is made of.
        groups: Group of every row, None where the recipe names no group.
        left_out: Those of the dropped samples that the recipe's `data.fixes` leave out.
        sampled: Raw values of all rows, by column of the source that the sampler asks for.
        weights: Weight of every row in the loss, float32 `[N]`; None where all are 1.
        retry: How often a read of streamed values is repeated that fails.
        substitutes: What stands in for streamed values that become unreadable; None to stop at them.
    """

    arrays: dict[str, np.ndarray]
    splits: dict[str, np.ndarray]
    names: Sequence[str]
    inputs: dict[str, Processor]
    targets: dict[str, Processor]
    dropped: list[Dropped] = field(default_factory=list)
    fingerprint: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    cached: bool = False
    streamed: dict[str, Values] = field(default_factory=dict)
    workers: int = 0
    notices: list[str] = field(default_factory=list)
    source: Source | None = None
    columns: list[PlannedColumn] = field(default_factory=list)
    groups: Values | None = None
    left_out: list[Dropped] = field(default_factory=list)
    sampled: dict[str, Values] = field(default_factory=dict)
    weights: np.ndarray | None = None
    retry: Retry | None = None
    substitutes: Substitutes | None = None

    def all_dropped(self) -> list[Dropped]:
        """Samples that were left out from the start, and those that became unreadable in training."""
        return self.dropped + (self.substitutes.dropped() if self.substitutes is not None else [])

    def info(self) -> DataInfo:
        """The description that tasks build from."""
        return DataInfo.of(self.inputs, self.targets, self.splits)


def decoder_of(processor: Processor) -> Callable[[Any], Any]:
    """From model-side values of a batch to those in their own unit: of pictures, floats from 0 to 255."""
    found: Callable[[Any], Any] = getattr(processor, "pixels_of", processor.decode)
    return found


@dataclass(frozen=True)
class DataInfo:
    """What a task may know about the data when it builds a model.

    Attributes:
        inputs: Input column -> what the model reads.
        targets: Target column -> what it learns.
        sizes: Split -> number of rows.
        decoders: Target column -> model-side values in their own unit, for metrics.
    """

    inputs: dict[str, TensorSpec]
    targets: dict[str, TensorSpec]
    sizes: dict[str, int]
    decoders: dict[str, Callable[[Any], Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        inputs: Mapping[str, Processor],
        targets: Mapping[str, Processor],
        splits: Mapping[str, np.ndarray],
    ) -> DataInfo:
        """What the processors of the columns, as far as they are fitted, tell of them."""
        return cls(
            inputs={name: item.spec() for name, item in inputs.items()},
            targets={name: item.spec() for name, item in targets.items()},
            sizes={name: len(rows) for name, rows in splits.items()},
            decoders={name: decoder_of(item) for name, item in targets.items()},
        )

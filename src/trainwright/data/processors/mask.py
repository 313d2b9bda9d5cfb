"""Masks: a class for every pixel of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from trainwright.data.processors import mask_reading as reading
from trainwright.data.processors.object_column import as_array
from trainwright.data.processors.outlines import nearest, restored
from trainwright.data.processors.picture_space import PictureSpace
from trainwright.data.types import BadSample, Beside, TensorSpec
from trainwright.errors import RecipeError

if TYPE_CHECKING:
    from torch import Tensor

_BYTE_CLASSES = 255  # ids 0 to 254 and void fit into a byte
_COUNTED_AT_ONCE = 64  # masks

DEAD_WHEN = {
    "MaskProcessor": {"classes": "palette != None", "ids": "palette != None", "void": "palette != None"}
}


class MaskProcessor(PictureSpace):
    """A class id per pixel, stored as uint8 `[H, W]` (int16 from 256 classes on), int64 in a batch.

    Mask files hold class ids (PNG with a palette, or gray of 8 or 16 bit), or colours that `palette`
    explains. A mask has the size of its upright picture; one that has the size of the stored picture only,
    which EXIF turns, is turned with it. Any other size and any id that is no class make a bad sample.
    Resizing takes the nearest pixel; a letterbox's border is void.

    Args:
        classes: Names of the classes in the order of their ids; when absent those that the source names,
            and from there the ids up to the largest of the training split, to which all other splits and
            later data are held.
        ids: Ids that stand in the files for the classes in their order, where they are not 0, 1, 2, ...
        void: Ids that stand for no class; the model sees 255 (-1 from 256 classes on).
        palette: Class -> its colour `[red, green, blue]`, for masks that hold colours.
        unknown: A pixel of no known class makes a bad sample, or is void.
        image: The image input whose size and resize rule it follows; the only one when absent.
    """

    type = "mask"
    needs_fit = True
    fits_on_encoded = True
    reads_picture = True
    selecting: ClassVar[tuple[str, ...]] = ("unknown",)  # changes nothing of what was learned

    def __init__(
        self,
        *,
        classes: list[str] | None = None,
        ids: list[int] | None = None,
        void: list[int] = [255],  # noqa: B006 - plain data of a recipe, never changed
        palette: dict[str, list[int]] | None = None,
        unknown: Literal["error", "void"] = "error",
        image: str | None = None,
    ) -> None:
        super().__init__(image)
        if ids is not None and (classes is None or len(ids) != len(classes)):
            raise RecipeError(
                "`ids` needs one id for each of `classes`",
                where="ids",
                fix="give `ids` and `classes` of the same length",
            )
        if palette is not None and any(len(colour) != 3 for colour in palette.values()):
            raise RecipeError(
                "a colour is [red, green, blue]",
                where="palette",
                fix="give three numbers from 0 to 255 per class",
            )
        self._given, self.ids, self.void, self.palette = classes, ids, void, palette
        self.unknown = unknown
        self._named: list[str] = []
        self.classes: list[str] = list(palette) if palette is not None else classes or []
        self.counts: list[int] = []

    @property
    def _finds_classes(self) -> bool:
        """Whether the classes come from the training masks."""
        return self._given is None and self.palette is None

    @property
    def void_id(self) -> int:
        """What stands for no class, stored and in the model's tensors."""
        return 255 if len(self.classes) <= _BYTE_CLASSES else -1

    @property
    def file_ids(self) -> list[int]:
        """Ids that stand for the classes in mask files, in the order of the classes."""
        return self.ids if self.ids is not None else list(range(len(self.classes)))

    @property
    def file_void(self) -> int:
        """Id that stands for no class in mask files; the first of those given."""
        free = next(id for id in (255, *range(1 << 16)) if id not in self.file_ids)
        return self.void[0] if self.void and self.void[0] >= 0 else free

    def name_classes(self, names: Sequence[str]) -> None:
        """Takes the source's names of the ids from 0 on, also of those without a pixel in training."""
        self._named = list(names) if len(names) <= _BYTE_CLASSES else []

    def fit(self, values: Any) -> None:
        """Finds the classes of stored training masks `[N, H, W]`, unless given, and counts their pixels."""
        counts = np.zeros(max(256, len(self.classes)), dtype=np.int64)
        for start in range(0, len(values), _COUNTED_AT_ONCE):
            part = np.asarray(values[start : start + _COUNTED_AT_ONCE])
            kept = part[part != self.void_id].reshape(-1)
            counts += np.bincount(kept, minlength=len(counts))
        if self._finds_classes:
            present = np.flatnonzero(counts)
            further = range(len(self._named), int(present.max(initial=-1)) + 1)
            self.classes = [*self._named, *map(str, further)]
        self.counts = counts[: len(self.classes)].tolist()

    def strict(self) -> MaskProcessor | None:
        """One that takes the classes that were learned for given ones; None where it would be the same."""
        if not self._finds_classes or self.unknown == "void" or not self.classes:
            return None
        made = MaskProcessor(**{**self.parameters(), "classes": self.classes})
        made.geometry = self.geometry
        return made

    def misfits(self, values: Any) -> npt.NDArray[np.int64]:
        """Places of stored masks `[N, H, W]` with an id above those of the training split."""
        found = [np.zeros(0, dtype=np.int64)]
        for start in range(0, len(values), _COUNTED_AT_ONCE):
            part = np.asarray(values[start : start + _COUNTED_AT_ONCE])
            beyond = (part >= len(self.classes)) & (part != self.void_id)
            found.append(start + np.flatnonzero(beyond.any(axis=(1, 2))))
        return np.concatenate(found)

    def encode(self, raw: Any) -> np.ndarray:
        """Class ids uint8 or int16 `[H, W]`. Raises `BadSample` with sizes and ids."""
        value, picture = (raw.value, raw.picture) if isinstance(raw, Beside) else (raw, None)
        pixels = reading.upright_like(reading.pixels_of(value), picture)
        ids = self._from_colours(pixels) if self.palette is not None else self._from_ids(pixels)
        wide = ids.dtype != np.uint8
        placed = nearest(ids.astype(np.int32) if wide else ids, self.place(*ids.shape[:2]), self.void_id)
        return placed.astype(np.int16) if wide else placed

    def holds_truth(self, stored: np.ndarray) -> bool:
        """Whether a pixel has a class."""
        return bool(((stored != self.void_id) & (stored < len(self.classes))).any())

    def spec(self) -> TensorSpec:
        """A class id per pixel."""
        return TensorSpec(
            "mask", self.size, "int64", tuple(self.classes), tuple(self.counts), void=self.void_id
        )

    def to_tensor(self, stored: Tensor) -> Tensor:
        """Class ids int64 `[B, H, W]`, `void_id` where there is none."""
        ids = stored.long()
        if self._finds_classes and self.unknown == "void":
            ids = ids.masked_fill(ids >= len(self.classes), self.void_id)
        return ids

    def decode(self, value: Any, size: tuple[int, int] | None = None) -> npt.NDArray[np.int64]:
        """Class ids `[H, W]` of one picture; `classes` has their names.

        Args:
            value: Class ids of the processed image, or the shares `[C, H, W]` of a mixed one.
            size: Height and width of the original picture, whose pixels are then meant.
        """
        ids = as_array(value)
        if ids.ndim == 3:
            ids = np.where(ids.any(axis=0), ids.argmax(axis=0), self.void_id)
        ids = ids.astype(np.int64)
        return ids if size is None else restored(ids, self.place(*size), size, self.void_id)

    def parameters(self) -> dict[str, Any]:
        """See `__init__`."""
        return {
            "classes": self._given,
            "ids": self.ids,
            "void": self.void,
            "palette": self.palette,
            "unknown": self.unknown,
            "image": self.image,
        }

    def fitted(self) -> dict[str, Any]:
        """The image's geometry, classes, and pixels per class in training."""
        return super().fitted() | {"classes": self.classes, "counts": self.counts}

    def cache_key(self) -> dict[str, Any]:
        """Everything that shapes the stored ids; what is learned of them does not."""
        return {"type": self.type, "parameters": self.parameters(), "geometry": self.geometry.state()}

    def _from_ids(self, pixels: np.ndarray) -> np.ndarray:
        if pixels.ndim == 3:
            raise BadSample("the mask holds colours; explain them with `palette`")
        low, high = int(pixels.min()), int(pixels.max())
        if low < 0 or high > np.iinfo(np.uint16).max:
            raise BadSample(f"class ids go from {low} to {high}")
        count = _BYTE_CLASSES if self._given is None else len(self._given)
        table = np.full(max(high + 1, 256), -2, dtype=np.int32)
        for place, id in enumerate(self.ids if self.ids is not None else range(count)):
            if 0 <= id < len(table):
                table[id] = place
        table[[id for id in self.void if 0 <= id < len(table)]] = self.void_id
        ids = table[pixels]
        return self._checked(ids, pixels, f"among the {count} classes" if self._given else "from 0 to 254")

    def _from_colours(self, pixels: np.ndarray) -> np.ndarray:
        assert self.palette is not None
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[:, :, None], 3, axis=2)
        packed = pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32)
        codes = np.array([(r << 16) + (g << 8) + b for r, g, b in self.palette.values()], dtype=np.int32)
        order = np.argsort(codes)
        found = np.searchsorted(codes[order], packed).clip(0, len(codes) - 1)
        ids = np.where(codes[order][found] == packed, order[found], -2).astype(np.int32)
        return self._checked(ids, packed, f"among the {len(codes)} colours of the palette")

    def _checked(self, ids: np.ndarray, pixels: np.ndarray, known: str) -> np.ndarray:
        unknown = ids == -2
        if unknown.any():
            if self.unknown == "error":
                values, counts = np.unique(pixels[unknown], return_counts=True)
                listed = ", ".join(
                    f"{self._shown(int(value))} ({count} pixels)"
                    for value, count in zip(values[:5], counts[:5], strict=True)
                )
                more = f" and {len(values) - 5} more" if len(values) > 5 else ""
                kind = "colour" if self.palette is not None else "class id"
                raise BadSample(f"{kind} {listed}{more} is not {known}")
            ids = np.where(unknown, self.void_id, ids)
        return ids.astype(np.int16 if self.void_id < 0 else np.uint8)

    def _shown(self, value: int) -> str:
        if self.palette is None:
            return str(value)
        return str([value >> 16, value >> 8 & 255, value & 255])

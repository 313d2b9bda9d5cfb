"""Text: words become numbers by a vocabulary of the training split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from trainwright.data.blocks import BlockValues, CodedValues, blocks_of, evenly_spaced
from trainwright.data.processors.base import ColumnProcessor
from trainwright.data.types import BadSample, TensorSpec, Values
from trainwright.errors import RecipeError
from trainwright.fields import PositiveInt

if TYPE_CHECKING:
    from torch import Tensor

PADDING, UNKNOWN = 0, 1
_SPECIAL = ("", "<unknown>")  # ids 0 and 1 have no word
_SURVEYED = 10_000  # texts whose length is looked at


class TextProcessor(ColumnProcessor):
    """A text as the ids of its words, stored as int32 `[L]` and given to the model as int64 `[L]`.

    Id 0 fills the end of short texts, 1 is a word outside the vocabulary; words have ids from 2 in the
    order of how often the training split has them, and of the alphabet where that is equal. Longer texts
    are cut.

    Args:
        length: Words (or characters) of a text that are kept, L.
        vocabulary: Most words that have an id of their own.
        level: What gets an id.
        lower: Whether upper and lower case are the same.
        filters: Characters that count as spaces.
        missing: `error` makes a missing text a bad sample, `empty` takes it for one without words.
    """

    type = "text"
    needs_fit = True

    def __init__(
        self,
        *,
        length: PositiveInt = 64,
        vocabulary: PositiveInt = 10_000,
        level: Literal["word", "character"] = "word",
        lower: bool = True,
        filters: str = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n',
        missing: Literal["error", "empty"] = "error",
    ) -> None:
        if level == "word" and " " in filters and len(filters) == 1:
            raise RecipeError("a space separates words already", where="filters", fix="remove filters")
        self.length, self.vocabulary, self.level = length, vocabulary, level
        self.lower, self.filters, self.missing = lower, filters, missing
        self._spaces = str.maketrans(dict.fromkeys(filters, " "))
        self.words: list[str] = []
        self._ids: dict[str, int] = {}

    def fit(self, values: Values) -> None:
        """Counts the words of raw training texts, and keeps the most frequent ones."""
        found: Counter[str] = Counter()
        for text, count in _texts(values):
            try:
                for word in self.split(text):
                    found[word] += count
            except BadSample:
                continue
        ranked = sorted(found, key=lambda word: (-found[word], word))
        self._set_words(ranked[: self.vocabulary])

    def survey(self, values: Values) -> list[str]:
        """How many texts are cut, among evenly spaced ones."""
        rows = evenly_spaced(np.arange(len(values)), _SURVEYED)
        shown = (
            values.take(rows).tolist() if isinstance(values, BlockValues) else [values[row] for row in rows]
        )
        cut = sum(self._is_cut(text) for text in shown)
        if not cut:
            return []
        return [f"{cut} of {len(shown)} texts that were looked at are longer than {self.length} and are cut"]

    def split(self, raw: Any) -> Sequence[str]:
        """The words (or characters) of a raw text. Raises `BadSample` for what is none."""
        if raw is None or raw != raw:
            if self.missing == "empty":
                return ()
            raise BadSample("the text is missing")
        if isinstance(raw, bytes | list | dict | np.ndarray):
            raise BadSample(f"a {type(raw).__name__} is no text")
        text = str(raw).translate(self._spaces)
        text = text.lower() if self.lower else text
        return text.split() if self.level == "word" else " ".join(text.split())

    def encode(self, raw: Any) -> np.ndarray:
        """Ids of the words, int32 `[L]`. Raises `BadSample` for a missing text."""
        ids = [self._ids.get(word, UNKNOWN) for word in self.split(raw)[: self.length]]
        return np.array(ids + [PADDING] * (self.length - len(ids)), dtype=np.int32)

    def encode_all(self, values: Values) -> np.ndarray:
        """Ids of the words of all texts, int32 `[N, L]`. Raises `BadSample` for the first bad one."""
        if isinstance(values, CodedValues):
            used, places = np.unique(values.codes, return_inverse=True)
            return self.encode_all([values.distinct[code] for code in used.tolist()])[places]
        stored: npt.NDArray[np.int32] = np.zeros((len(values), self.length), dtype=np.int32)
        for row, raw in enumerate(values):
            ids = [self._ids.get(word, UNKNOWN) for word in self.split(raw)[: self.length]]
            stored[row, : len(ids)] = ids
        return stored

    def spec(self) -> TensorSpec:
        """L ids; its classes are the words in the order of their ids."""
        return TensorSpec("text", (self.length,), "int64", (*_SPECIAL, *self.words))

    def to_tensor(self, stored: Tensor) -> Tensor:
        """Ids `[B, L]` int64."""
        return stored.long()

    def decode(self, value: Any) -> str:
        """The words of ids `[L]`, without the padding."""
        names = (*_SPECIAL, *self.words)
        ids = value.tolist() if hasattr(value, "tolist") else list(value)
        return ("" if self.level == "character" else " ").join(
            names[place] for place in ids if place != PADDING
        )

    def parameters(self) -> dict[str, Any]:
        """See `__init__`."""
        names = ("length", "vocabulary", "level", "lower", "filters", "missing")
        return {name: getattr(self, name) for name in names}

    def fitted(self) -> dict[str, Any]:
        """The words in the order of their ids, from 2."""
        return {"words": self.words}

    def restore(self, fitted: dict[str, Any]) -> None:
        """Sets the words."""
        self._set_words(fitted["words"])

    def _set_words(self, words: list[str]) -> None:
        self.words = words
        self._ids = {word: place for place, word in enumerate(words, start=len(_SPECIAL))}

    def _is_cut(self, raw: Any) -> bool:
        try:
            return len(self.split(raw)) > self.length
        except BadSample:
            return False


def _texts(values: Values) -> Iterator[tuple[Any, int]]:
    """Texts and how often they stand there."""
    for _, block in blocks_of(values):
        if isinstance(block, CodedValues):
            counts = np.bincount(block.codes, minlength=len(block.distinct)).tolist()
            yield from ((text, count) for text, count in zip(block.distinct, counts, strict=True) if count)
        else:
            yield from ((text, 1) for text in block)

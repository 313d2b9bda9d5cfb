"""Text: the vocabulary against counting by hand, and the way back."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data.blocks import CodedValues
from trainwright.data.processors.text import TextProcessor
from trainwright.data.types import BadSample

TEXTS = ["The cat, the dog.", "A dog!", "the end"]


def fitted(texts=TEXTS, **options) -> TextProcessor:
    processor = TextProcessor(**options)
    processor.fit(texts)
    return processor


def test_words_by_frequency_then_alphabet():
    processor = fitted(length=4)
    assert processor.words == ["the", "dog", "a", "cat", "end"]
    assert processor.encode("The CAT sat").tolist() == [2, 5, 1, 0]
    assert processor.encode("dog dog dog dog dog").tolist() == [3] * 4
    assert processor.decode([2, 5, 1, 0]) == "the cat <unknown>"
    spec = processor.spec()
    assert (spec.shape, spec.dtype, len(spec.classes)) == ((4,), "int64", 7)


def test_the_vocabulary_is_cut_to_the_most_frequent():
    assert fitted(vocabulary=2).words == ["the", "dog"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lower": False}, ["dog", "the", "A", "The", "cat", "end"]),
        ({"filters": ""}, ["the", "a", "cat,", "dog!", "dog.", "end"]),
    ],
)
def test_case_and_filters(options, words):
    assert fitted(**options).words == words


def test_characters():
    processor = fitted(["aab", "a"], level="character", length=5)
    assert processor.words == ["a", "b"]
    assert processor.decode(processor.encode("abz")) == "ab<unknown>"


@given(st.lists(st.text("ab C.", max_size=12), min_size=1, max_size=20))
def test_every_word_has_the_rank_of_its_count(texts):
    processor = fitted(texts, length=6)
    counts = Counter(word for text in texts for word in text.replace(".", " ").lower().split())
    assert processor.words == [
        word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    stored = processor.encode_all(texts)
    assert stored.dtype == np.int32
    np.testing.assert_array_equal(stored, np.stack([processor.encode(text) for text in texts]))
    for text, row in zip(texts, stored, strict=True):
        assert processor.decode(row) == " ".join(text.replace(".", " ").lower().split()[:6])


def test_texts_that_are_equal_are_read_once_and_count_each():
    texts = ["b", "a", "b", "c c"]
    coded = CodedValues(["a", "b", "c c", "never"], np.array([1, 0, 1, 2]))
    plain, from_codes = fitted(texts, length=2), fitted(coded, length=2)
    assert from_codes.words == plain.words == ["b", "c", "a"]
    np.testing.assert_array_equal(from_codes.encode_all(coded), plain.encode_all(texts))


def test_the_saved_state_encodes_alike():
    processor = fitted(length=3)
    again = TextProcessor.from_state(processor.state())
    np.testing.assert_array_equal(again.encode_all(TEXTS), processor.encode_all(TEXTS))


def test_missing_texts_and_what_is_none():
    with pytest.raises(BadSample, match="missing"):
        fitted().encode(None)
    assert fitted(missing="empty", length=2).encode(float("nan")).tolist() == [0, 0]
    assert fitted([12, 7], length=1).encode(12).tolist() == [2]
    with pytest.raises(BadSample, match="list is no text"):
        fitted().encode([1])


def test_texts_that_are_cut_are_told():
    assert fitted(length=2).survey(TEXTS) == [
        "1 of 3 texts that were looked at are longer than 2 and are cut"
    ]
    assert fitted(length=4).survey(TEXTS) == []

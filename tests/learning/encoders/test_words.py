"""Words as vectors, those of sentences that are longer than an encoder reads at once too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlfuncs.learning.encoders.word_tokens import windows
from sqlfuncs.learning.encoders.words import WordEncoder, of_fast
from tests.conftest import needs_local

AT_ONCE = 254  # of MiniLM's tokens, two mark the ends
NAMES = ["anna", "left", "paris", "early", "and", "the", "train", "was", "late", "again"]


@pytest.fixture
def encoder() -> WordEncoder:
    found = of_fast()
    assert found is not None
    return found


@given(st.lists(st.integers(1, 9), max_size=120), st.integers(9, 30))
def test_each_word_is_taken_once_and_no_window_is_too_long(
    lengths: list[int], longest: int
) -> None:
    found = list(windows(lengths, longest))
    assert [word for _, taken in found for word in taken] == list(range(len(lengths)))
    for part, taken in found:
        assert part.start <= taken.start and taken.stop <= part.stop
        assert 0 < sum(lengths[word] for word in part) <= longest


@given(st.integers(1, 500), st.integers(16, 60))
def test_a_word_has_an_eighth_of_a_window_on_both_sides(words: int, longest: int) -> None:
    for part, taken in windows([1] * words, longest):
        before, after = taken.start - part.start, part.stop - taken.stop
        assert part.start == 0 or before >= longest // 8
        assert part.stop == words or after >= longest // 8


@needs_local
def test_every_word_of_a_long_sentence_is_read_with_the_one_before_it(
    encoder: WordEncoder,
) -> None:
    words = [NAMES[place % len(NAMES)] for place in range(AT_ONCE + 50)]
    usual = encoder.encode([words])
    places = range(AT_ONCE - 3, AT_ONCE + 4)
    others = [[*words[: place - 1], "seven", *words[place:]] for place in places]
    found = np.split(encoder.encode(others), len(others))
    for place, other in zip(places, found, strict=True):
        assert np.abs(other[place] - usual[place]).max() > 0.01, place


@needs_local
def test_words_far_beyond_the_limit_are_read_as_in_a_sentence_of_their_own(
    encoder: WordEncoder,
) -> None:
    words = [NAMES[place * place % 7 + place % 4] for place in range(2000)]
    found = encoder.encode([words, words[:3]])
    assert found.shape == (2003, encoder.width)
    places = range(300, 2000, 170)
    alone = encoder.encode([words[place - 40 : place + 40] for place in places])[40::80]
    for place, near in zip(places, alone, strict=True):
        cosines = found @ near / np.linalg.norm(found, axis=1) / np.linalg.norm(near)
        assert cosines[place] > 0.7 and words[int(cosines.argmax())] == words[place]


@needs_local
@pytest.mark.parametrize("odd", ["", "\u200b", "\x00", " ", "\ud800", "x" * 5000])
def test_no_word_is_read_as_nothing(encoder: WordEncoder, odd: str) -> None:
    found = encoder.encode([[odd], ["anna", odd, "left"], [], [odd] * 300])
    assert found.shape == (304, encoder.width)
    assert np.all(np.linalg.norm(found, axis=1) > 1)

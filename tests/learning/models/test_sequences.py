"""Labels that may follow each other: how they are told, and the likeliest ones."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqlfuncs.learning.labels.words import Sentences
from sqlfuncs.learning.models.sequences import Scheme, likeliest, repaired

IOB2, IOBES, FREE = Scheme(begins=True), Scheme(begins=True, ends=True), Scheme()
_NAMES = ("B-A", "B-B", "I-A", "I-B", "O")
_ENDED = ("B-A", "E-A", "I-A", "O", "S-A")


def _codes(text: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([_NAMES.index(each) for each in text.split()], dtype=np.int64)


def _is_valid(labels: list[str], scheme: Scheme) -> bool:
    """By the rules as they are written down, word by word."""
    for before, after in zip(["O", *labels], [*labels, "O"], strict=True):
        goes_on = before[0] in "BI" and after[0] in "IE" and before[2:] == after[2:]
        if scheme.begins and after[0] in "IE" and not goes_on:
            return False
        if scheme.ends and before[0] in "BI" and not goes_on:
            return False
    return True


@pytest.mark.parametrize(
    ("lists", "scheme"),
    [
        ([["B-A", "I-A", "O"], ["B-B", "B-B"]], IOB2),
        ([["B-A", "E-A", "O"], ["S-B", "B-A", "I-A", "E-A"]], IOBES),
        ([["I-A", "I-A", "O", "I-B"], ["I-A", "B-A"]], FREE),  # IOB1
        ([["A", "A", "O"]], FREE),
        ([["NOUN", "VERB", "I-", "B"]], FREE),
        ([["B-A", "O"]] * 9 + [["O", "I-A"]], IOB2),  # one is mislabelled
        ([], FREE),
    ],
)
def test_a_scheme_is_told_by_most_entities(lists: list[list[str]], scheme: Scheme) -> None:
    assert Scheme.of(lists) == scheme


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_the_likeliest_of_all_valid_ones(data: st.DataObject) -> None:
    scheme, names = data.draw(st.sampled_from([(IOB2, _NAMES), (IOBES, _ENDED), (FREE, _NAMES)]))
    lengths = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=3))
    drawn = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    probs = drawn.dirichlet(np.full(len(names), 0.5), size=sum(lengths))
    sentences = Sentences(np.array(lengths))
    found = likeliest(probs, sentences, scheme.allowed(names))
    for start, length in zip(sentences.starts, lengths, strict=True):
        own, logs = found[start : start + length], np.log(np.maximum(probs, 1e-12))
        valid = [
            codes
            for codes in product(range(len(names)), repeat=length)
            if _is_valid([names[at] for at in codes], scheme)
        ]
        scores = [sum(logs[start + at, code] for at, code in enumerate(each)) for each in valid]
        said = sum(logs[start + at, code] for at, code in enumerate(own))
        assert tuple(own) in valid
        assert said == pytest.approx(max(scores))


def test_what_names_leave_no_way_to_is_not_asked_for() -> None:
    probs = np.array([[0.1, 0.9], [0.9, 0.1]])
    two = Sentences(np.array([2]))
    # Without a B-A an entity has to begin with its inside; without an E-A it may stop.
    assert likeliest(probs, two, IOB2.allowed(("O", "I-A"))).tolist() == [1, 0]
    assert likeliest(probs, two, IOBES.allowed(("O", "B-A"))).tolist() == [1, 0]


def test_labels_without_a_scheme_are_the_likeliest_of_each_word() -> None:
    probs = np.random.default_rng(0).dirichlet(np.ones(5), size=30)
    found = likeliest(probs, Sentences(np.array([30])), FREE.allowed(_NAMES))
    assert found.tolist() == probs.argmax(axis=1).tolist()


def test_a_row_of_many_words() -> None:
    probs = np.random.default_rng(1).dirichlet(np.ones(5), size=10_000)
    found = likeliest(probs, Sentences(np.array([10_000])), IOB2.allowed(_NAMES))
    assert _is_valid([_NAMES[at] for at in found], IOB2)
    assert (found != probs.argmax(axis=1)).mean() > 0.1


@pytest.mark.parametrize(
    ("told", "suggested", "likely", "expected"),
    [
        ("B-A I-A O", "O I-A O", {(1, "O"): 0.3}, "O O O"),  # not back to what was doubted
        ("B-A I-A O", "O I-A O", {(1, "B-A"): 0.3}, "O B-A O"),
        ("B-A I-A O", "B-B I-A O", {(1, "I-B"): 0.2}, "B-B I-B O"),
        ("B-A I-A O", "B-A O O", {}, "B-A O O"),  # valid
        ("O O", "I-A O", {(0, "B-A"): 0.4}, "B-A O"),
    ],
)
def test_as_few_changes_as_it_takes(
    told: str, suggested: str, likely: dict[tuple[int, str], float], expected: str
) -> None:
    codes = _codes(suggested)
    probs = np.full((len(codes), len(_NAMES)), 0.01)
    for (word, label), value in likely.items():
        probs[word, _NAMES.index(label)] = value
    found = repaired(
        codes,
        _codes(told),
        probs,
        Sentences(np.array([len(codes)])),
        IOB2.allowed(_NAMES),
        np.array([True]),
    )
    assert found.tolist() == _codes(expected).tolist()


@pytest.mark.parametrize(("scheme", "names"), [(IOB2, _NAMES), (IOBES, _ENDED)])
def test_whatever_is_suggested_becomes_valid(scheme: Scheme, names: tuple[str, ...]) -> None:
    random = np.random.default_rng(0)
    sentences = Sentences(random.integers(0, 7, 200))
    words = int(sentences.lengths.sum())
    codes, told = (random.integers(0, len(names), words) for _ in range(2))
    probs = random.dirichlet(np.ones(len(names)), words)
    every, allowed = np.ones(200, dtype=bool), scheme.allowed(names)
    found = repaired(codes, told, probs, sentences, allowed, every)
    ends = np.cumsum(sentences.lengths)[:-1]
    for before, after in zip(np.split(codes, ends), np.split(found, ends), strict=True):
        assert _is_valid([names[at] for at in after], scheme)
        was_valid = _is_valid([names[at] for at in before], scheme)
        assert not was_valid or (before == after).all()
    assert (repaired(codes, told, probs, sentences, allowed, ~every) == codes).all()


def test_sentences_with_a_word_of_no_label_stay() -> None:
    codes, probs = np.array([-1, 2, 4, 2]), np.full((4, 5), np.nan)
    two, every = Sentences(np.array([2, 2])), np.array([True, True])
    found = repaired(codes, codes, probs, two, IOB2.allowed(_NAMES), every)
    assert found.tolist()[:2] == [-1, 2]
    assert _is_valid([_NAMES[at] for at in found[2:]], IOB2)

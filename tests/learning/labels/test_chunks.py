"""Schemes of labels of words: which they keep to, and what is mended to be valid."""

from __future__ import annotations

import numpy as np
import pytest

from sqlfuncs.learning.labels.chunks import Scheme
from sqlfuncs.learning.labels.words import Sentences

IOB2 = ("B-A", "B-B", "I-A", "I-B", "O")
IOBES = ("B-A", "E-A", "I-A", "O", "S-A")


def _scheme(names: tuple[str, ...]) -> Scheme:
    lists: dict[tuple[str, ...], list[list[str]]] = {
        IOB2: [["B-A", "I-A", "O", "B-B"], ["O", "I-A"]],  # one that somebody got wrong
        IOBES: [["B-A", "I-A", "E-A", "O", "S-A"], ["B-A", "E-A"]],
    }
    scheme = Scheme.of(names, lists[names])
    assert scheme is not None
    return scheme


def _codes(names: tuple[str, ...], text: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([names.index(each) for each in text.split()], dtype=np.int64)


@pytest.mark.parametrize(
    ("names", "valid", "invalid"),
    [
        (IOB2, ["B-A I-A I-A", "B-A B-A", "O", "B-A B-B I-B"], ["I-A", "O I-A", "B-A I-B"]),
        (
            IOBES,
            ["B-A E-A", "S-A S-A", "B-A I-A E-A O"],
            ["B-A", "B-A O", "I-A E-A", "S-A E-A", "B-A S-A", "E-A", "B-A I-A"],
        ),
    ],
)
def test_what_is_valid(names: tuple[str, ...], valid: list[str], invalid: list[str]) -> None:
    scheme = _scheme(names)
    assert all(scheme.is_valid(_codes(names, each)) for each in valid)
    assert not any(scheme.is_valid(_codes(names, each)) for each in invalid)
    assert scheme.is_valid(np.array([], dtype=np.int64))


@pytest.mark.parametrize(
    ("names", "lists"),
    [
        (("LOC", "O", "PER"), [["PER", "PER", "O"]]),  # IO
        (("I-A", "O"), [["I-A", "O"]]),
        (("B-A", "I-A", "O"), [["I-A", "B-A", "O"], ["I-A", "I-A"]]),  # IOB1
        (("B-A", "I-A", "NOUN"), [["B-A", "I-A", "NOUN"]]),  # something else
    ],
)
def test_schemes_without_rules(names: tuple[str, ...], lists: list[list[str]]) -> None:
    assert Scheme.of(names, lists) is None


@pytest.mark.parametrize(
    ("given", "suggested", "likely", "expected"),
    [
        ("B-A I-A O", "O I-A O", {(1, "O"): 0.3}, "O O O"),  # not back to what was doubted
        ("B-A I-A O", "O I-A O", {(1, "B-A"): 0.3}, "O B-A O"),
        ("B-A I-A O", "B-B I-A O", {(1, "I-B"): 0.2}, "B-B I-B O"),
        ("B-A I-A O", "B-A O O", {}, "B-A O O"),  # valid
        ("O O", "I-A O", {(0, "B-A"): 0.4}, "B-A O"),
    ],
)
def test_as_few_changes_as_it_takes(
    given: str, suggested: str, likely: dict[tuple[int, str], float], expected: str
) -> None:
    codes = _codes(IOB2, suggested)
    probs = np.full((len(codes), len(IOB2)), 0.01)
    for (word, label), value in likely.items():
        probs[word, IOB2.index(label)] = value
    found = _scheme(IOB2).repaired(
        Sentences(np.array([len(codes)])), codes, _codes(IOB2, given), probs, np.array([True])
    )
    assert found.tolist() == _codes(IOB2, expected).tolist()


@pytest.mark.parametrize("names", [IOB2, IOBES])
def test_whatever_is_suggested_becomes_valid(names: tuple[str, ...]) -> None:
    random = np.random.default_rng(0)
    scheme, sentences = _scheme(names), Sentences(random.integers(0, 7, 200))
    words = int(sentences.lengths.sum())
    codes, given = (random.integers(0, len(names), words) for _ in range(2))
    probs = random.dirichlet(np.ones(len(names)), words)
    every = np.ones(200, dtype=bool)
    found = scheme.repaired(sentences, codes, given, probs, every)
    ends = np.cumsum(sentences.lengths)[:-1]
    for before, after in zip(np.split(codes, ends), np.split(found, ends), strict=True):
        assert scheme.is_valid(after)
        assert not scheme.is_valid(before) or (before == after).all()
    assert (scheme.repaired(sentences, codes, given, probs, ~every) == codes).all()

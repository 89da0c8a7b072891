"""Labels of the words of a sentence that go together: which may follow which, and the likeliest.

Where a beginning is marked (IOB2) no entity begins with its inside; where the end is as well
(IOBES), none stops without it. Which of the two labels are is told by those that are learned: IOB1,
IO and labels without a prefix follow each other as they like.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.labels.words import Sentences
from sqlfuncs.statistics.entities import split

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

_LEAST = 1e-12
_KEPT = 1e4  # more than the logarithms of the probabilities of any sentence's words
_FORBIDDEN = (
    -1e12
)  # less than all else: nothing that is not allowed is said where aught else can be
_OPEN, _INSIDE = ("B", "I"), ("I", "E")


@dataclass(frozen=True)
class Scheme:
    """What holds of the labels of entities: `begins` with B or S; `ends` with E or S."""

    begins: bool = False
    ends: bool = False

    @classmethod
    def of(cls, lists: Iterable[Sequence[str] | None]) -> Scheme:
        """What holds of most entities in some labels: a few are mislabelled.

        >>> Scheme.of([["B-A", "I-A", "O", "B-A"]]), Scheme.of([["I-A", "I-A", "O"]])
        (Scheme(begins=True, ends=False), Scheme(begins=False, ends=False))
        """
        begun = ended = unbegun = unended = 0
        for own in lists:
            labels = own or []
            for before, after in zip(["O", *labels], [*labels, "O"], strict=True):
                begun += _has(after, ("B", "S"))
                ended += _has(after, ("E", "S"))
                unbegun += _has(after, _INSIDE) and not _goes_on(before, after)
                unended += _has(before, _OPEN) and not _goes_on(before, after)
        return cls(begun > unbegun, ended > unended)

    def allowed(self, names: Sequence[str]) -> Mask:
        """Which label may follow which, (names + 1, names + 1): the last stands for no word.

        What `names` leave no way to is not asked for.
        """
        whole = [*names, "O"]
        goes_on = np.array([[_goes_on(a, b) for b in whole] for a in whole], dtype=bool)
        found = np.ones_like(goes_on)
        if self.begins:
            inside = np.array([_has(name, _INSIDE) for name in whole])
            has_begin = np.array([f"B-{split(name)[1]}" in names for name in whole])
            found &= goes_on | ~(inside & has_begin)[None, :]
        if self.ends:
            opened = np.array([_has(name, _OPEN) for name in whole])
            has_end = np.array([f"E-{split(name)[1]}" in names for name in whole])
            found &= goes_on | ~(opened & has_end)[:, None]
        return found


def likeliest(probs: Floats, sentences: Sentences, allowed: Mask) -> Codes:
    """The likeliest labels of the words of each sentence that may follow each other: (words,).

    `probs` (words, labels); `allowed` (labels + 1, labels + 1) as `Scheme.allowed` has it.
    """
    found: Codes = probs.argmax(axis=1).astype(np.int64)
    logs = np.log(np.maximum(probs, _LEAST))
    return _with_valid(found, logs, sentences, allowed, sentences.lengths > 0)


def repaired(
    codes: Codes, given: Codes, probs: Floats, sentences: Sentences, allowed: Mask, rows: Mask
) -> Codes:
    """Labels of words (words,), of which those of `rows` may follow each other: as few are changed.

    None becomes what was `given` (words,) and is not so in `codes`, if it can be helped; of several
    ways the likeliest by `probs` (words, labels), NaN where nothing is known, is taken. -1 is no
    label: sentences with one stay as they are.
    """
    every = np.arange(len(codes))
    scores = np.log(np.maximum(np.nan_to_num(probs), _LEAST))
    has_label, changed = codes >= 0, (given >= 0) & (given != codes)
    scores[every[has_label], codes[has_label]] += _KEPT
    scores[every[changed], given[changed]] -= _KEPT
    whole = np.bincount(sentences.of_words, ~has_label, len(sentences.lengths)) == 0
    return _with_valid(codes.copy(), scores, sentences, allowed, rows & whole)


def _with_valid(
    codes: Codes, scores: Floats, sentences: Sentences, allowed: Mask, rows: Mask
) -> Codes:
    """`codes` themselves, in which sentences among `rows` have the best path if theirs is none."""
    if allowed.all() or not len(codes):
        return codes
    nothing = scores.shape[1]
    starts = np.zeros(len(codes), dtype=bool)
    starts[sentences.starts[sentences.lengths > 0]] = True
    before = np.where(starts, nothing, np.roll(codes, 1))
    wrong = ~allowed[before, codes] | (np.roll(starts, -1) & ~allowed[codes, nothing])
    ends = sentences.starts + sentences.lengths
    for row in np.unique(sentences.of_words[wrong]).tolist():
        if rows[row]:
            part = slice(sentences.starts[row], ends[row])
            codes[part] = _best_path(scores[part], allowed)
    return codes


def _best_path(logs: Floats, allowed: Mask) -> Codes:
    """Viterbi's algorithm, over (words, labels)."""
    penalty = np.where(allowed, 0.0, _FORBIDDEN)
    between, first, last = penalty[:-1, :-1], penalty[-1, :-1], penalty[:-1, -1]
    came_from = np.zeros(logs.shape, dtype=np.int64)
    score = logs[0] + first
    for at in range(1, len(logs)):
        ways = score[:, None] + between
        came_from[at] = ways.argmax(axis=0)
        score = ways.max(axis=0) + logs[at]
    path = np.zeros(len(logs), dtype=np.int64)
    path[-1] = (score + last).argmax()
    for at in range(len(logs) - 1, 0, -1):
        path[at - 1] = came_from[at, path[at]]
    return path


def _has(label: str, prefixes: Sequence[str]) -> bool:
    prefix, kind = split(label)
    return prefix in prefixes and label == f"{prefix}-{kind}"


def _goes_on(before: str, after: str) -> bool:
    """Whether an entity that is open goes on with the next label."""
    same = split(before)[1] == split(after)[1]
    return same and _has(before, _OPEN) and _has(after, _INSIDE)

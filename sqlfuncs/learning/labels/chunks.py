"""Schemes of labels of words that say where entities begin and end, and what is valid in them.

IOB2: an entity begins with B and goes on with I. IOBES: it ends with E as well, and one of a single
word is S. In others, IO and IOB1, every sequence is valid (Ramshaw, Marcus: Text Chunking using
Transformation-Based Learning; Tjong Kim Sang, Veenstra: Representing Text Chunks, EACL 1999).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sqlfuncs.learning.labels.classes import Codes
from sqlfuncs.learning.labels.words import Floats, Mask, Places, Sentences
from sqlfuncs.statistics.entities import is_chunk_label, split

_KEPT = 1e4  # more than the logarithms of the probabilities of any sentence's words
_LEAST = 1e-12
_INSIDE, _OPENS, _CLOSED = "IE", "BI", "ES"


@dataclass(frozen=True)
class Scheme:
    """Which labels may follow each other: `follows` (names, names), `begins`, `ends` (names,)."""

    follows: Mask
    begins: Mask
    ends: Mask

    @classmethod
    def of(cls, names: Sequence[str], lists: Iterable[Sequence[str] | None]) -> Scheme | None:
        """The scheme that most of the entities in some labels keep to; None for one without rules.

        >>> scheme = Scheme.of(("B-A", "I-A", "O"), [["B-A", "I-A", "O"], ["B-A"]])
        >>> scheme is not None and scheme.begins.tolist()
        [True, False, True]
        >>> Scheme.of(("B-A", "I-A", "O"), [["I-A", "I-A", "B-A", "O"], ["I-A"]]) is None
        True
        """
        prefixes = {split(name)[0] for name in names if is_chunk_label(name)}
        if not {"B", "I"} <= prefixes or not all(map(is_chunk_label, names)):
            return None
        closes = bool(prefixes & {*_CLOSED})
        scheme = cls._ruled([split(name) for name in names], closes=closes)
        place = {name: at for at, name in enumerate(names)}
        kept = broken = 0
        for each in lists:
            for at, label in enumerate(each or []):
                if split(label)[0] not in _INSIDE:
                    kept += split(label)[0] in "BS"
                    continue
                before = None if at == 0 else place[(each or [])[at - 1]]
                broken += not scheme._may(before, place[label])
        return scheme if kept > broken else None

    @classmethod
    def _ruled(cls, labels: Sequence[tuple[str, str]], *, closes: bool) -> Scheme:
        def goes_on(one: tuple[str, str], other: tuple[str, str]) -> bool:
            return one[0] in _OPENS and other[0] in _INSIDE and one[1] == other[1]

        inside = np.array([prefix in _INSIDE for prefix, _ in labels])
        is_open = np.array([closes and prefix in _OPENS for prefix, _ in labels])
        follows = np.array([[goes_on(one, other) for other in labels] for one in labels])
        follows |= ~is_open[:, None] & ~inside
        return cls(follows, ~inside, ~is_open)

    def _may(self, before: int | None, label: int) -> bool:
        return bool(self.begins[label] if before is None else self.follows[before, label])

    def is_valid(self, codes: Codes) -> bool:
        """Whether the labels of a sentence (words,) are."""
        if not len(codes):
            return True
        inner = self.follows[codes[:-1], codes[1:]].all()
        return bool(inner and self.begins[codes[0]] and self.ends[codes[-1]])

    def repaired(
        self, sentences: Sentences, codes: Codes, given: Codes, probs: Floats, rows: Mask
    ) -> Codes:
        """Labels of words (words,) that are valid in `rows`, with as few changes as that takes.

        None becomes what was `given` (words,) and is not so in `codes`, if it can be helped; of
        several ways the likeliest by `probs` (words, names) is taken.
        """
        found = codes.copy()
        starts, lengths = sentences.starts, sentences.lengths
        for row in np.flatnonzero(rows & (lengths > 0)).tolist():
            words = slice(starts[row], starts[row] + lengths[row])
            if (codes[words] < 0).any() or self.is_valid(codes[words]):
                continue
            found[words] = self._nearest(codes[words], given[words], probs[words])
        return found

    def _nearest(self, codes: Codes, given: Codes, probs: Floats) -> Codes:
        """The best path by Viterbi's algorithm, of the words of a sentence."""
        every = np.arange(len(codes))
        scores = np.log(np.maximum(np.nan_to_num(probs), _LEAST))
        scores[every, codes] += _KEPT
        changed = (given >= 0) & (given != codes)
        scores[every[changed], given[changed]] -= _KEPT
        barred = np.where(self.follows, 0.0, -np.inf)
        best = np.where(self.begins, scores[0], -np.inf)
        came_from: list[Places] = []
        for own in scores[1:]:
            ways = best[:, None] + barred
            came_from.append(ways.argmax(axis=0))
            best = ways.max(axis=0) + own
        at = int(np.where(self.ends, best, -np.inf).argmax())
        path = [at]
        for back in reversed(came_from):
            at = int(back[at])
            path.append(at)
        chosen: npt.NDArray[np.int64] = np.array(path[::-1], dtype=np.int64)
        return chosen

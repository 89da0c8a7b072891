"""Labels that are of words: a list for each row, as long as its sentence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.detection.verification import Candidates
from sqlfuncs.learning.tasks import suggested_words
from sqlfuncs.review.labels.base import (
    MOST_KEYS,
    Codes,
    Form,
    InWords,
    Labels,
    Mask,
    Pair,
    Parts,
    Told,
    Trusted,
    flagged_rows,
    number,
)
from sqlfuncs.statistics.entities import entity_type

_PAIRS = 20
_HUES = 8  # of entity types, the commonest first; others share the last one
_MOST_WORDS = 200  # that are shown of a sentence
_MOST_OPTIONS = 6_000  # of all words together
_AROUND = (12, 6, 3, 1, 0)  # words before and after one that is doubted: the most that fit
_RUNS = 16  # of a list of labels, in short
_CHANGES = 3  # of words, in short
_LONGEST = 1_000_000  # words of a sentence


@dataclass(frozen=True)
class Name:
    """A label: its code among the names, the hue of its type, and the digit that gives it."""

    name: str
    code: int
    hue: int
    digit: int | None


@dataclass(frozen=True)
class Word:
    """A word that is shown: its place in the sentence, and its label, None where it has none.

    `doubt` is what it is given and should be instead; `skipped` words before it are not shown.
    """

    at: int
    text: str
    label: int | None
    doubt: tuple[str, str] | None
    skipped: int


@dataclass(frozen=True)
class Sentence:
    """The words of a row, or those around the doubted ones, and the labels that they may have.

    `base` is the code of the list that is changed, -1 for none, and `length` how many labels there
    are to be. `after` words and `doubts` are behind the last one, and are not shown.
    """

    words: Sequence[Word]
    names: Sequence[Name]
    base: int
    length: int
    after: int
    doubts: int


class Words(Labels):
    """Lists of labels of words. `names` are all labels, the commonest first."""

    name = "words"
    field = "words"
    of_parts = True

    def __init__(
        self, given: Sequence[str | None], judged: pa.Table, more: Collection[str], parts: Parts
    ) -> None:
        super().__init__(given, judged, more, parts)
        self._lists: dict[str, list[str] | None] = {}
        texts = [*given, *judged["suggested_label"].to_pylist(), *more]
        counts = Counter(each for text in texts for each in self._of(text) or ())
        self.names = [name for name, _ in sorted(counts.items(), key=lambda c: (-c[1], c[0]))]
        types = list(dict.fromkeys(map(entity_type, self.names)))
        hues = {kind: min(at, _HUES) for at, kind in enumerate(filter(None, types), 1)}
        self._names = [
            Name(name, at, hues.get(entity_type(name), 0), at + 1 if at < MOST_KEYS else None)
            for at, name in enumerate(self.names)
        ]
        self._at = {name: at for at, name in enumerate(self.names)}
        self.choices_given = self.names
        self.choices_suggested = [f"→ {name}" for name in self.names]

    def _of(self, text: str | None) -> list[str] | None:
        """The labels of a list; None for what is none, or holds NULL."""
        if text is None:
            return None
        if text not in self._lists:
            self._lists[text] = self._parts_of(text)
        return self._lists[text]

    def told(self, learned: pa.Table) -> Told:
        """(rows, 0): a suggestion says all that there is."""
        return np.zeros((len(learned), 0))

    def candidates(self, given: Sequence[str | None], judged: pa.Table) -> Candidates:
        """The flagged ones."""
        return suggested_words.suggestions(flagged_rows(given, judged, self._as_json)).found

    def _as_json(self, text: str) -> str | None:
        labels = self._of(text)
        return None if labels is None else json.dumps(labels)

    def outcome(self, given: str, suggested: str, true: str) -> tuple[bool, bool]:
        """Right if fewer of its words differ from the true ones, harmful if more do."""
        one, other, right = map(self._of, (given, suggested, true))
        if right is None or other is None or len(right) != len(other):
            return False, False
        before, after = len(_changed(one or [], right)), len(_changed(other, right))
        return after < before, after > before

    def is_given(self, given: Codes, choice: int) -> Mask:
        """Rows that have a word of a label."""
        if choice not in range(len(self.names)):
            return super().is_given(given, choice)
        wanted = self.names[choice]
        has = np.array([*(wanted in (self._of(text) or ()) for text in self.texts), False])
        found: Mask = has[given]  # of no label that of the last place
        return found

    def is_suggested(self, given: Codes, suggested: Codes, choice: int) -> Mask:
        """Rows of which a word is to get a label."""
        found = np.zeros(len(given), bool)
        if choice in range(len(self.names)):
            for at in np.flatnonzero(given != suggested).tolist():
                changes = self._changes(self.text(given[at]), self.text(suggested[at]))
                found[at] = any(new == self.names[choice] for _, _, new in changes)
        return found

    def _changes(self, one: str | None, other: str | None) -> list[tuple[int, str, str]]:
        """Where a list differs from one of its length: places, and the labels there."""
        before, after = self._of(one), self._of(other)
        if before is None or after is None or len(before) != len(after):
            return []
        return [(at, before[at], after[at]) for at in _changed(before, after)]

    def pairs(self, given: Codes, suggested: Codes) -> list[Pair]:
        """The labels that words are to get, by the rows in which one is to."""
        counts = Counter[str]()
        differ = given != suggested
        for one, other in zip(given[differ].tolist(), suggested[differ].tolist(), strict=True):
            changes = self._changes(self.text(one), self.text(other))
            counts.update({new for _, _, new in changes})
        choices = [(self._at[name], rows) for name, rows in counts.items() if name in self._at]
        choices.sort(key=lambda choice: (-choice[1], choice[0]))
        return [Pair(self.choices_suggested[at], None, at, rows) for at, rows in choices[:_PAIRS]]

    def parts(self, text: str) -> Sequence[str]:
        """Its labels, those beside each other that are the same in one."""
        labels = self._of(text)
        if labels is None:
            return (text,)
        runs = [(name, len(list(run))) for name, run in groupby(labels)]
        shown = [name if count == 1 else f"{name} × {count:,}" for name, count in runs[:_RUNS]]
        return [*shown, *([f"and {len(runs) - _RUNS:,} more"] if len(runs) > _RUNS else [])]

    def change(self, given: str | None, suggested: str) -> str:
        """Which words get another label."""
        changes = self._changes(given, suggested)
        said = [f"word {at + 1:,}: {old} → {new}" for at, old, new in changes[:_CHANGES]]
        if len(changes) > _CHANGES:
            said.append(f"and {len(changes) - _CHANGES:,} more")
        return ", ".join(said or self.parts(suggested))

    def shown(
        self,
        given: str | None,
        suggested: str | None,
        told: Told,
        typed: str | None,
        content: object,
    ) -> Sentence:
        """All words of a row or, of a long one, those around the doubted and the changed ones."""
        base = suggested if self._of(given) is None else given
        labels: list[str | None] = [*(self._of(base) or ())]
        texts = _texts(content) or [""] * len(labels)
        labels = [*labels[: len(texts)], *[None] * (len(texts) - len(labels))]
        doubts = {at: (old, new) for at, old, new in self._changes(given, suggested)}
        chosen = {} if typed is None else self._chosen(typed.split(","), len(texts))
        marked = sorted({*doubts, *chosen, *(at for at, own in enumerate(labels) if own is None)})
        shown = self._window(marked, len(texts))
        codes = [chosen.get(at, self._at.get(labels[at] or "")) for at in shown]
        words = [
            Word(at, texts[at], code, doubts.get(at), at - before - 1)
            for at, code, before in zip(shown, codes, [-1, *shown], strict=False)
        ]
        last = shown[-1] if shown else -1
        return Sentence(
            words,
            self._names,
            -1 if base is None else self.code(base),
            len(texts),
            len(texts) - last - 1,
            sum(at > last for at in doubts),
        )

    def _window(self, marked: Sequence[int], length: int) -> list[int]:
        """The places of the words to show, in order."""
        most = max(min(_MOST_WORDS, _MOST_OPTIONS // max(len(self.names), 1)), 2 * _AROUND[0])
        if length <= most:
            return list(range(length))
        near = list[int]()
        for around in _AROUND:
            near = sorted(
                {
                    at
                    for mark in marked or (0,)
                    for at in range(max(mark - around, 0), min(mark + around + 1, length))
                }
            )
            if len(near) <= most:
                break
        return near[:most]

    def trusted(self, given: int, suggested: int, in_force: Codes) -> list[Trusted]:
        """All rows that have labels."""
        return [Trusted("", in_force >= 0)]

    def read(self, form: Form, in_words: InWords) -> str | None:
        """A list with the labels that were chosen: fields `word` hold a place and a code."""
        if self.field not in form:
            return super().read(form, in_words)
        base, length = number(form[self.field][0]), number(form.get("length", [""])[0])
        if length is None or length > _LONGEST:
            raise BadInput("nothing was written: the form does not say how many words there are.")
        text = self.text(base) if base is not None and base < len(self.texts) else None
        labels: list[str | None] = [*(self._of(text) or ())][:length]
        labels += [None] * (length - len(labels))
        for at, code in self._chosen(form.get("word", ()), length).items():
            labels[at] = self.names[code]
        if None in labels:
            raise BadInput(f"word {labels.index(None) + 1:,} has no label yet: choose one for it.")
        return in_words(json.dumps(labels, ensure_ascii=False))

    def _chosen(self, choices: Iterable[str], length: int) -> dict[int, int]:
        """Codes of labels by the places of words, of texts such as '4-0'."""
        found = {}
        for choice in filter(None, choices):
            at, code = map(number, choice.partition("-")[::2])
            if at is None or code is None or at >= length or code >= len(self.names):
                raise BadInput(
                    f"{choice[:60]!r} is no label of a word. There are {length:,} words and "
                    f"{len(self.names):,} labels."
                )
            found[at] = code
        return found

    def typed(self, form: Form) -> str | None:
        """The choices that change something."""
        if self.field not in form:
            return None
        base = number(form[self.field][0])
        text = self.text(base) if base is not None and base < len(self.texts) else None
        own = [self._at.get(each) for each in self._of(text) or ()]
        same = {f"{at}-{code}" for at, code in enumerate(own)}
        return ",".join(each for each in form.get("word", ()) if each and each not in same)

    def is_same(self, one: str, other: str | None) -> bool:
        """Whether all labels are."""
        labels = self._of(one)
        return labels is not None and labels == self._of(other)


def _changed(one: Sequence[str], other: Sequence[str]) -> list[int]:
    """The places where lists of one length differ; all of those of another one."""
    if len(one) != len(other):
        return list(range(len(other)))
    return [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]


def _texts(content: object) -> list[str]:
    """The words of a row; none where it is no list of them."""
    if not isinstance(content, list):
        return []
    return ["NULL" if word is None else str(word) for word in content]

"""Labels that are one class each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sqlfuncs.learning.detection import verification
from sqlfuncs.learning.detection.verification import Candidates
from sqlfuncs.learning.labels import classes
from sqlfuncs.learning.rows.probabilities import Probabilities
from sqlfuncs.review.labels.base import MOST_KEYS, Codes, Labels, Mask, Pair, Parts, Told, Trusted

_PAIRS = 20


@dataclass(frozen=True)
class Chances:
    """The likeliest classes of a row, with their codes and, if there are any, probabilities."""

    likeliest: Sequence[tuple[str, int, float | None]]
    all: Sequence[str]

    @property
    def are_known(self) -> bool:
        """Whether the model says how likely each class is: of rows without a label, too."""
        return any(share is not None for _, _, share in self.likeliest)


class Classes(Labels):
    """Classes: `texts` are all of them, in order. `told` are their probabilities, 0 for none."""

    name = "classes"
    explains = True

    def __init__(
        self, given: Sequence[str | None], judged: pa.Table, more: Collection[str], parts: Parts
    ) -> None:
        super().__init__(given, judged, more, parts)
        probs = Probabilities.read(judged["class_probs"].combine_chunks())
        named = {label for label in given if label is not None}
        self.texts = list(classes.in_order({*named, *probs.classes, *more}))
        self._places = {text: code for code, text in enumerate(self.texts)}
        self.choices_given = self.choices_suggested = self.texts

    def code(self, text: str) -> int:
        """-1 for a class that another program has put into the log meanwhile."""
        return self._places.get(text, -1)

    def told(self, learned: pa.Table) -> Told:
        """Probabilities (rows, classes)."""
        probs = Probabilities.read(learned["class_probs"].combine_chunks())
        columns = self.codes(probs.classes)
        known = columns >= 0
        found = np.zeros((len(learned), len(self.texts)), np.float32)
        found[:, columns[known]] = np.nan_to_num(probs.values[:, known])
        return found

    def candidates(self, given: Sequence[str | None], judged: pa.Table) -> Candidates:
        """Those whose suggestion is likelier right, or surely better."""
        probs = Probabilities.read(judged["class_probs"].combine_chunks())
        codes = classes.codes(given, probs.classes)
        suggested = classes.codes(judged["suggested_label"].to_pylist(), probs.classes)
        flagged = np.asarray(judged["is_label_issue"].combine_chunks().fill_null(False))
        usable = (codes >= 0) & np.asarray(judged["not_judged"].combine_chunks().is_null())
        found = verification.candidates(
            codes[usable],
            probs.values[usable],
            flagged[usable] & (suggested[usable] >= 0),
            suggested[usable],
        )
        return Candidates(np.flatnonzero(usable)[found.places], found.right, found.harmful)

    def outcome(self, given: str, suggested: str, true: str) -> tuple[bool, bool]:
        """Right if it is the class; no harm where the label is wrong anyway."""
        return suggested == true, False

    def is_given(self, given: Codes, choice: int) -> Mask:
        """Rows of a class."""
        wanted: Mask = given == choice
        return wanted

    def is_suggested(self, given: Codes, suggested: Codes, choice: int) -> Mask:
        """Rows that are suggested a class, or have it and are not doubted."""
        wanted: Mask = suggested == choice
        return wanted

    def matrix(self, given: Codes, suggested: Codes) -> Codes:
        """(classes, classes)."""
        n, known = len(self.texts), given >= 0
        pairs = given[known] * n + suggested[known]
        return np.bincount(pairs, minlength=n * n).reshape(n, n)

    def pairs(self, given: Codes, suggested: Codes) -> list[Pair]:
        """The most frequent pairs of a given and another suggested class."""
        counts = self.matrix(given, suggested)
        np.fill_diagonal(counts, 0)
        best = np.argsort(-counts, axis=None, kind="stable")[:_PAIRS]
        return [
            Pair(f"{self.texts[a]} → {self.texts[b]}", a, b, int(counts[a, b]))
            for a, b in (divmod(at, len(self.texts)) for at in best.tolist())
            if counts[a, b]
        ]

    def shown(
        self,
        given: str | None,
        suggested: str | None,
        told: Told,
        typed: str | None,
        content: object,
    ) -> Chances:
        """The likeliest classes."""
        best = np.argsort(-told, kind="stable")[:MOST_KEYS].tolist()
        likely = told.any()
        return Chances(
            [(self.texts[code], code, float(told[code]) if likely else None) for code in best],
            self.texts,
        )

    def trusted(self, given: int, suggested: int, in_force: Codes) -> list[Trusted]:
        """Rows of either class."""
        both = dict.fromkeys(code for code in (given, suggested) if code >= 0)
        return [Trusted(self.texts[code], in_force == code) for code in both]

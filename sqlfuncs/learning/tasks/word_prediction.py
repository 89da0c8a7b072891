"""What is known of labels of words: the columns of functions that tell of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.learning.detection import health, word_noise
from sqlfuncs.learning.detection.confident import Found
from sqlfuncs.learning.detection.judged_words import JudgedWords
from sqlfuncs.learning.labels import words
from sqlfuncs.learning.labels.words import written
from sqlfuncs.learning.models.sequences import Scheme, repaired
from sqlfuncs.learning.rows.base import Floats, Rows
from sqlfuncs.learning.tasks.base import Columns, Mask, Prediction
from sqlfuncs.learning.tasks.word_issues import word_issues

_EXPLANATION = (
    "a row for each label of words: rows counts the words that have it, and rates are of these, by "
    "the model's word alone"
)


@dataclass(frozen=True)
class WordPrediction(Prediction):
    """The rows of a table as they were `judged`, and what was `found` of the words that could be.

    `cut` is what flagged them; what is suggested is valid in the `scheme` that labels keep to.
    """

    judged: JudgedWords
    found: Found
    cut: str
    scheme: Scheme

    @property
    def rows(self) -> type[Rows]:
        """What x is."""
        return self.judged.kind

    @property
    def flagged_words(self) -> Mask:
        """Which words are flagged: (words,)."""
        return self._of_words(self.found.flagged, False)

    @property
    def flagged(self) -> Mask:
        """Rows of which a word is."""
        return self.judged.sentences.any(self.flagged_words)

    @property
    def qualities(self) -> Floats:
        """How likely the label of each word is right: (words,), 1 of those that are not judged."""
        return self._of_words(self.found.quality, 1.0)

    @property
    def scores(self) -> Floats:
        """How likely the label of each row's worst word is right."""
        return self.judged.sentences.least(self.qualities)

    def issues(self) -> Columns:
        """The columns of `label_issues`, that of words among them."""
        judged, sentences = self.judged, self.judged.sentences
        rows, known = judged.rows, judged.is_predicted
        flagged, unlabeled = self.flagged, known & ~rows
        likely = np.nan_to_num(judged.probs).argmax(axis=1)
        is_flagged = self.flagged_words
        better = self._of_words(self.found.suggested, -1)
        suggested = np.where(is_flagged, better, judged.codes)
        suggested = np.where(sentences.words_of(rows), suggested, likely)
        has_suggestion = flagged | unlabeled
        allowed, given, probs = self.scheme.allowed(judged.names), judged.codes, judged.probs
        suggested = repaired(suggested, given, probs, sentences, allowed, has_suggestion)
        likely = repaired(likely, likely, probs, sentences, allowed, known)
        better = np.where(is_flagged, suggested, better)
        return {
            "label_quality": pa.array(self.scores, mask=~rows),
            "is_label_issue": pa.array(flagged, mask=~known),
            "suggested_label": written(judged.names, sentences, suggested, has_suggestion),
            "suggested_confidence": pa.array(self._confidence(), mask=~has_suggestion),
            "predicted_label": written(judged.names, sentences, likely, known),
            "word_issues": word_issues(judged, is_flagged, better, self.qualities),
            "not_judged": pa.array(judged.reasons, pa.string()),
        }

    def certainty(self) -> Columns:
        """Labels that are surely right: no word is flagged; half of the rows are doubted more."""
        judged, scores = self.judged, self.scores
        sure = judged.rows & ~self.flagged & (scores >= np.median(scores[judged.rows]))
        return {
            "is_well_labeled": pa.array(sure),
            "is_unlabeled": pa.array(judged.is_predicted & ~judged.rows),
        }

    def health(self) -> Columns:
        """A row for each label: of the words that have it, how many should not."""
        judged = self.judged
        codes, probs = judged.evidence
        estimated = health.health(codes, probs)
        cut = word_noise.taken(codes, probs, self.cut)
        count, flagged = (
            np.bincount(some, minlength=len(judged.names))
            for some in (codes, codes[self.found.flagged])
        )
        one_each = words.Sentences(np.ones(len(judged.names), dtype=np.int64))
        every = np.arange(len(judged.names))
        confused = estimated.confused_with
        return {
            "label": written(judged.names, one_each, every, np.ones(len(every), dtype=bool)),
            "rows": pa.array(count),
            "flagged": pa.array(flagged),
            "error_rate": _known(estimated.error_rate),
            "error_rate_low": _known(estimated.low),
            "error_rate_high": _known(estimated.high),
            "confused_with": written(judged.names, one_each, confused, confused >= 0),
            "wrongly_elsewhere": _known(estimated.wrongly_elsewhere),
            "cut": pa.array([cut] * len(every)),
            "explanation": pa.array([_EXPLANATION] * len(every)),
        }

    def _of_words(self, values: npt.NDArray[Any], otherwise: float) -> npt.NDArray[Any]:
        """A value for each word of the table, from those of the judged ones."""
        whole = np.full(len(self.judged.codes), otherwise, dtype=values.dtype)
        whole[self.judged.judged] = values
        return whole

    def _confidence(self) -> Floats:
        """How likely all words of a suggestion are right: (rows,)."""
        surely = np.where(self.found.flagged, self.found.confidence, self.found.quality)
        of_words = self._of_words(surely, 1.0)
        unlabeled = self.judged.sentences.words_of(self.judged.is_predicted & ~self.judged.rows)
        of_words[unlabeled] = self.judged.probs[unlabeled].max(axis=1)
        return self.judged.sentences.product(of_words)


def _known(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))

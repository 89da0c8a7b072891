"""The words of each row that are flagged, as a column of lists."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.learning.detection.judged_words import JudgedWords
from sqlfuncs.learning.labels.classes import Codes

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

FIELDS = (
    ("position", pa.int64()),
    ("word", pa.string()),
    ("given", pa.string()),
    ("suggested", pa.string()),
    ("quality", pa.float64()),
)
TYPE = pa.list_(pa.struct(FIELDS))


def word_issues(
    judged: JudgedWords, flagged: Mask, suggested: Codes, quality: Floats
) -> pa.ListArray:
    """For each judged row its flagged words, the worst first; NULL for the other rows.

    All of the others are of words: (words,). Positions count from 1; words are NULL where x is
    probabilities, which do not say them.
    """
    sentences = judged.sentences
    row = sentences.of_words
    at = np.flatnonzero(flagged)
    at = at[np.lexsort((at, quality[at], row[at]))]
    names = pa.array(judged.names, pa.string())
    words = pa.nulls(len(at), pa.string())
    if judged.words is not None:
        words = pa.array([judged.words[place] for place in at.tolist()], pa.string())
    values = [
        pa.array(at - sentences.starts[row[at]] + 1),
        words,
        names.take(pa.array(judged.codes[at])),
        names.take(pa.array(suggested[at])),
        pa.array(quality[at]),
    ]
    ends = np.cumsum(np.bincount(row[at], minlength=len(judged.rows)))
    return pa.ListArray.from_arrays(
        pa.array(np.concatenate([[0], ends]), pa.int32()),
        pa.StructArray.from_arrays(values, names=[name for name, _ in FIELDS]),
        mask=pa.array(~judged.rows),
    )

"""The habits of those who gave the labels: each has a noise of their own.

Where every label is by somebody known, one calls more things polite than others do, and another is
careless. How often somebody gives a class, against how often the model expected it of those rows,
bends the table's noise transition matrix to theirs. As far as their rows show it: `_PRIOR_ROWS` of
everybody's count with them.

Arrays: `codes` (rows,) of int, the given classes; `probs` (rows, classes), out of sample;
`annotators` (rows,) of int, -1 where nobody is named.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.detection.noise import MOST_CLASSES, Correction, Corrects, Floats
from sqlfuncs.learning.labels.classes import Codes

FIELD = "annotator"
_PRIOR_ROWS = 50.0  # by average precision on wikipedia and the sample (decisions.md)
_FEWEST = 10  # rows of somebody, to say anything of their habits
_LEAST = 1e-9
# Probabilities are counted in whole steps: sums are exact, and the order of rows changes no bit.
_STEPS = 4096.0


@dataclass(frozen=True)
class CorrectionByAnnotator:
    """A correction for the rows of a table, by the noise of whoever gave each label.

    `corrections` has the places of the rows, and the correction, of each annotator whose habits are
    known, who gave several classes; all other rows have the table's own, `of_all`.
    """

    of_all: Correction
    corrections: tuple[tuple[npt.NDArray[np.int64], Correction], ...]

    def apply(self, codes: Codes, probs: Floats) -> Floats:
        """Class probabilities of all rows of the table: (rows, classes)."""
        corrected = self.of_all.apply(codes, probs)
        for rows, own in self.corrections:
            corrected[rows] = own.apply(codes[rows], probs[rows])
        return corrected


def by_annotator(
    of_all: Correction, codes: Codes, probs: Floats, annotators: npt.NDArray[np.int64]
) -> CorrectionByAnnotator:
    """The corrections of a table's annotators, from all of its judged rows.

    Of very many classes a matrix has more entries than anybody's rows could fill: nobody has one.

    >>> from sqlfuncs.learning.detection.noise import Correction
    >>> probs = np.array([[0.7, 0.3]]).repeat(400, axis=0)
    >>> codes = np.array([0, 1, 0]).repeat([200, 190, 10])  # the second one likes to say 1
    >>> of_all = Correction(np.array([[0.7, 0.3], [0.3, 0.7]]), 0.5, 0.5)
    >>> own = by_annotator(of_all, codes, probs, np.array([0, 1]).repeat(200))
    >>> own.corrections[0][1].own[0].round(2).tolist()
    [0.15, 0.85]
    """
    if probs.shape[1] > MOST_CLASSES:
        return CorrectionByAnnotator(of_all, ())
    given, likely = np.eye(probs.shape[1])[codes], np.rint(probs * _STEPS)
    counted, expected = likely.T @ given, likely.T @ likely / _STEPS
    share = _PRIOR_ROWS / len(codes)
    corrections = []
    for rows in _rows_of_each(annotators):
        if len(np.unique(codes[rows])) == 1:
            continue  # it may be all that was asked
        own_counted = likely[rows].T @ given[rows] + share * counted
        own_expected = likely[rows].T @ likely[rows] / _STEPS + share * expected
        own = of_all.transition * own_counted / np.maximum(own_expected, _LEAST)
        own /= np.maximum(own.sum(axis=1, keepdims=True), _LEAST)
        corrections.append((rows, replace(of_all, own=own)))
    return CorrectionByAnnotator(of_all, tuple(corrections))


def _rows_of_each(annotators: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """The places of the rows of each annotator who has enough, in one pass over them.

    >>> [rows.tolist() for rows in _rows_of_each(np.array([1, 0, -1] * 10 + [2]))]
    [[1, 4, 7, 10, 13, 16, 19, 22, 25, 28], [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]]
    """
    order = np.argsort(annotators, kind="stable")
    order = order[annotators[order] >= 0]
    starts = np.flatnonzero(np.diff(annotators[order], prepend=-1))
    return [rows for rows in np.split(order, starts[1:]) if len(rows) >= _FEWEST]


def corrects(
    of_all: Correction, codes: Codes, probs: Floats, annotators: npt.NDArray[np.int64] | None
) -> Corrects:
    """The correction of a table, by its annotators where it is said who they are."""
    return of_all if annotators is None else by_annotator(of_all, codes, probs, annotators)


def is_in(rows: pa.StructArray) -> bool:
    """Whether a table says who gave its labels."""
    return FIELD in rows.type.names and not pa.types.is_null(rows.field(FIELD).type)


def read(rows: pa.StructArray) -> npt.NDArray[np.int64] | None:
    """Who gave each label of a table: (rows,), in order of their names; None where it is not said.

    Raises BadInput for a column of what are no names.
    """
    if not is_in(rows):
        return None
    column = rows.field(FIELD)
    if pa.types.is_nested(column.type) and not pa.types.is_dictionary(column.type):
        raise BadInput("annotator names who gave each label: one value a row, a name or a number.")
    encoded = column.cast(pa.string()).dictionary_encode()
    names: list[str] = encoded.dictionary.to_pylist()
    place = np.empty(len(names) + 1, dtype=np.int64)
    place[np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)] = np.arange(
        len(names)
    )
    place[-1] = -1
    annotators: npt.NDArray[np.int64] = place[encoded.indices.fill_null(-1).to_numpy()]
    known = annotators[annotators >= 0]
    if not (np.bincount(known, minlength=1) >= _FEWEST).any():
        work.say_once(
            f"annotator names {len(names):,} for {len(known):,} labels, and nobody for {_FEWEST} "
            "or more: too few to know anybody's habits by"
        )
    return annotators

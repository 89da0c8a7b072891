"""Rows whose labels are numbers, judged: each one's number, and what models foresaw of it.

What `label_issues`, `audit` and the queues start from where labels are numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from sqlfuncs import work
from sqlfuncs.errors import BadOption, NoUsableRows, TooFewClasses
from sqlfuncs.learning.detection import data_warnings
from sqlfuncs.learning.labels.number_scale import Scale
from sqlfuncs.learning.labels.numbers import Floats, Numbers
from sqlfuncs.learning.models.folds import check_folds
from sqlfuncs.learning.models.number_target import NumberTarget
from sqlfuncs.learning.models.out_of_sample import Prepared, out_of_sample, prepare
from sqlfuncs.learning.models.resolve import resolve
from sqlfuncs.learning.rows import registry
from sqlfuncs.learning.rows.base import Reasons, Rows, describe, is_usable
from sqlfuncs.learning.rows.predicted_numbers import PredictedNumbers
from sqlfuncs.wording import Given, Option, Snippet

_SMALLEST = 0.3  # of the median residual: beside it, how small a residual is says nothing


@dataclass(frozen=True)
class JudgedNumbers:
    """What is known of each row. Where `reasons` has one, the row was not judged.

    `kind` is what x is, `own` the labels, `given` (rows,) these on the `scale` of the models, and
    `predicted` and `spread` (rows,) what is foreseen of them on it: NaN where nothing is. Rows that
    are `unlabeled` have a prediction all the same.
    """

    kind: type[Rows]
    own: Numbers
    scale: Scale
    given: Floats
    predicted: Floats
    spread: Floats
    reasons: Reasons

    @property
    def rows(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which rows were judged."""
        return is_usable(self.reasons)

    @property
    def is_predicted(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which rows have a prediction: the judged, and those that have no label."""
        return ~np.isnan(self.predicted)


def judge(
    x: pa.Array, own: Numbers, learned: Floats, *, model: str, folds: int, seed: int
) -> JudgedNumbers:
    """Judge rows by what they are, `x`, and labels of their own.

    `learned` (rows,) are the numbers to learn from, NaN for what teaches nothing.
    Raises NoUsableRows, TooFewClasses, and BadOption for a model that learns classes only.
    """
    check_folds(folds)
    if not len(x):
        raise NoUsableRows("the table has no rows: there is nothing to judge.")
    rows: Rows = (
        PredictedNumbers.read(x) if PredictedNumbers.is_type(x.type) else registry.read_column(x)
    )
    readable = is_usable(rows.reasons)
    reasons = np.where(readable, own.reasons, rows.reasons)
    known = readable & ~np.isnan(learned)
    if not is_usable(reasons).any():
        raise NoUsableRows(f"no row can be judged: {describe(reasons)}.")
    if not known.any():
        raise NoUsableRows("people have excluded every row: none is left to learn from.")
    _refuse_constant(learned[known])
    scale = Scale.of(learned[known], own.values[~np.isnan(own.values)])
    predicted, spread = np.full(len(x), np.nan), np.full(len(x), np.nan)
    if isinstance(rows, PredictedNumbers):
        scale = Scale(False, 0.0, 1.0)
        predicted[readable] = scale.seen(rows.mean[readable])
        spread[readable] = rows.sd[readable]
        work.say_once(
            f"x is {rows.called}, out of sample, and is compared with the labels as it is. If it "
            f"says what the rows are, it is a field: {Snippet('the fields a and b')}"
        )
    elif rows.needs_model:
        way = resolve(model)
        if not isinstance(way, str):
            raise BadOption(
                f"{Option('model', Given(model))} learns classes; labels that are numbers are "
                f"judged by {Option('model', 'fast')}, 'best' or an encoder."
            )
        taught = scale.taught(learned)[readable]
        predicted[readable], spread[readable] = _out_of_sample(
            rows.take(readable), taught, way, folds, seed
        )
    else:
        raise NoUsableRows(
            f"x is {rows.called}, which are about classes, and the labels are numbers. Name your "
            "own predictions of the numbers for x, or what the rows are."
        )
    data_warnings.about_rows(reasons, 1)
    return JudgedNumbers(type(rows), own, scale, scale.seen(own.values), predicted, spread, reasons)


def _out_of_sample(
    rows: Rows, values: Floats, model: str, folds: int, seed: int
) -> tuple[Floats, Floats]:
    """Predictions of numbers (rows,), NaN for no label, and how far off they are usually there.

    What a residual is expected to be is learned as the number itself is: from the logarithms of
    the others' (Papadopoulos, Haralambous: Neural Networks 24, 2011, section 4). One cut into folds
    is enough for that: three find no more errors, and cost three times as much.
    """
    prepared = prepare(rows, NumberTarget(values), model)
    predicted = out_of_sample(prepared, folds=folds, seed=seed)[0][:, 0]
    residual = np.abs(values - predicted)
    typical = float(np.nanmedian(residual))
    if typical <= 0:
        return predicted, np.ones(len(values))
    logs = np.log(residual + _SMALLEST * typical)
    beside = replace(prepared, target=NumberTarget(_in_order(prepared, logs)))
    spread = np.exp(out_of_sample(beside, folds=folds, seed=seed, repeats=1)[0][:, 0])
    return predicted, spread


def _in_order(prepared: Prepared, values: Floats) -> Floats:
    return values[prepared.order]


def _refuse_constant(values: Floats) -> None:
    if (values == values[0]).all():
        raise TooFewClasses(
            f"every row that can be judged has the number {values[0]:g}: it takes two or more."
        )

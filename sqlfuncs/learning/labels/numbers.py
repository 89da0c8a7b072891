"""Labels that are numbers: amounts, scores, prices. Imports Arrow, numpy and the errors only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sqlfuncs.errors import BadInput
from sqlfuncs.learning.labels import labels

Floats = npt.NDArray[np.float64]
Reasons = npt.NDArray[np.object_]

_SHOWN = 3
_MOST_DECIMALS = 15  # that a double tells apart
_FEW_LONGER = 0.01  # of the labels may have more decimals than are written
_LARGEST = 1e300  # beyond it, differences are infinite


@dataclass(frozen=True)
class Numbers:
    """A column of numbers: `values` (rows,), NaN where there is none, and why in `reasons`.

    `decimals` is how many digits after the point the labels have: what is suggested is written
    with as many.
    """

    values: Floats
    reasons: Reasons
    decimals: int

    def written(self, values: Floats, rows: npt.NDArray[np.bool_]) -> pa.Array:
        """Numbers as text that an engine casts to the type of the labels, NULL but for `rows`.

        >>> few = Numbers(np.zeros(2), np.full(2, None), 1)
        >>> few.written(np.array([0.25, 3]), np.array([True, False])).to_pylist()
        ['0.2', None]
        """
        return pa.array(
            [
                _written(value, self.decimals) if known else None
                for value, known in zip(values.tolist(), rows.tolist(), strict=True)
            ],
            pa.string(),
        )


def read(rows: pa.StructArray, name: str = "label") -> Numbers:
    """The numbers in a field of text, whatever the type of the column was.

    NULL, NaN, infinity and what is no number are no label. Raises BadInput where none is one.
    """
    column = rows.field(name)
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    texts: list[str] = column.dictionary.to_pylist()
    read = [_read(text) for text in texts]
    places = np.asarray(column.indices.fill_null(len(texts)), dtype=np.int64)
    values = np.array([value for value, _ in read] + [np.nan])[places]
    whys = np.array([why for _, why in read] + ["the label is NULL"], dtype=object)
    if texts and not np.isfinite(values).any() and any(why == _NO_NUMBER for why in whys):
        words = ", ".join(f"'{text}'" for text in sorted(texts)[:_SHOWN])
        raise BadInput(
            f"{name} holds no numbers, but {words}: such labels are classes. Leave task out, or "
            "name the column of numbers that is meant."
        )
    return Numbers(values, whys[places], _decimals(texts, read))


def as_numbers(texts: pa.Array) -> Floats:
    """What texts are as numbers, (rows,), NaN for those that are none.

    >>> as_numbers(pa.array(["1.5", None, "x"])).tolist()
    [1.5, nan, nan]
    """
    read = (
        None if text is None else _read(text)[0] for text in texts.cast(pa.string()).to_pylist()
    )
    return np.array([np.nan if value is None else value for value in read], dtype=np.float64)


def are_amounts(column: pa.Array, kind: str) -> bool:
    """Whether floating or decimal labels are too many different ones to be classes.

    `column` is text, `kind` that of its type (`labels.labels`).
    """
    if kind not in (labels.FLOAT, labels.DECIMAL):
        return False
    distinct = column.dictionary if pa.types.is_dictionary(column.type) else column.unique()
    forms: set[str] = set()
    for text in distinct:
        form = labels.canonical(text.as_py(), kind, kind)
        if form is not None and form != "nan":
            forms.add(form)
        if len(forms) > labels.MANY_WHOLE:  # amounts, whatever the others are
            break
    return labels.are_numbers(sorted(forms), len(column))


_NO_NUMBER = "the label is no number"


def _read(text: str) -> tuple[float, str | None]:
    """A number, or NaN and why there is none."""
    try:
        value = float(text)
    except ValueError:
        return np.nan, _NO_NUMBER if text.strip() else labels.EMPTY
    if np.isnan(value):
        return np.nan, "the label is NaN"
    if abs(value) > _LARGEST:
        return np.nan, "the label is infinite, or as good as that"
    return value, None


def _decimals(texts: Sequence[str], read: Sequence[tuple[float, str | None]]) -> int:
    """How many digits after the point all but a few of the numbers have."""
    found = sorted(
        _decimals_of(text) for text, (_, why) in zip(texts, read, strict=True) if why is None
    )
    if not found:
        return 0
    return found[min(len(found) - 1, int(len(found) * (1 - _FEW_LONGER)))]


def _decimals_of(text: str) -> int:
    try:
        exponent = Decimal(text.strip()).normalize().as_tuple().exponent
    except InvalidOperation:
        return _MOST_DECIMALS
    return min(_MOST_DECIMALS, max(0, -exponent)) if isinstance(exponent, int) else 0


def _written(value: float, decimals: int) -> str:
    if decimals >= _MOST_DECIMALS or abs(value) >= 1e15:
        return repr(value)
    return f"{value:.{decimals}f}"

"""Columns of a STRUCT as what is learned from: numbers, categories and free text.

Numbers of every type, booleans, dates and times become numbers; text and enums of few distinct
values become categories. Other text is free text, where it reads like some.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs.learning.rows.base import Floats
from sqlfuncs.learning.rows.free_text import FreeText, is_free_text
from sqlfuncs.learning.rows.types import is_text, without_dictionary

MAX_CATEGORIES = 250  # of a field; scikit-learn's gradient boosting takes 255 bins
OTHER = "\0other"  # category of the values that are too rare for one of their own
_DAY = 86_400.0
_MONTH_DAYS = 30.4375
_INFINITE_DATE = 2**31 - 2
_INFINITE_TIME = 2**63 - 2
_INTERVAL = np.dtype([("months", "<i4"), ("days", "<i4"), ("nanoseconds", "<i8")])


class Unreadable(Exception):
    """Why nothing is learned from a field."""


@dataclass(frozen=True)
class Field:
    """One feature: its values, NaN where missing, and its categories, or None for a number."""

    name: str
    values: Floats
    categories: tuple[str, ...] | None = None

    @property
    def tells_something(self) -> bool:
        """Whether it differs between rows, be it only in being missing."""
        missing = np.isnan(self.values)
        present = self.values[~missing]
        return present.size > 0 and bool(missing.any() or (present != present[0]).any())


def read_field(name: str, column: pa.Array) -> FreeText | list[Field]:
    """A field that is free text, or the features it makes that tell something.

    Raises Unreadable.
    """
    if is_text(column.type):
        text = _text(name, without_dictionary(column).cast(pa.large_string()))
        if isinstance(text, FreeText):
            return text
        features = [text]
    else:
        features = list(_features(name, without_dictionary(column)))
    telling = [feature for feature in features if feature.tells_something]
    if not telling:
        raise Unreadable("it is NULL or the same everywhere")
    return telling


def _features(name: str, column: pa.Array) -> Iterator[Field]:
    """The features of a field that is no text: one, or for dates and times several."""
    kind = column.type
    if pa.types.is_null(kind):
        return
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        yield from _calendar(name, column)
        return
    for is_kind, numbers in _NUMBERS:
        if is_kind(kind):
            yield Field(name, _finite(numbers(column)))
            return
    raise Unreadable("its type is neither a number, a date, a boolean nor text")


def _plain(column: pa.Array) -> Floats:
    floats = column.cast(pa.float64(), safe=False)
    numbers: Floats = pc.fill_null(floats, float("nan")).to_numpy(zero_copy_only=False)
    return numbers


def _time_of_day(column: pa.Array) -> Floats:
    """Hours since midnight."""
    nanoseconds = column.cast(pa.time64("ns")).cast(pa.int64())
    return _plain(nanoseconds) / 3.6e12


def _interval(column: pa.Array) -> Floats:
    """Days; a month counts as the mean of months."""
    if len(column) == 0:
        return np.empty(0)
    parts = np.frombuffer(column.buffers()[1], _INTERVAL)[
        column.offset : column.offset + len(column)
    ]
    days = parts["months"] * _MONTH_DAYS + parts["days"] + parts["nanoseconds"] / (_DAY * 1e9)
    return np.where(np.asarray(pc.is_valid(column), dtype=bool), days, np.nan)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


_NUMBERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], Floats]], ...] = (
    (pa.types.is_boolean, _plain),
    (pa.types.is_integer, _plain),
    (pa.types.is_floating, _plain),
    (pa.types.is_decimal, _plain),
    (pa.types.is_time, _time_of_day),
    (pa.types.is_duration, lambda column: _plain(column.cast(pa.int64()))),
    (lambda kind: kind == pa.month_day_nano_interval(), _interval),
)


def _calendar(name: str, column: pa.Array) -> Iterator[Field]:
    """A date or a point in time: days since 1970, its month and weekday, and its hour (UTC)."""
    is_date = pa.types.is_date(column.type)
    if not is_date:
        column = column.cast(pa.timestamp(column.type.unit))  # in UTC, whatever the session's zone
    raw = column.cast(pa.int32() if is_date else pa.int64())
    # DuckDB's infinities are the ends of the range.
    bound = _INFINITE_DATE if is_date else _INFINITE_TIME
    finite = pc.and_(pc.less(raw, bound), pc.greater(raw, -bound))
    column = pc.if_else(finite, column, pa.scalar(None, column.type))
    in_a_day = 1 if is_date else _DAY * 1000 ** ("s", "ms", "us", "ns").index(column.type.unit)
    yield Field(name, _plain(pc.if_else(finite, raw, pa.scalar(None, raw.type))) / in_a_day)
    yield Field(f"{name} (month)", _plain(pc.month(column)) - 1, _numbered(12))
    yield Field(f"{name} (weekday)", _plain(pc.day_of_week(column)), _numbered(7))
    if not is_date:
        yield Field(f"{name} (hour)", _plain(pc.hour(column)))


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, count + 1))


def _text(name: str, column: pa.Array) -> Field | FreeText:
    """Categories in order of name; those that come once, or are not common, share one.

    If those with a category of their own are not half of the values, it is free text. Raises
    Unreadable for what does not read like that either.
    """
    encoded = column.dictionary_encode()
    texts: list[str] = encoded.dictionary.to_pylist()
    places = encoded.indices.to_numpy(zero_copy_only=False).astype(np.float64)
    present = ~np.isnan(places)
    counts = np.bincount(places[present].astype(np.int64), minlength=len(texts))
    order = sorted(range(len(texts)), key=lambda place: (-counts[place], texts[place]))
    common = [place for place in order[:MAX_CATEGORIES] if counts[place] > 1]
    if counts[common].sum() * 2 < counts.sum():
        if is_free_text(column):
            return FreeText.read(name, column)
        raise Unreadable(f"it is text of {len(texts)} different values, too many for categories")
    categories = sorted(texts[place] for place in common)
    codes = np.full(len(texts), float(len(categories)))
    position = {text: place for place, text in enumerate(texts)}
    for code, text in enumerate(categories):
        codes[position[text]] = code
    if len(common) < len(texts):
        categories.append(OTHER)
    values = np.full(len(column), np.nan)
    values[present] = codes[places[present].astype(np.int64)]
    return Field(name, values, tuple(categories))

"""Rows that are several fields: those of a STRUCT, as numbers and categories.

Numbers of every type, booleans, dates and times become numbers; text and enums of few distinct
values become categories. What can be neither, or tells nothing, is left out and said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sqlfuncs import work
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.features.tabular import TabularFeatures
from sqlfuncs.learning.rows.base import Chosen, Floats, Reasons, Rows, refuse_encoder
from sqlfuncs.learning.rows.types import FIELDS
from sqlfuncs.wording import Snippet, Words

MAX_CATEGORIES = 250  # of a field; scikit-learn's gradient boosting takes 255 bins
OTHER = "\0other"  # category of the values that are too rare for one of their own
_DAY = 86_400.0
_MONTH_DAYS = 30.4375
_INFINITE_DATE = 2**31 - 2
_INFINITE_TIME = 2**63 - 2
_INTERVAL = np.dtype([("months", "<i4"), ("days", "<i4"), ("nanoseconds", "<i8")])


@dataclass(frozen=True)
class Fields(Rows):
    """Tuples of numbers and categories: `values` has shape (rows, fields).

    A number stands as it is and a category as its position among `categories` of its field,
    which are None for a number; NaN is missing.
    """

    kind = "fields"
    called = Words("the fields of a ", FIELDS)
    example = Words("several fields (a ", FIELDS, ": ", Snippet("the fields a and b"), ")")
    # What is equal in a few fields may well be different things, of which most are one class.
    is_all_there_is = False

    names: tuple[str, ...]
    categories: tuple[tuple[str, ...] | None, ...]
    values: Floats
    reasons: Reasons

    @classmethod
    def is_type(cls, of: pa.DataType) -> bool:
        """Structs."""
        return bool(pa.types.is_struct(of))

    @classmethod
    def read(cls, x: pa.StructArray) -> Fields:
        """The fields of a column that tell something. Raises BadInput if there is none."""
        return _read(x)

    def chosen(self, places: Chosen) -> Fields:
        """Some of the rows."""
        return replace(self, values=self.values[places], reasons=self.reasons[places])

    def digests(self) -> list[bytes]:
        """A digest of each row's fields."""
        fields = sha256(repr((self.names, self.categories)).encode("utf-8", "surrogatepass"))
        digests = []
        for row in self.values:
            digest = fields.copy()
            digest.update(row.tobytes())
            digests.append(digest.digest())
        return digests

    def features(self, model: str) -> tuple[TabularFeatures, list[Any]]:
        """What linear heads and trees see of them."""
        refuse_encoder(type(self), model)
        return TabularFeatures.learn(self.values, self.categories, self.names)


@dataclass(frozen=True)
class _Field:
    """One feature: its values, NaN where missing, and its categories, or None for a number."""

    name: str
    values: Floats
    categories: tuple[str, ...] | None = None


def _read(x: pa.StructArray) -> Fields:
    """The rows of a STRUCT column; NULL ones, and those that hold nothing, cannot be used.

    Infinity and NaN are missing. Raises BadInput if no field is left.
    """
    kept: list[_Field] = []
    left_out: dict[str, str] = {}
    for place, (name, column) in enumerate(
        zip((field.name for field in x.type), x.flatten(), strict=True), 1
    ):
        name = name or f"field {place}"
        try:
            fields = [field for field in _fields(name, column) if _tells_something(field)]
        except _Unreadable as why:
            left_out[name] = str(why)
            continue
        kept += fields
        if not fields:
            left_out[name] = "it is NULL or the same everywhere"
    null = ~np.asarray(pc.is_valid(x), dtype=bool)
    _tell(left_out, bool(kept) or len(x) == 0 or bool(null.all()))
    values = np.column_stack([f.values for f in kept]) if kept else np.full((len(x), 1), np.nan)
    reasons = np.full(len(x), None, dtype=object)
    reasons[np.isnan(values).all(axis=1)] = "all fields are NULL"
    reasons[null] = "the row is NULL"
    # Zero has two signs, and NaN many patterns of bits; a digest has to see one of each.
    values = np.where(np.isnan(values), np.nan, values + 0.0)
    return Fields(tuple(f.name for f in kept), tuple(f.categories for f in kept), values, reasons)


class _Unreadable(Exception):
    """Why a field can be neither a number nor a category."""


def _tell(left_out: dict[str, str], something_is_left: bool) -> None:
    listed = "; ".join(f"{name}: {why}" for name, why in left_out.items())
    if not something_is_left:
        raise BadInput(
            f"x is a {FIELDS} of which no field can be used ({listed}). It takes a field of "
            "numbers, booleans, dates, or text of few distinct values, which differs between rows."
        )
    if left_out:
        work.say_once(f"fields that are left out of x: {listed}")


def _tells_something(field: _Field) -> bool:
    """Whether a field differs between rows, be it only in being missing."""
    missing = np.isnan(field.values)
    present = field.values[~missing]
    return present.size > 0 and bool(missing.any() or (present != present[0]).any())


def _fields(name: str, column: pa.Array) -> Iterator[_Field]:
    """The features a field makes: one, or for dates and times several."""
    kind = column.type
    if pa.types.is_null(kind):
        return
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield _category(name, column)
    elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        yield from _calendar(name, column)
    else:
        for is_kind, numbers in _NUMBERS:
            if is_kind(kind):
                yield _Field(name, _finite(numbers(column)))
                return
        raise _Unreadable("its type is neither a number, a date, a boolean nor text")


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


def _calendar(name: str, column: pa.Array) -> Iterator[_Field]:
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
    yield _Field(name, _plain(pc.if_else(finite, raw, pa.scalar(None, raw.type))) / in_a_day)
    yield _Field(f"{name} (month)", _plain(pc.month(column)) - 1, _numbered(12))
    yield _Field(f"{name} (weekday)", _plain(pc.day_of_week(column)), _numbered(7))
    if not is_date:
        yield _Field(f"{name} (hour)", _plain(pc.hour(column)))


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, count + 1))


def _category(name: str, column: pa.Array) -> _Field:
    """Text as categories in order of name; those that come once, or are not common, share one.

    Raises _Unreadable if those with a category of their own are not half of the values.
    """
    encoded = column.cast(pa.large_string()).dictionary_encode()
    texts: list[str] = encoded.dictionary.to_pylist()
    places = encoded.indices.to_numpy(zero_copy_only=False).astype(np.float64)
    present = ~np.isnan(places)
    counts = np.bincount(places[present].astype(np.int64), minlength=len(texts))
    order = sorted(range(len(texts)), key=lambda place: (-counts[place], texts[place]))
    common = [place for place in order[:MAX_CATEGORIES] if counts[place] > 1]
    if counts[common].sum() * 2 < counts.sum():
        raise _Unreadable(f"it is text of {len(texts)} different values, too many for categories")
    categories = sorted(texts[place] for place in common)
    codes = np.full(len(texts), float(len(categories)))
    position = {text: place for place, text in enumerate(texts)}
    for code, text in enumerate(categories):
        codes[position[text]] = code
    if len(common) < len(texts):
        categories.append(OTHER)
    values = np.full(len(column), np.nan)
    values[present] = codes[places[present].astype(np.int64)]
    return _Field(name, values, tuple(categories))

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Iterator
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pytest

from sqlfuncs import work
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.features.tabular import TabularFeatures
from sqlfuncs.learning.models.class_target import ClassTarget
from sqlfuncs.learning.models.out_of_sample import out_of_sample, prepare
from sqlfuncs.learning.rows import field_values, registry
from sqlfuncs.learning.rows.fields import Fields

NAN = float("nan")


def _read(**fields: pa.Array) -> Fields:
    rows = registry.read(pa.StructArray.from_arrays(list(fields.values()), names=list(fields)))
    assert isinstance(rows, Fields)
    return rows


@pytest.fixture
def remarks() -> Iterator[list[str]]:
    heard: list[str] = []

    class Listener(work.Quiet):
        def show(self, message: str) -> None:
            heard.append(message)

    with work.listening(Listener()):
        yield heard


@pytest.mark.parametrize(
    "kind",
    [
        *(pa.int8(), pa.uint8(), pa.int32(), pa.int64(), pa.uint64()),
        *(pa.float16(), pa.float32(), pa.float64(), pa.decimal128(24, 2), pa.decimal128(38, 0)),
    ],
)
def test_numbers_of_every_type(kind: pa.DataType) -> None:
    rows = _read(n=pa.array([1, None, 3]).cast(kind))
    assert rows.values[:, 0].tolist() == pytest.approx([1, NAN, 3], nan_ok=True)
    assert rows.categories == (None,)
    assert rows.reasons.tolist() == [None, "all fields are NULL", None]


def test_numbers_beyond_64_bits() -> None:
    huge = decimal.Decimal(10**37)
    rows = _read(n=pa.array([huge, -huge], pa.decimal128(38, 0)))
    assert rows.values[:, 0].tolist() == [1e37, -1e37]


def test_infinity_and_nan_are_missing() -> None:
    rows = _read(n=pa.array([1, NAN, float("inf"), -float("inf"), None]), m=pa.array(range(5)))
    assert rows.values[:, 0].tolist() == pytest.approx([1, *[NAN] * 4], nan_ok=True)
    assert rows.reasons.tolist() == [None] * 5


def test_booleans_times_and_intervals_are_numbers() -> None:
    intervals = [pa.MonthDayNano([1, 2, 0]), pa.MonthDayNano([0, 0, 43_200 * 10**9]), None]
    rows = _read(
        b=pa.array([True, False, None]),
        t=pa.array([dt.time(6), dt.time(12, 30), None]),
        i=pa.array(intervals, pa.month_day_nano_interval()),
        d=pa.array([1, 2, None], pa.duration("s")),
    )
    expected = [[1, 6, 32.4375, 1], [0, 12.5, 0.5, 2], [NAN] * 4]
    assert rows.values == pytest.approx(np.array(expected), nan_ok=True)


def test_a_date_is_a_number_a_month_and_a_weekday() -> None:
    rows = _read(d=pa.array([dt.date(1970, 1, 2), dt.date(2026, 11, 22), None], pa.date32()))
    assert rows.names == ("d", "d (month)", "d (weekday)")
    assert rows.values[:, 0].tolist() == pytest.approx([1, 20_779, NAN], nan_ok=True)
    months, weekdays = rows.categories[1:]
    assert months is not None
    assert weekdays is not None
    assert [months[int(code)] for code in rows.values[:2, 1]] == ["1", "11"]
    assert [weekdays[int(code)] for code in rows.values[:2, 2]] == ["5", "7"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_a_timestamp_has_an_hour_in_utc(unit: str, zone: str | None) -> None:
    moments = pa.array([12 * 3600, 86_400 + 18 * 3600]).cast(pa.timestamp("s", zone))
    rows = _read(t=moments.cast(pa.timestamp(unit, zone)))
    assert rows.names == ("t", "t (weekday)", "t (hour)")  # the month is the same in both
    assert rows.values[:, 0].tolist() == [0.5, 1.75]
    assert rows.values[:, 2].tolist() == [12, 18]


def test_infinite_dates_are_missing() -> None:
    days = pa.array([2**31 - 1, -(2**31) + 1, 1, 2], pa.int32()).cast(pa.date32())
    moments = pa.array([1, 2, 2**63 - 1, -(2**63) + 1]).cast(pa.timestamp("us"))
    rows = _read(d=days, t=moments)
    assert np.isnan(rows.values[:, rows.names.index("d")]).tolist() == [True, True, False, False]
    assert np.isnan(rows.values[:, rows.names.index("t")]).tolist() == [False, False, True, True]


def test_text_of_few_values_is_categories_in_order() -> None:
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.uint8(), pa.string())):
        rows = _read(c=pa.array(["b", "a", None, "b", "", "a", ""]).cast(kind))
        assert rows.categories == (("", "a", "b"),)
        assert rows.values[:, 0].tolist() == pytest.approx([2, 1, NAN, 2, 0, 1, 0], nan_ok=True)


def test_rare_values_share_a_category() -> None:
    rows = _read(c=pa.array(["a"] * 5 + ["b"] * 4 + ["once", "never again"]))
    assert rows.categories == (("a", "b", field_values.OTHER),)
    assert rows.values[-2:, 0].tolist() == [2, 2]
    many = [f"c{n:03}" for n in range(300) for _ in range(2 if n < 270 else 3)]
    rows = _read(c=pa.array(many))
    (categories,) = rows.categories
    assert categories is not None
    assert len(categories) == field_values.MAX_CATEGORIES + 1
    assert set(many[-90:]) <= set(categories)  # the commonest are kept


def test_text_that_differs_everywhere_is_left_out_and_said(remarks: list[str]) -> None:
    rows = _read(id=pa.array([f"row {n}" for n in range(50)]), n=pa.array(range(50)))
    assert rows.names == ("n",)
    assert remarks == [
        "fields that are left out of x: id: it is text of 50 different values, too many for "
        "categories"
    ]


def test_fields_that_tell_nothing_are_left_out_and_said(remarks: list[str]) -> None:
    rows = _read(
        constant=pa.array([7, 7, 7]),
        nothing=pa.array([None, None, None], pa.float64()),
        untyped=pa.nulls(3),
        sometimes=pa.array([7, None, 7]),
        lists=pa.array([[1], [2], [3]]),
        structs=pa.array([{"a": 1}, {"a": 2}, {"a": 3}]),
        blobs=pa.array([b"a", b"b", b"c"]),
        maps=pa.array([[("a", 1)]] * 3, pa.map_(pa.string(), pa.int64())),
    )
    assert rows.names == ("sometimes",)
    (said,) = remarks
    for name in ("constant", "nothing", "untyped"):
        assert f"{name}: it is NULL or the same everywhere" in said
    for name in ("lists", "structs", "blobs", "maps"):
        assert f"{name}: its type is neither a number, a date, a boolean nor text" in said


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (pa.array([{"l": [1]}, {"l": [2]}]), r"l: its type is neither"),
        (pa.array([{"k": 5}, {"k": 5}]), r"k: it is NULL or the same everywhere"),
        (pa.array([{"u": "x"}, {"u": "y"}]), r"u: it is text of 2 different values"),
    ],
)
def test_no_field_left_is_an_error(column: pa.Array, why: str) -> None:
    with pytest.raises(BadInput, match=rf"no field can be used \({why}.*It takes a field of"):
        registry.read(column)


def test_rows_of_null_and_of_nothing_keep_their_place() -> None:
    column = pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": None}, {"a": 2, "b": "x"}])
    rows = registry.read(column)
    assert rows.reasons.tolist() == [None, "the row is NULL", "all fields are NULL", None]
    nothing = registry.read(pa.array([None, None], pa.struct([("a", pa.int64())])))
    assert nothing.reasons.tolist() == ["the row is NULL"] * 2
    assert len(registry.read(pa.array([], pa.struct([("a", pa.int64())]))).reasons) == 0


def test_a_slice_of_a_column_is_read_as_itself() -> None:
    column = pa.array([{"a": 9, "i": None}, {"a": 1, "i": None}, None, {"a": 2, "i": None}])
    rows = registry.read(column.slice(1, 3))
    assert isinstance(rows, Fields)
    assert rows.values[:, 0].tolist() == pytest.approx([1, NAN, 2], nan_ok=True)
    intervals = pa.array(
        [pa.MonthDayNano([0, days, 0]) for days in (9, 1, 2)], pa.month_day_nano_interval()
    )
    assert _read(i=intervals.slice(1)).values[:, 0].tolist() == [1, 2]


def test_equal_rows_have_equal_digests_and_others_have_not() -> None:
    values = [{"a": 0.0, "b": "x"}, {"a": -0.0, "b": "x"}, {"a": NAN, "b": "x"}]
    values += [{"a": None, "b": "x"}, {"a": 0.0, "b": "y"}, {"a": 0.0, "b": "y"}]
    rows = registry.read(pa.array(values))
    assert isinstance(rows, Fields)
    zero, minus_zero, nan, null, y, y_again = rows.digests()
    assert (zero, nan, y) == (minus_zero, null, y_again)
    assert len({zero, nan, y}) == 3
    backwards = registry.read(pa.array(values[::-1]))
    assert isinstance(backwards, Fields)
    assert backwards.digests() == rows.digests()[::-1]


def test_without_free_text_nothing_has_changed() -> None:
    """Digests and probabilities as they were before texts were read."""
    rows = registry.read(
        pa.array(
            [
                {
                    "n": None if i % 9 == 4 else i * i % 17 / 2,
                    "c": f"kind {i * 7 % 5}",
                    "d": dt.date(2024, 1, 1 + i % 28),
                    "key": f"row {i}",
                    "page": f"https://example.org/a-b?n={i}",
                }
                for i in range(60)
            ]
        )
    )
    digests = sha256(b"".join(rows.digests())).hexdigest()
    assert digests == "05051ad274fa21dbafaae269b253c0953d65540457e4a1c01ee30f8f394c69ae"
    codes = np.arange(60) ** 2 % 17 // 6
    prepared = prepare(rows, ClassTarget(codes, 3))
    assert type(prepared.features) is TabularFeatures
    probs, _, _ = out_of_sample(prepared, folds=5, seed=0)
    was = [[0.976591, 0.017309, 0.0061], [0.972252, 0.01752, 0.010229]]
    was += [[0.974547, 0.015719, 0.009734], [0.011905, 0.786341, 0.201754]]
    assert probs[:4] == pytest.approx(np.array(was), abs=1e-4)

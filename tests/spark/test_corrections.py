"""apply_corrections and corrections_diff on Spark, beside DuckDB's on the same tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

import sqlfuncs
import sqlfuncs.spark
from sqlfuncs.engines.spark import decisions, frames
from sqlfuncs.errors import BadInput

LOG = ("key", "action", "old_label", "new_label", "decided_by", "decided_at")
WHEN = datetime(2026, 1, 1)


@pytest.fixture(scope="module")
def home() -> Iterator[duckdb.DuckDBPyConnection]:
    with sqlfuncs.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


def log_of(*rows: Sequence[Any]) -> pa.Table:
    """A log from (key, action, old_label, new_label)."""
    full = [(*row, "ann", WHEN) for row in rows]
    return pa.table(
        {name: list(values) for name, values in zip(LOG, zip(*full, strict=True), strict=True)}
    )


def at_home(con: Any, name: str, table: pa.Table, log: pa.Table, options: str = "") -> pa.Table:
    con.register("t", table)
    con.register("decided", log)
    return con.sql(f'FROM {name}(t, decided, "id", "label"{options})').to_arrow_table()


def in_order(table: pa.Table) -> list[str]:
    return sorted(map(str, table.to_pylist()))


def same(spark: Any, con: Any, table: pa.Table, log: pa.Table, **options: Any) -> None:
    """Both functions give the same rows, and the table's columns have their types."""
    df = frames.from_arrow(spark, table)
    given = "".join(f", {name} := '{value}'" for name, value in options.items())
    applied = sqlfuncs.spark.apply_corrections(df, log, "id", "label", **options)
    assert applied.schema.simpleString() == df.schema.simpleString()
    assert in_order(applied.toArrow()) == in_order(
        at_home(con, "apply_corrections", table, log, given)
    )
    diff = sqlfuncs.spark.corrections_diff(df, log, "id", "label", **options).toArrow()
    expected = at_home(con, "corrections_diff", table, log, given)
    assert str(diff.to_pylist()) == str(expected.to_pylist())  # where NaN is NaN


RELABELLED = (("1", "relabel", "a", "b"), ("3", "exclude", "b", None), (" 4", "keep", None, None))
FIRST = datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
MOMENTS = pa.array([1, 2], pa.timestamp("us", "UTC"))
TABLES: dict[str, tuple[dict[str, Any], list[Sequence[Any]]]] = {
    "INT keys by text, and a row without one": (
        {"id": pa.array([1, 2, 3, 4, None], pa.int32()), "label": ["a", "a", "b", None, "x"]},
        [*RELABELLED],
    ),
    "STRING keys and labels by numbers": (
        {"id": ["007", "8", "x"], "label": ["01", "2", "5"]},
        [(7, "relabel", 1, 5), (8, "relabel", 2, 6)],
    ),
    "STRING labels by numbers, as they are spelt": (
        {"id": [1, 2], "label": ["007", "y"]},
        [(1, "relabel", 7, 8)],
    ),
    "DATE keys by text": (
        {"id": [date(2024, 1, 5), date(2024, 1, 6)], "label": [True, False]},
        [("2024-01-05", "relabel", "true", "no")],
    ),
    "text keys by DATE": (
        {"id": ["2024-01-05", "2024-01-06"], "label": [1.5, None]},
        [(date(2024, 1, 5), "relabel", 1.5, 2)],
    ),
    "DOUBLE keys, with both zeros and NaN": (
        {"id": [1.0, 2.5, -0.0, 0.0, float("nan")], "label": ["a", "b", "c", "d", "e"]},
        [("1", "relabel", "a", "z"), ("0", "exclude", "d", None), ("nan", "exclude", "e", None)],
    ),
    "DECIMAL keys": (
        {"id": [Decimal("1.50"), Decimal("2.00")], "label": pa.array([1, 2], pa.int16())},
        [("1.5", "relabel", "1", "2"), ("2", "exclude", "2", None)],
    ),
    "TIMESTAMP keys and labels": (
        {"id": MOMENTS, "label": pa.array([1, 2], pa.timestamp("us"))},
        [(FIRST, "relabel", FIRST.replace(tzinfo=None), WHEN)],
    ),
    "binary keys": (
        {"id": [b"a", b"\xff"], "label": [1, 2]},
        [("a", "relabel", 1, 2), ("\\xFF", "exclude", 2, None)],
    ),
    "an empty table": ({"id": pa.array([], pa.int64()), "label": pa.array([], pa.string())}, []),
    "an empty log": ({"id": [1, 2], "label": ["a", None]}, []),
}
EMPTY = log_of(("1", "keep", "a", None)).slice(0, 0)


@pytest.mark.parametrize("name", TABLES)
def test_the_same_as_at_home(spark: Any, home: Any, name: str) -> None:
    columns, rows = TABLES[name]
    same(spark, home, pa.table(columns), log_of(*rows) if rows else EMPTY)


def test_only_what_was_decided_by_then(spark: Any, home: Any) -> None:
    log = pa.table(
        {
            "key": [1, 1, 2],
            "action": ["relabel", "relabel", "exclude"],
            "old_label": ["a", "a", "b"],
            "new_label": ["b", "c", None],
            "decided_at": [WHEN, datetime(2026, 2, 1), datetime(2026, 3, 1)],
        }
    )
    table = pa.table({"id": [1, 2], "label": ["a", "b"]})
    same(spark, home, table, log, as_of="2026-01-15")
    same(spark, home, table, log, as_of=date(2026, 2, 15))


MISTAKES: dict[str, tuple[dict[str, Any], list[Sequence[Any]]]] = {
    "a stale label": ({"id": [1, 2], "label": ["a", "b"]}, [("1", "relabel", "z", "b")]),
    "a key that is not there": ({"id": [1], "label": ["a"]}, [("7", "keep", "a", None)]),
    "a key that is no number": ({"id": [1], "label": ["a"]}, [("x", "keep", "a", None)]),
    "a key without a value": ({"id": [1], "label": ["a"]}, [(None, "keep", "a", None)]),
    "no rows": (
        {"id": pa.array([], pa.int64()), "label": pa.array([], pa.string())},
        [(1, "keep", "a", None)],
    ),
    "keys twice, decided about": ({"id": [1, 1], "label": ["a", "a"]}, [(1, "keep", "a", None)]),
    "keys twice, others": ({"id": [1, 2, 2], "label": ["a"] * 3}, [(1, "keep", "a", None)]),
    "many keys twice": ({"id": [*range(30)] * 2, "label": ["a"] * 60}, [(1, "keep", "a", None)]),
    "two decisions at once": (
        {"id": [1], "label": ["a"]},
        [(1, "relabel", "a", "b"), (1, "exclude", "a", None)],
    ),
    "an unknown action": ({"id": [1], "label": ["a"]}, [(1, "delete", "a", None)]),
    "a label that would be rounded": ({"id": [1], "label": [1]}, [(1, "relabel", "1", "2.5")]),
    "several labels a row": ({"id": [1], "label": [[1]]}, [(1, "relabel", "1", "2")]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_same_mistakes_are_refused(spark: Any, home: Any, name: str) -> None:
    columns, rows = MISTAKES[name]
    table = pa.table(columns)
    with pytest.raises(duckdb.Error) as expected:
        at_home(home, "apply_corrections", table, log_of(*rows))
    with pytest.raises(BadInput) as refused:
        sqlfuncs.spark.apply_corrections(spark.createDataFrame(table), log_of(*rows), "id", "label")
    assert str(refused.value).strip() in str(expected.value)


def test_other_columns_stay_as_they_are(spark: Any) -> None:
    df = spark.sql(
        "SELECT 1 AS `my.id`, 'a' AS `we``ird label`, map('k', array(1)) AS m, 'x' AS _sf_key, "
        "named_struct('label', 2) AS s, 'y' AS _sf_old, X'00' AS b"
    )
    log = log_of((1, "relabel", "a", "b"))
    applied = sqlfuncs.spark.apply_corrections(df, log, "MY.ID", "We`ird Label")
    assert applied.columns == df.columns
    (before,), (after,) = df.collect(), applied.collect()
    assert [*after] == [1, "b", *before[2:]]


def test_a_label_that_changed_since_is_not_overwritten(spark: Any) -> None:
    spark.sql("DROP TABLE IF EXISTS changing")
    spark.sql("CREATE TABLE changing USING parquet AS SELECT 1 AS id, 'a' AS label")
    for action in ("relabel", "exclude"):
        spark.sql("INSERT OVERWRITE changing VALUES (1, 'a')")
        log = log_of((1, action, "a", "b"))
        applied = sqlfuncs.spark.apply_corrections("changing", log, "id", "label")
        spark.sql("INSERT OVERWRITE changing VALUES (1, 'c')")
        spark.catalog.refreshTable("changing")
        with pytest.raises(Exception, match="the label has changed of 1"):
            applied.collect()


@pytest.mark.parametrize("ansi", ["true", "false"])
def test_in_either_mode_of_ansi(spark: Any, home: Any, ansi: str) -> None:
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", ansi)
    try:
        columns, rows = TABLES["INT keys by text, and a row without one"]
        same(spark, home, pa.table(columns), log_of(*rows))
    finally:
        spark.conf.set("spark.sql.ansi.enabled", before)


def test_many_changes_are_joined_without_a_broadcast(
    spark: Any, home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "MOST_BROADCAST", 1)
    columns, rows = TABLES["INT keys by text, and a row without one"]
    same(spark, home, pa.table(columns), log_of(*rows))


def test_a_log_of_spark_is_read_by_its_own_columns(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = spark.sql(
        "SELECT 1 AS KEY, 'exclude' AS Action, 'a' AS old_label, map(1, 2) AS note, "
        "TIMESTAMP_NTZ '2026-01-01' AS decided_at"
    )
    assert decisions.read_log(log).column_names == ["KEY", "Action", "old_label", "decided_at"]
    df = spark.sql("SELECT 1 AS id, 'a' AS label")
    assert sqlfuncs.spark.apply_corrections(df, log, "id", "label").collect() == []
    monkeypatch.setattr(decisions, "MOST_DECISIONS", 0)
    with pytest.raises(BadInput, match="more than 0 rows"):
        decisions.read_log(log)


def test_moments_are_in_utc_in_any_zone(spark: Any) -> None:
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    try:
        moments = pa.table({"id": [1], "label": pa.array([WHEN], pa.timestamp("us"))})
        df = frames.from_arrow(spark, moments)
        log = log_of((1, "relabel", WHEN, datetime(2026, 7, 1)))
        applied = sqlfuncs.spark.apply_corrections(df, frames.from_arrow(spark, log), "id", "label")
        assert applied.schema.simpleString() == "struct<id:bigint,label:timestamp_ntz>"
        assert applied.toArrow()["label"].to_pylist() == [datetime(2026, 7, 1)]
        early = {"as_of": "2025-12-31 23:00:00"}  # in UTC, as decided_at has no zone
        same = sqlfuncs.spark.apply_corrections(df, log, "id", "label", **early)
        assert same.toArrow()["label"].to_pylist() == [WHEN]
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)


def test_two_jobs_with_one_log(spark: Any) -> None:
    """Each applies what the log said when it was asked; both see the same table."""
    df = spark.sql("SELECT id, 'a' AS label FROM range(100)")
    log = log_of(*((key, "relabel", "a", "b") for key in range(10)))
    with ThreadPoolExecutor(2) as pool:
        made = [
            pool.submit(sqlfuncs.spark.apply_corrections, df, log, "id", "label") for _ in range(2)
        ]
        counts = [each.result().where("label = 'b'").count() for each in made]
    assert counts == [10, 10]

"""Query files on Spark: one file for both engines, and the same rows from both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from sqlfuncs.cli import on_spark
from sqlfuncs.cli.run import rendered
from sqlfuncs.engines.duckdb import statements as on_duckdb
from sqlfuncs.engines.spark import scripts
from sqlfuncs.engines.spark.quoting import NOT_ON_SPARK
from sqlfuncs.errors import BadQueryFile, StatementFailed, TimedOut
from sqlfuncs.queries import files
from sqlfuncs.queries.header import QueryFile, parse
from tests.spark import sessions
from tests.spark.test_other_labels import TABLES

Results = list[list[tuple[Any, ...]]]
_ROWS = """
    SELECT i AS id, 'row ' || i AS text, 'c' || (i % 3) AS true_label,
        'c' || (if(i % 7 = 0, i + 1, i) % 3) AS label,
        [if(i % 3 = d, 1, 0) + hash(i * 5 + d) % 100 / 120 FOR d IN range(4)]::FLOAT[] AS x
    FROM range(90) r(i)
"""


class Both:
    """The same tables, and what query files show, in DuckDB and on Spark."""

    def __init__(self, con: duckdb.DuckDBPyConnection, spark: Any) -> None:
        self.con, self.spark = con, spark

    def make(self, name: str, sql: str) -> None:
        self.con.execute(f"CREATE OR REPLACE TABLE {name} AS {sql}")
        made = self.spark.createDataFrame(self.con.sql(f"FROM {name}").to_arrow_table())
        made.write.mode("overwrite").saveAsTable(name)

    def run(self, query: str, **given: object) -> tuple[Results, Results]:
        file = files.find(query)
        words = {name: str(value) for name, value in given.items()}
        return (
            [r.rows for r in on_duckdb.run(self.con, rendered(file, words)) if r.columns],
            [r.rows for r in self.on_spark(file, words) if r.columns],
        )

    def on_spark(self, file: QueryFile, words: dict[str, str]) -> list[Any]:
        return list(scripts.run(self.spark, on_spark.rendered(file, words)))

    def same(self, query: str, **given: object) -> Results:
        there, here = self.run(query, **given)
        assert _plain(here) == _plain(there)
        return here

    def same_table(self, name: str, columns: str = "*") -> int:
        there = self.con.execute(f"SELECT {columns} FROM {name}").fetchall()
        here = [tuple(row) for row in self.spark.sql(f"SELECT {columns} FROM {name}").collect()]
        assert _plain([here]) == _plain([there])
        return len(here)


def _plain(results: Results) -> list[list[str]]:
    """Rows in an order of their own, for neither engine says in which it gives equal ones."""

    def plain(value: Any) -> Any:
        match value:
            case float():
                return f"{value:.9g}"
            case dict():
                return sorted((key, plain(each)) for key, each in value.items())
            case tuple() if hasattr(value, "asDict"):  # a struct
                return plain(value.asDict())
            case list():
                return [plain(each) for each in value]
        return value

    return [sorted(repr([plain(each) for each in row]) for row in rows) for rows in results]


@pytest.fixture
def both(
    con: duckdb.DuckDBPyConnection, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Both]:
    monkeypatch.setenv("SQLFUNCS_HOME", sessions.home())
    made = Both(con, spark)
    made.make("train", _ROWS)
    yield made
    for table in spark.catalog.listTables():
        if table.tableType == "MANAGED":
            spark.sql(f"DROP TABLE {table.name}")


@pytest.mark.parametrize("kind", ["numbers", "tags", "words"])
def test_labels_of_other_kinds_are_detected_and_queued(both: Both, kind: str) -> None:
    both.con.register("made", TABLES[kind]())
    both.make("others", "FROM made")
    there, here = both.run("detect", table="others", text="x")  # Spark counts by whole labels
    assert there and here
    assert both.same_table("issues") == both.same_table("others")
    (queued,) = both.same("review_queue", table="others", text="x", purpose="verify", budget=5)
    assert queued


ISSUES = "id, label, label_quality, is_label_issue, suggested_label, class_probs, not_judged"


def test_detect_judge_prune_and_evaluate(both: Both) -> None:
    ((*_, counted),) = both.same("detect", text="x", judge="kept")[:1] or [[()]]
    assert counted
    assert both.same_table("issues", ISSUES) == 90
    both.same("judge", table="train", text="x", judge="kept")
    assert both.same_table("new_issues", ISSUES) == 90
    assert both.same("prune") == [[(90, both.same_table("pruned"))]]
    both.run("fine_tune", text="x")
    shown = both.same("evaluate", table="train", text="x", label="true_label")
    assert len(shown) == 3
    assert both.same_table("predictions", "id, predicted") == 90
    again = both.same("detect", text="x", cut="both")  # replaces a table
    assert again
    assert not [t.name for t in both.spark.catalog.listTables() if "sqlfuncs" in t.name]


def test_correct_and_review(both: Both) -> None:
    both.same("detect", text="x")
    both.same("review_queue", text="text", budget=5)
    both.same("review_queue", text="text", budget=5, order="random")
    both.same("review_queue", text="text", budget=5, purpose="verify")
    both.make("answers", "SELECT id, true_label AS label FROM train")
    both.same("verify", log="verified", budget=6, reviewer="Ann")
    columns = "key, action, old_label, new_label, decided_by, reason"
    assert both.same_table("verified", columns) > 0
    both.same("verify", log="verified", budget=6, reviewer="Ann")  # nothing is asked twice
    both.same_table("verified", columns)
    both.same("take_review", reviewer="Ann")
    assert both.same_table("reviewed", "id, label") == 90
    both.same("review_queue", text="text", budget=5, log="verified")


def test_correct(both: Both) -> None:
    both.same("detect", text="x")
    shown = both.same("correct")
    assert len(shown) == 2
    assert both.same_table("corrected", "id, label") == 90
    columns = "key, action, old_label, new_label, decided_by, reason"
    logged = both.same_table("decisions", columns)
    assert logged > 0
    both.same("correct")  # nothing new
    assert both.same_table("decisions", columns) == logged


@pytest.mark.parametrize("name", [file.name for file in files.shipped()])
def test_a_file_runs_or_says_why_not(name: str) -> None:
    file = files.find(name)
    given = {p.name: "one,two" for p in file.parameters if p.default is None}
    if name in NOT_ON_SPARK:
        with pytest.raises(BadQueryFile, match=f"{name} does not run on Spark: "):
            on_spark.rendered(file, given)
        return
    for odd in ("plain", "o'd`d\n🎈; -- \\ ${env:HOME}"):
        words = {p.name: odd for p in file.parameters if p.type == "text" and p.name in given}
        assert on_spark.rendered(file, {**given, **words})


def test_values_are_nothing_but_values(both: Both) -> None:
    text = "-- param a text: it\nSELECT {{ a | literal }} AS {{ 'o`dd' | ident }}"
    for odd in ("it's", 'a "b"', "\\", "\\'", "${env:HOME}", "$$x$$", "-- a", "/*", "a\nb", "`"):
        (result,) = both.on_spark(parse("odd", text), {"a": odd})
        assert (result.columns, result.rows) == (["o`dd"], [(odd,)])


def test_what_fails_says_which_statement_and_leaves_nothing(both: Both) -> None:
    text = (
        "CREATE OR REPLACE TABLE made AS SELECT 1 AS a;\n"
        "CREATE OR REPLACE TABLE made AS SELECT raise_error('no; \\'way') AS a FROM made;\n"
        "SELECT 2"
    )
    with pytest.raises(StatementFailed, match=r"statement 2 of 3 failed \(statement 1 ran, statem"):
        both.on_spark(parse("two", text), {})
    assert both.spark.table("made").collect()[0].a == 1
    assert not [t.name for t in both.spark.catalog.listTables() if "sqlfuncs" in t.name]
    with pytest.raises(StatementFailed, match="nope") as failed:
        both.on_spark(parse("missing", "FROM nope"), {})
    assert failed.value.missing_name


def test_a_table_that_is_read_is_replaced(both: Both) -> None:
    text = (
        "CREATE OR REPLACE TABLE `ma_de` AS SELECT 1 AS a;\n"
        "CREATE OR REPLACE TABLE `ma_de` AS SELECT a + 1 AS a FROM `ma_de`;\n"
        "CREATE OR REPLACE TEMP TABLE kept AS SELECT a FROM `ma_de`;\n"
        "DROP TABLE `ma_de`;\n"
        "SELECT a, map('k', 1.5F) AS m, CAST(NULL AS STRING) AS n FROM kept"
    )
    *_, last = both.on_spark(parse("replaced", text), {})
    assert (last.number, last.count, last.rows) == (5, 5, [(2, {"k": 1.5}, None)])
    assert not both.spark.catalog.tableExists("kept")


def test_a_limit_ends_it(both: Both) -> None:
    slow = "SELECT sum(a.id * b.id) FROM range(1000000) a, range(1000000) b"
    with pytest.raises(TimedOut, match=r"stopped after 0\.5 s"):
        list(scripts.run(both.spark, slow, timeout=0.5))
    assert both.spark.sql("SELECT 1 AS a").collect()[0].a == 1

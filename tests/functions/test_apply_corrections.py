from __future__ import annotations

import re

import duckdb
import pyarrow as pa
import pytest

from sqlfuncs.engines.duckdb.udf import Udf
from tests.functions.decisions import FAULTS, Decision, decide, three_rows

ODD = ['it"s', "a.b", "🎈 tab\t", "new\nline", "Upper Case", "select", "\\1", "it's", "é%s{}"]


def _apply(con: duckdb.DuckDBPyConnection, options: str = "") -> list[tuple[object, ...]]:
    return con.execute(f"FROM apply_corrections(t, log, id, label{options})").fetchall()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def test_each_action(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS SELECT i AS id, 'a' AS label FROM range(1, 6) r(i)")
    decide(
        con,
        ("1", "relabel", "a", "b", 1),
        ("2", "keep", "a", "b", 1),
        ("3", "exclude", "a", "b", 1),
        ("4", "needs_review", "a", "b", 1),
    )
    assert _apply(con) == [(1, "b"), (2, "a"), (4, "a"), (5, "a")]


def test_the_latest_decision_wins(con: duckdb.DuckDBPyConnection) -> None:
    three_rows(con)
    decide(
        con,
        ("1", "relabel", "a", "late", 3),
        ("1", "relabel", "a", "early", 1),
        ("1", "exclude", "a", None, 2),
        ("2", "exclude", "b", None, 1),
        ("2", "keep", "b", None, 2),
        ("3", "relabel", None, "found", 1),
    )
    assert _apply(con) == [(1, "late"), (2, "b"), (3, "found")]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("TIMESTAMP '2025-12-31'", [(1, "a"), (2, "b"), (3, None)]),
        ("TIMESTAMP '2026-01-01'", [(1, "early"), (2, "b"), (3, None)]),
        ("'2026-01-01 23:59:59'", [(1, "early"), (2, "b"), (3, None)]),
        ("DATE '2026-01-02'", [(2, "b"), (3, None)]),
        ("NULL", [(1, "late"), (2, "b"), (3, None)]),
    ],
)
def test_as_of_goes_back_in_time(
    con: duckdb.DuckDBPyConnection, moment: str, expected: list[tuple[int, str | None]]
) -> None:
    three_rows(con)
    decide(
        con,
        ("1", "relabel", "a", "early", 1),
        ("1", "exclude", "a", None, 2),
        ("1", "relabel", "a", "late", 3),
    )
    assert _apply(con, f", as_of := {moment}") == expected


def test_a_fault_that_a_later_decision_mended_is_none(con: duckdb.DuckDBPyConnection) -> None:
    three_rows(con)
    decide(con, ("1", "relabel", "stale", None, 1), ("1", "relabel", "a", "b", 2))
    assert _apply(con) == [(1, "b"), (2, "b"), (3, None)]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("select", ["*", "count(*)", "id"])
def test_faults_are_listed_and_nothing_is_applied(
    con: duckdb.DuckDBPyConnection, fault: str, select: str
) -> None:
    three_rows(con)
    decisions, parts = FAULTS[fault]
    decide(con, *decisions)
    with pytest.raises(duckdb.InvalidInputException, match="nothing was applied") as caught:
        con.execute(
            f"CREATE TABLE u AS SELECT {select} AS a FROM apply_corrections(t, log, id, label)"
            if select != "*"
            else "CREATE TABLE u AS FROM apply_corrections(t, log, id, label)"
        )
    assert all(part in str(caught.value) for part in parts)
    assert (
        con.execute("SELECT table_name FROM duckdb_tables() WHERE table_name = 'u'").fetchall()
        == []
    )


def test_a_good_decision_beside_a_bad_one_is_not_applied(con: duckdb.DuckDBPyConnection) -> None:
    three_rows(con)
    decide(con, ("1", "relabel", "a", "b", 1), ("9", "keep", "a", None, 1))
    for where in ("id = 1", "id = 2", "label = 'a'", "false OR id < 2"):
        with pytest.raises(duckdb.InvalidInputException, match="not in the table: 9"):
            con.execute(f"FROM apply_corrections(t, log, id, label) WHERE {where}").fetchall()


@pytest.mark.parametrize(
    "decisions",
    [
        [(None, "relabel", "a", None, 1)],
        [(None, "relabel", "a", "b", 1), (None, "keep", "a", None, 1)],
        [(None, "relabel", "a", None, 1), ("1", "relabel", "stale", "b", 1)],
    ],
)
def test_a_null_key_never_hides_a_fault(
    con: duckdb.DuckDBPyConnection, decisions: list[Decision]
) -> None:
    three_rows(con)
    decide(con, *decisions)
    with pytest.raises(duckdb.InvalidInputException, match="nothing was applied"):
        _apply(con)


def test_duplicate_keys_of_the_table(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS FROM (VALUES (1, 'a'), (1, 'b'), (2, 'b')) v(id, label)")
    decide(con)
    with pytest.raises(duckdb.InvalidInputException, match=re.escape("once: 1 (2 rows)")):
        _apply(con)


def test_a_long_list_is_cut_and_counted(con: duckdb.DuckDBPyConnection) -> None:
    three_rows(con)
    decide(con, *[(f"k{n}", "keep", "a", None, 1) for n in range(10, 25)])
    with pytest.raises(duckdb.InvalidInputException) as caught:
        _apply(con)
    assert "decisions about keys that are not in the table: k10, k11" in str(caught.value)
    assert "k19, ... (15 in all)" in str(caught.value)


def test_the_same_decision_by_two_people_is_no_conflict(con: duckdb.DuckDBPyConnection) -> None:
    three_rows(con)
    decide(con, ("1", "relabel", "a", "b", 1))
    con.execute("INSERT INTO log SELECT * REPLACE ('bob' AS decided_by) FROM log")
    assert _apply(con) == [(1, "b"), (2, "b"), (3, None)]


def test_rows_without_a_key_stay(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS FROM (VALUES (NULL, 'a'), (NULL, 'b'), (1, 'c')) v(id, label)")
    decide(con, ("1", "exclude", "c", None, 1))
    assert _apply(con) == [(None, "a"), (None, "b")]


def test_an_empty_log_and_an_empty_table(con: duckdb.DuckDBPyConnection) -> None:
    three_rows(con)
    decide(con)
    assert _apply(con) == con.execute("FROM t").fetchall()
    con.execute("DELETE FROM t")
    assert _apply(con) == []
    decide(con, ("1", "keep", "a", None, 1))
    with pytest.raises(duckdb.InvalidInputException, match="not in the table: 1"):
        _apply(con)


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("INTEGER", "1", "-2"),
        ("BOOLEAN", "true", "false"),
        ("ENUM ('a', 'b')", "a", "b"),
        ("DATE", "2026-01-01", "2024-02-29"),
        ("DECIMAL(4, 2)", "1.50", "2.25"),
        ("VARCHAR", 'it\'s "x"\n🎈', " [] 'y'\n"),
    ],
)
@pytest.mark.parametrize("log_of_its_type", [False, True])
def test_labels_keep_their_type(
    con: duckdb.DuckDBPyConnection, kind: str, old: str, new: str, log_of_its_type: bool
) -> None:
    con.execute(f"CREATE TABLE t (id INTEGER, label {kind})")
    con.execute("INSERT INTO t VALUES (1, ?), (2, ?)", [old, old])
    decide(con, ("1", "relabel", old, new, 1))
    if log_of_its_type:
        con.execute(f"ALTER TABLE log ALTER old_label TYPE {kind}")
        con.execute(f"ALTER TABLE log ALTER new_label TYPE {kind}")
        con.execute("ALTER TABLE log ALTER key TYPE INTEGER")
    con.execute("CREATE TABLE u AS FROM apply_corrections(t, log, id, label)")
    types = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY 1"
    assert con.execute(types, ["u"]).fetchall() == con.execute(types, ["t"]).fetchall()
    assert con.execute("SELECT id, label::VARCHAR FROM u").fetchall() == [(1, new), (2, old)]


@pytest.mark.parametrize(
    ("kind", "new"), [("INTEGER", "one"), ("ENUM ('1', '2')", "3"), ("BOOLEAN", "maybe")]
)
def test_a_new_label_that_is_none_of_the_type(
    con: duckdb.DuckDBPyConnection, kind: str, new: str
) -> None:
    con.execute(f"CREATE TABLE t AS SELECT 1 AS id, '1'::{kind} AS label")
    decide(con, ("1", "relabel", "true" if kind == "BOOLEAN" else "1", new, 1))
    with pytest.raises(
        duckdb.InvalidInputException, match=r"no value of the label's type, [^:]*: 1"
    ):
        _apply(con)


VALUES = [
    "{'x': 1, 'label': [1]}",
    "[1, NULL]",
    "[1.0, 2]::FLOAT[2]",
    "MAP {'k': 1}",
    "MAP {1: {'k': [1]}}",
    "'ab\\x00'::BLOB",
    "1::DECIMAL(20, 4) / 7",
    "12345678901234567.89::DECIMAL(38, 2)",
    "TIMESTAMP '2026-01-01 12:00:00.123456'",
    "TIMESTAMP_NS '2026-01-01 12:00:00.123456789'",
    "TIMESTAMPTZ '2026-01-01 12:00:00+02'",
    "TIME '10:00'",
    "INTERVAL 3 DAY",
    "'ba3b8d40-6d4c-4a56-9d0c-1f0e3c2a5b11'::UUID",
    "'e'::ENUM ('e')",
    "1::HUGEINT",
    "'nan'::DOUBLE",
    "0.1::FLOAT",
    "'101'::BIT",
    "true",
    "'{\"a\": 1}'::JSON",
    "''",
]


@pytest.mark.parametrize("value", VALUES)
def test_other_columns_of_every_type_are_unchanged(
    con: duckdb.DuckDBPyConnection, value: str
) -> None:
    con.execute(
        f"CREATE TABLE t AS SELECT i AS id, 'a' AS label, {value} AS other, "
        f"[{value}] AS more, NULL::INTEGER AS none FROM range(6) r(i)"
    )
    con.execute("UPDATE t SET other = NULL WHERE id = 3")
    decide(con, ("1", "relabel", "a", "b", 1), ("2", "exclude", "a", None, 1))
    con.execute("CREATE TABLE u AS FROM apply_corrections(t, log, id, label)")
    types = (
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? "
        "ORDER BY column_index"
    )
    assert con.execute(types, ["u"]).fetchall() == con.execute(types, ["t"]).fetchall()
    con.execute("UPDATE u SET label = 'a'")
    assert con.execute("SELECT id FROM (FROM t EXCEPT ALL FROM u)").fetchall() == [(2,)]
    assert con.execute("SELECT id FROM (FROM u EXCEPT ALL FROM t)").fetchall() == []


@pytest.mark.parametrize(
    "value",
    ["union_value(num := 2)", "{'u': union_value(num := 2)}", "[union_value(num := 2)]", "NULL"],
)
def test_columns_of_no_type_or_a_union_have_to_be_left_out(
    con: duckdb.DuckDBPyConnection, value: str
) -> None:
    """A limit that the reference states: such a column is an error, never another result."""
    decide(con, ("1", "relabel", "a", "b", 1))
    table = f"WITH t AS (SELECT 1 AS id, 'a' AS label, {value} AS other)"
    with pytest.raises(duckdb.Error, match="cast"):
        con.execute(f"{table} FROM apply_corrections(t, log, id, label)")
    found = con.execute(
        f"{table}, u AS (SELECT * EXCLUDE (other) FROM t) FROM apply_corrections(u, log, id, label)"
    )
    assert found.fetchall() == [(1, "b")]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_of_columns_and_tables(con: duckdb.DuckDBPyConnection, name: str) -> None:
    odd, key, label = _quoted(name), _quoted(name + " key"), _quoted(name + " label")
    con.execute(f"CREATE TABLE {odd} AS SELECT 1 AS {key}, 'a' AS {label}, 2 AS {odd}")
    con.execute(f"INSERT INTO {odd} VALUES (2, 'a', 3)")
    decide(con, ("1", "relabel", "a", name, 1))
    found = con.execute(
        f"WITH input AS (FROM {odd}) FROM apply_corrections(input, log, {key}, {label})"
    )
    assert [c[0] for c in found.description or []] == [f"{name} key", f"{name} label", name]
    assert found.fetchall() == [(1, name, 2), (2, "a", 3)]


def test_columns_called_like_the_arguments(con: duckdb.DuckDBPyConnection) -> None:
    names = "key, label, action, tbl, log, as_of, old_label, new_label, decided_by, decided_at"
    con.execute(f"CREATE TABLE t AS FROM (VALUES (1, 'a', 2, 3, 4, 5, 6, 7, 8, 9)) v({names})")
    decide(con, ("1", "relabel", "a", "b", 1))
    found = con.execute("FROM apply_corrections(t, log, key, label)").fetchall()
    assert found == [(1, "b", 2, 3, 4, 5, 6, 7, 8, 9)]


def test_names_in_another_case_and_qualified_tables(con: duckdb.DuckDBPyConnection) -> None:
    con.execute('CREATE SCHEMA s; CREATE TABLE s.T AS SELECT 1 AS "Id", \'a\' AS "Label"')
    decide(con, ("1", "relabel", "a", "b", 1))
    for table in ("s.t", "'s.t'", "memory.s.t"):
        found = con.execute(f"FROM sqlfuncs.apply_corrections({table}, LOG, ID, label)")
        assert [column[0] for column in found.description or []] == ["Id", "Label"]
        assert found.fetchall() == [(1, "b")]


def test_views_ctes_and_temporary_tables(con: duckdb.DuckDBPyConnection) -> None:
    three_rows(con)
    decide(con, ("1", "relabel", "a", "b", 1))
    con.execute("CREATE TEMP VIEW v AS FROM t WHERE id < 3")
    con.execute("CREATE TEMP TABLE l AS FROM log")
    assert con.execute("FROM apply_corrections(v, l, id, label)").fetchall() == [(1, "b"), (2, "b")]
    found = con.execute(
        "WITH a AS (FROM t), b AS (FROM log), c AS (FROM apply_corrections(a, b, id, label)) "
        "SELECT x.id, y.label FROM c x JOIN c y USING (id) WHERE x.label = 'b' ORDER BY id"
    )
    assert found.fetchall() == [(1, "b"), (2, "b")]


def test_keys_of_two_columns(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE t AS FROM (VALUES (1, 'x', 'a'), (1, 'y', 'a')) v(a, b, label)")
    decide(con, ("1/y", "relabel", "a", "b", 1))
    found = con.execute("FROM apply_corrections(t, log, a || '/' || b, label)").fetchall()
    assert found == [(1, "x", "a"), (1, "y", "b")]


def test_applied_once_it_is_stale(con: duckdb.DuckDBPyConnection) -> None:
    three_rows(con)
    decide(con, ("1", "relabel", "a", "b", 1))
    con.execute("CREATE OR REPLACE TABLE t AS FROM apply_corrections(t, log, id, label)")
    with pytest.raises(duckdb.InvalidInputException, match="old_label a, now b"):
        _apply(con)


def test_the_order_of_many_rows_is_kept(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT (i * 7919) % 300007 AS id, 'a' AS label FROM range(300000) r(i)"
    )
    decide(con)
    con.execute(
        "INSERT INTO log SELECT id, CASE id % 3 WHEN 0 THEN 'relabel' WHEN 1 THEN 'exclude' "
        "ELSE 'keep' END, 'a', 'b', 'ann', NULL, now() FROM t WHERE id % 7 = 0 ORDER BY hash(id)"
    )
    con.execute("CREATE TABLE u AS FROM apply_corrections(t, log, id, label)")
    expected = (
        "SELECT id, CASE WHEN id % 7 = 0 AND id % 3 = 0 THEN 'b' ELSE 'a' END AS label FROM t "
        "WHERE NOT (id % 7 = 0 AND id % 3 = 1)"
    )
    assert con.execute("FROM u").fetchnumpy()["id"].tolist() == (
        con.execute(expected).fetchnumpy()["id"].tolist()
    )
    assert con.execute(f"FROM u EXCEPT ALL ({expected})").fetchall() == []
    applied = con.execute("FROM apply_corrections(t, log, id, label)").fetchnumpy()["id"]
    assert applied.tolist() == con.execute("FROM u").fetchnumpy()["id"].tolist()


def test_python_sees_decisions_and_classes_but_no_rows(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[str, int]] = []
    compute = Udf.__call__

    def record(self: Udf, *arguments: pa.Array) -> pa.Array:
        called.append((self.name, len(arguments[0])))
        return compute(self, *arguments)

    monkeypatch.setattr(Udf, "__call__", record)
    con.execute("CREATE TABLE t AS SELECT i AS id, 'c' || i % 3 AS label FROM range(20000) r(i)")
    decide(con, ("1", "relabel", "c1", "c2", 1))
    found = con.execute(
        "SELECT label, count(*) FROM apply_corrections(t, log, id, label) GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert found == [("c0", 6667), ("c1", 6666), ("c2", 6667)]
    assert {name for name, _ in called} == {"_sf_label_form"}
    assert sum(rows for _, rows in called) < 50


@pytest.mark.parametrize("label", ["upper(label)", "'label'", "label || ''", "id + 1"])
def test_the_label_has_to_be_a_column(con: duckdb.DuckDBPyConnection, label: str) -> None:
    three_rows(con)
    decide(con)
    with pytest.raises(duckdb.InvalidInputException, match="label has to be a column of the table"):
        con.execute(f"FROM apply_corrections(t, log, id, {label})").fetchall()

from __future__ import annotations

import duckdb
import pytest


@pytest.mark.parametrize(
    ("label", "probs", "expected"),
    [
        ("'a'", "MAP {'a': 0.2, 'b': 0.5, 'c': 0.3}", "b"),
        ("'b'", "MAP {'a': 0.2, 'b': 0.5, 'c': 0.3}", None),
        ("'a'", "MAP {'a': 0.5, 'b': 0.5}", None),
        ("'b'", "MAP {'a': 0.5, 'b': 0.5}", None),
        ("'c'", "MAP {'a': 0.4, 'b': 0.4, 'c': 0.2}", "a"),
        ("'d'", "MAP {'a': 0.2, 'b': 0.8}", None),
        ("'A'", "MAP {'a': 0.2, 'b': 0.8}", None),
        ("NULL::VARCHAR", "MAP {'a': 0.2, 'b': 0.8}", None),
        ("'a'", "NULL::MAP(VARCHAR, DOUBLE)", None),
        ("'a'", "NULL", None),
        ("'a'", "MAP {}::MAP(VARCHAR, DOUBLE)", None),
        ("'a'", "MAP {'a': 0.1, 'b': 'nan'::DOUBLE}", None),
        ("'a'", "MAP {'a': 'nan'::DOUBLE, 'b': 0.1}", None),
        ("'a'", "MAP {'a': 0.0, 'it''s \"🎈\"\n': 1.0}", 'it\'s "🎈"\n'),
        ("1", "MAP {'1': 0.1, '2': 0.9}", 2),
        ("1", "MAP {1: 0.1, 2: 0.9}", 2),
        ("10::UTINYINT", "MAP {'10': 0.1, '9': 0.9}", 9),
        ("false", "MAP {'false': 0.1, 'true': 0.9}", True),
        ("true", "MAP {false: 0.9, true: 0.1}", False),
    ],
)
def test_the_most_likely_label(
    con: duckdb.DuckDBPyConnection, label: str, probs: str, expected: object
) -> None:
    found = con.execute(f"SELECT suggest_label({label}, {probs})").fetchall()
    assert found == [(expected,)]
    assert type(found[0][0]) is type(expected)


@pytest.mark.parametrize("kind", ["INTEGER", "BOOLEAN", "DATE", "ENUM ('0', '1')", "VARCHAR"])
def test_it_has_the_type_of_the_label(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    names = "('2026-01-01'), ('2026-01-02')" if kind == "DATE" else "('0'), ('1')"
    con.execute(f"CREATE TABLE t AS SELECT v::{kind} AS label FROM (VALUES {names}) w(v)")
    rows = con.execute(
        "WITH ends AS (SELECT min(label) AS low, max(label) AS high FROM t) "
        "SELECT suggest_label(low, MAP([low::VARCHAR, high::VARCHAR], [0.1, 0.9])) = high, "
        "typeof(suggest_label(low, MAP([low::VARCHAR, high::VARCHAR], [0.1, 0.9]))) = "
        "typeof(low) FROM ends"
    ).fetchall()
    assert rows == [(True, True)]


def test_null_is_null(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute("SELECT suggest_label(NULL::VARCHAR, MAP {'a': 0.2, 'b': 0.8})").fetchall()
    assert found == [(None,)]


def test_one_row_whose_map_does_not_fit_the_label_does_not_kill_the_query(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = con.execute(
        "SELECT suggest_label(label, probs) FROM (VALUES (1, 1, MAP {'1': 0.1, '2': 0.9}), "
        "(2, 1, MAP {'1': 0.1, 'other': 0.9})) v(n, label, probs) ORDER BY n"
    )
    assert found.fetchall() == [(2,), (None,)]

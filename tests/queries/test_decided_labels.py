"""What `decide` takes for a new label: a value of the type that the labels have, of any kind."""

from __future__ import annotations

import duckdb
import pytest

from sqlfuncs.errors import SqlfuncsError
from tests.queries.test_reviewing import IN_FORCE, run_query

NUMBERS = "(i / 3)::{}"
TAGS = "[['spicy', 'vegan', 'quick'], ['vegan'], []][i % 3 + 1]"
WORDS = "[['O', 'PER', 'O'], ['LOC', 'O', 'O'], ['O', 'O', 'O']][i % 3 + 1]"

# Labels, what is typed, and what the log has then; row 0 is decided.
TAKEN = [
    (NUMBERS.format("DOUBLE"), "7", "7.0"),
    (NUMBERS.format("DOUBLE"), "-1.5e3", "-1500.0"),
    (NUMBERS.format("FLOAT"), "0.1", "0.1"),
    (NUMBERS.format("DECIMAL(9, 2)"), "7.1", "7.10"),
    ("i", "3.0", "3"),
    ("i % 2 = 0", "False", "false"),
    ("DATE '2026-01-01' + i::INTEGER", "2026-01-03", "2026-01-03"),
    ("if(i % 2 = 0, 'a', 'b')::ENUM('a', 'b')", "b", "b"),
    (TAGS, "[quick, vegan]", "[quick, vegan]"),
    (TAGS, "[]", "[]"),
    (WORDS, "[LOC, O, PER]", "[LOC, O, PER]"),
    (WORDS, "[PER, O, O]", "[PER, O, O]"),
]
REFUSED = [
    (NUMBERS.format("DOUBLE"), "abc", "new_label=abc is no DOUBLE, the type of label"),
    (NUMBERS.format("DOUBLE"), "nan", "no label is nan"),
    (NUMBERS.format("FLOAT"), "-inf", "no label is -inf"),
    (NUMBERS.format("DECIMAL(9, 2)"), "7.123", r"would become 7\.12 as DECIMAL"),
    ("i", "3.7", "would become 4 as BIGINT"),
    ("i", "three", "is no BIGINT"),
    ("i % 2 = 0", "perhaps", "is no BOOLEAN"),
    ("DATE '2026-01-01' + i::INTEGER", "2026-13-01", "is no DATE"),
    ("if(i % 2 = 0, 'a', 'b')::ENUM('a', 'b')", "c", "is no ENUM"),
    (TAGS, "vegan", r"is no VARCHAR\[\].*type it as \[first, second\]"),
    (TAGS, "[vegan, NULL]", "NULL or a blank among its parts"),
    (TAGS, "[vegan, vegan]", "has a tag twice"),
    (WORDS, "[O, PER]", "is of 2 words, and so is no label of 0"),
]
NEW = [
    (TAGS, "[raw, vegan]", "no row has the label raw. There are quick, spicy, vegan"),
    (WORDS, "[O, O, ORG]", "no row has the label ORG. There are LOC, O, PER"),
    ("i % 5", "7", "no row has the label 7. There are 0, 1, 2, 3, 4"),
    ("(i % 2)::DOUBLE", "2", r"no row has the label 2\.0. There are 0\.0, 1\.0"),
]


def _table(con: duckdb.DuckDBPyConnection, label: str) -> None:
    con.execute(f"CREATE TABLE t AS SELECT i AS id, {label} AS label FROM range(60) r(i)")


def _decided(con: duckdb.DuckDBPyConnection, **given: object) -> tuple[object, ...]:
    run_query(con, "decide", table="t", **given)
    return tuple(con.execute(IN_FORCE).fetchall())


@pytest.mark.parametrize(("label", "typed", "written"), TAKEN)
def test_it_is_written_as_a_value_of_that_type(
    con: duckdb.DuckDBPyConnection, label: str, typed: str, written: str
) -> None:
    _table(con, label)
    assert _decided(con, keys="0", new_label=typed) == (("0", "relabel", written),)
    changes = con.execute(
        "SELECT new_label::VARCHAR FROM corrections_diff(t, decisions, id, label)"
    )
    assert changes.fetchall() == [(written,)]


@pytest.mark.parametrize(("label", "typed", "message"), REFUSED)
def test_what_is_no_value_of_that_type_is_refused_before_it_is_written(
    con: duckdb.DuckDBPyConnection, label: str, typed: str, message: str
) -> None:
    _table(con, label)
    with pytest.raises(SqlfuncsError, match=message):
        _decided(con, keys="0", new_label=typed, new_class=True)
    assert con.execute("FROM duckdb_tables() WHERE table_name = 'decisions'").fetchall() == []


@pytest.mark.parametrize(("label", "typed", "message"), NEW)
def test_a_class_or_a_tag_that_no_row_has_is_new(
    con: duckdb.DuckDBPyConnection, label: str, typed: str, message: str
) -> None:
    _table(con, label)
    with pytest.raises(SqlfuncsError, match=message):
        _decided(con, keys="0", new_label=typed)
    assert len(_decided(con, keys="0", new_label=typed, new_class=True)) == 1


def test_tags_are_in_no_order(con: duckdb.DuckDBPyConnection) -> None:
    _table(con, TAGS)
    con.execute("UPDATE t SET label = ['vegan', 'quick', 'spicy'] WHERE id = 3")
    assert _decided(con, keys="0,1,3", new_label="[quick, spicy, vegan]") == (
        ("0", "keep", None),
        ("1", "relabel", "[spicy, vegan, quick]"),
        ("3", "keep", None),
    )


def test_what_labels_are_is_said_where_their_type_does_not_tell(
    con: duckdb.DuckDBPyConnection,
) -> None:
    _table(con, "i % 5")
    assert _decided(con, keys="0", new_label="7", task="regression") == (("0", "relabel", "7"),)
    con.execute("CREATE OR REPLACE TABLE t AS SELECT 0 AS id, ['PER', 'O'] AS label")
    words = {"keys": "0", "new_label": "[O, PER]", "task": "token_classification"}
    assert _decided(con, **words) == (("0", "relabel", "[O, PER]"),)
    with pytest.raises(SqlfuncsError, match=r"task := 'tags' is not known\. It may be 'auto', "):
        _decided(con, keys="0", task="tags")

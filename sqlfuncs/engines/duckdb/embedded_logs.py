"""What DuckDB's own macros say of a decision log, for engines that have DuckDB as a library.

Tables are Arrow's. All raise what `embedded.rows` does.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from sqlfuncs.engines.base import Dialect
from sqlfuncs.engines.duckdb import embedded
from sqlfuncs.engines.duckdb.names import identifier, literal

_COLUMNS = ("key", "action", "old_label", "new_label", "decided_by", "reason", "decided_at")
_OUTCOMES = """
    SELECT
        CASE
            WHEN made.action = 'exclude' AND now.key IS NULL THEN 'exclude'
            WHEN made.action = 'relabel' AND now.key IS NOT NULL
                AND now.label IS NOT DISTINCT FROM made.new_label
            THEN 'relabel'
            ELSE 'left_alone'
        END AS outcome,
        list(made.key::VARCHAR ORDER BY made.key) AS keys
    FROM made LEFT JOIN now ON now.key::VARCHAR = made.key::VARCHAR
    GROUP BY outcome"""


def kinds(log: pa.Table, dialect: Dialect) -> dict[str, str]:
    """What the values in the columns of a log are (`learning.labels`): text, integer, null, ..."""
    asked = ", ".join(
        f"sqlfuncs.main._sf_kind(typeof(any_value({name}))) AS {name}" for name in _COLUMNS
    )
    query = f"SELECT {asked} FROM sqlfuncs.main._sf_log(log)"
    found: dict[str, str] = embedded.rows(query, {"log": log}, dialect).to_pylist()[0]
    return found


def keys(log: pa.Table, table: pa.Table, key: str, dialect: Dialect) -> pa.ChunkedArray:
    """The different keys of a log as values of a table's column; NULL for what is none."""
    query = f"""
        WITH typed AS (SELECT any_value({identifier(key)}) AS any_key FROM about),
        words AS MATERIALIZED (
            SELECT DISTINCT sqlfuncs.main._sf_in_words(l.key, any_key) AS word
            FROM sqlfuncs.main._sf_log(log) AS l, typed
        )
        SELECT TRY(cast_to_type(word, any_key)) AS key FROM words, typed"""
    return embedded.rows(query, {"log": log, "about": table}, dialect)["key"]


def forms(log: pa.Table, kind: str, dialect: Dialect) -> pa.Table:
    """The different keys of a log, of a kind, in the form in which texts are compared with them."""
    query = f"SELECT DISTINCT {_form(kind, kind)} AS form FROM sqlfuncs.main._sf_log(log)"
    return embedded.rows(query, {"log": log}, dialect)


def places(texts: pa.Array, forms: pa.Table, kind: str, dialect: Dialect) -> pa.Array:
    """Where among texts those are that are one of such `forms`."""
    given = pa.table({"key": texts, "place": pa.array(range(len(texts)), pa.int64())})
    query = f"""SELECT place FROM input
        WHERE {_form("text", kind)} IN (SELECT form FROM forms) ORDER BY place"""
    found = embedded.rows(query, {"input": given, "forms": forms}, dialect)
    return found["place"].combine_chunks()


def shown(counted: pa.Table, dialect: Dialect) -> list[str]:
    """Keys and how many rows each has, the two columns of a table, for a message."""
    key, rows = map(identifier, counted.column_names)
    query = f"SELECT {key}::VARCHAR || ' (' || {rows} || ' rows)' AS item FROM t ORDER BY 1"
    found: list[str] = embedded.rows(query, {"t": counted}, dialect)["item"].to_pylist()
    return found


def outcomes(made: pa.Table, now: pa.Table, dialect: Dialect) -> dict[str, list[str]]:
    """The keys of changes that were `made`, by what `now` shows: relabel, exclude or left_alone.

    `made` is a result of corrections_diff; `now` has the columns key and label.
    """
    rows = embedded.rows(_OUTCOMES, {"made": made, "now": now}, dialect).to_pylist()
    return {row["outcome"]: row["keys"] for row in rows}


def said(
    function: str,
    about: Sequence[pa.Table],
    log: pa.Table,
    columns: Sequence[str],
    dialect: Dialect,
) -> pa.Table:
    """What one of our internal functions says of a log, and of the tables that it is about."""
    tables = {f"table_{at}": table for at, table in enumerate(about)} | {"log": log}
    arguments = ", ".join([*tables, *map(identifier, columns)])
    return embedded.rows(f"FROM sqlfuncs.main.{function}({arguments})", tables, dialect)


def _form(own: str, kind: str) -> str:
    both = literal(f"text {kind}")
    return f"sqlfuncs.main._sf_canonical(key, {literal(own)}, {both}, '')"

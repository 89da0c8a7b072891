"""What a person at a shell wants to know of a database: its tables, its names."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from sqlfuncs.engines.duckdb.builtins import qualified_calls
from sqlfuncs.engines.duckdb.connection import CATALOG
from sqlfuncs.engines.duckdb.names import identifier, qualified, split_qualified
from sqlfuncs.engines.duckdb.signatures import signatures
from sqlfuncs.errors import BadInput

_OWN = f"NOT internal AND database_name <> '{CATALOG}'"


@dataclass(frozen=True)
class Name:
    """Something that can be typed: `kind` is keyword, function, table or column.

    `shown` is what a list of names has of it, a function's parameters with it.
    """

    text: str
    kind: str
    shown: str
    about: str = ""


def _asked(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: list[object] | None = None
) -> duckdb.DuckDBPyConnection:
    """A query of ours, which calls DuckDB's functions and none of the user's with their names."""
    return con.execute(qualified_calls(sql), parameters)


def tables(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int | None]]:
    """Tables and views: name (with its schema where that is not the current one), kind, rows.

    Rows are what the catalog estimates: exact as long as nothing was deleted; None for views.
    """
    rows = _asked(
        con,
        "SELECT CASE WHEN database_name = current_database() AND schema_name = current_schema() "
        "THEN '' WHEN database_name = current_database() THEN schema_name || '.' "
        "ELSE database_name || '.' || schema_name || '.' END || name, kind, n FROM ("
        "SELECT database_name, schema_name, table_name AS name, 'table' AS kind, "
        f"estimated_size AS n FROM duckdb_tables() WHERE {_OWN} UNION ALL "
        "SELECT database_name, schema_name, view_name, 'view', NULL "
        f"FROM duckdb_views() WHERE {_OWN}) ORDER BY ALL",
    ).fetchall()
    return [(name, kind, n) for name, kind, n in rows]


def is_empty(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether nothing has been made in the database."""
    found = " UNION ALL ".join(
        f"SELECT 1 FROM duckdb_{kind}() WHERE NOT internal AND database_name = current_database()"
        for kind in ("tables", "views", "types", "schemas", "functions")
    )
    sequences = "SELECT 1 FROM duckdb_sequences() WHERE database_name = current_database()"
    return not _asked(con, f"{found} UNION ALL {sequences} LIMIT 1").fetchall()


def columns(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """The columns of a table or view and their types. Raises BadInput, saying what there is."""
    try:
        found = con.execute(f"DESCRIBE FROM {qualified(split_qualified(table))}").fetchall()
    except duckdb.CatalogException:
        known = ", ".join(name for name, _, _ in tables(con)) or "no table"
        raise BadInput(f"there is no table {table}. The database has {known}.") from None
    return {name: kind for name, kind, *_ in found}


def database_of(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """The database that a table is in."""
    parts = split_qualified(table)
    databases = "SELECT database_name FROM system.main.duckdb_databases()"
    known = {name for (name,) in con.execute(databases).fetchall()}
    # Of two parts, the first is a schema or a database.
    if len(parts) == 3 or (len(parts) == 2 and parts[0] in known):
        return parts[0]
    ((current,),) = con.execute("SELECT system.main.current_database()").fetchall()
    return str(current)


def missing_place(con: duckdb.DuckDBPyConnection, table: str) -> str | None:
    """What a name with dots begins with, if that is no database here and no schema either."""
    place, *rest = split_qualified(table)
    known = (
        "SELECT database_name AS name FROM duckdb_databases() "
        "UNION ALL SELECT schema_name FROM duckdb_schemas()"
    )
    found = _asked(con, f"SELECT 1 FROM ({known}) WHERE lower(name) = lower($1)", [place])
    return place if rest and not found.fetchall() else None


def check_keys(con: duckdb.DuckDBPyConnection, table: str, key: str) -> None:
    """Raise BadInput if a column does not name each row of a table."""
    rows, keys, twice = _asked(
        con,
        f"""
        SELECT sum(n)::BIGINT, sum(n) FILTER (k IS NOT NULL)::BIGINT,
            min(k, 5) FILTER (n > 1 AND k IS NOT NULL)
        FROM (
            SELECT {identifier(key)}::VARCHAR AS k, count(*) AS n
            FROM {qualified(split_qualified(table))} GROUP BY ALL
        )
    """,
    ).fetchall()[0]
    if rows and (keys != rows or twice):
        which = f"several rows have {', '.join(twice)}" if twice else "it is NULL in some rows"
        raise BadInput(
            f"--key {key} does not name a row: {which}. Take a column that does, or add one: "
            f"CREATE TABLE numbered AS SELECT row_number() OVER () AS id, * FROM {table}."
        )


def definitions(con: duckdb.DuckDBPyConnection, name: str | None = None) -> list[str]:
    """The statements that made the tables and views, or those of one name, in any case."""
    rows = _asked(
        con,
        "SELECT sql FROM ("
        f"SELECT table_name AS name, sql FROM duckdb_tables() WHERE {_OWN} UNION ALL "
        f"SELECT view_name, sql FROM duckdb_views() WHERE {_OWN}) "
        "WHERE $1 IS NULL OR lower(name) = lower($1) ORDER BY name",
        [name],
    ).fetchall()
    return [sql.strip() for (sql,) in rows]


def about(con: duckdb.DuckDBPyConnection, function: str) -> tuple[str, str] | None:
    """A function of ours: how it is called, and what it does; None if there is none."""
    own = {each.name: each for each in signatures(con)}
    if function not in own:
        return None
    rows = _asked(
        con,
        "SELECT comment FROM duckdb_functions() WHERE database_name = $1 AND function_name = $2",
        [CATALOG, function],
    ).fetchall()
    return str(own[function]), rows[0][0] or ""


def names(con: duckdb.DuckDBPyConnection) -> list[Name]:
    """Everything that can be typed, our functions first."""
    own = signatures(con)
    taken = {each.name for each in own}
    found = [Name(each.name, "function", str(each), "sqlfuncs") for each in own]
    found += [Name(name, "table", name, kind) for name, kind, _ in tables(con)]
    found += [
        Name(column, "column", column, f"{kind.lower()} of {where}")
        for column, kind, where in _asked(
            con,
            "SELECT column_name, first(data_type), string_agg(DISTINCT table_name, ', ') "
            f"FROM duckdb_columns() WHERE {_OWN} GROUP BY 1 ORDER BY 1",
        ).fetchall()
    ]
    found += [
        Name(word.upper(), "keyword", word.upper())
        for (word,) in _asked(con, "SELECT keyword_name FROM duckdb_keywords()").fetchall()
    ]
    found += [
        Name(name, "function", f"{name}()", "DuckDB")
        for (name,) in _asked(
            con,
            "SELECT DISTINCT function_name FROM duckdb_functions() "
            f"WHERE database_name <> '{CATALOG}' "
            "AND regexp_matches(function_name, '^[a-z][a-z_0-9]*$') ORDER BY 1",
        ).fetchall()
        if name not in taken
    ]
    return found

"""What tests/integrations/test_attached.py does on DuckDB 1.5.5, in a process of its own.

    python -m tests.integrations.attached_checks FUNCTION ARGUMENTS

where the arguments are a list in JSON; what the function returns is printed as JSON.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import duckdb

ROWS = "SELECT 1 AS id, 'a' AS label"
KEYS = {
    "BIGINT": "i",
    "VARCHAR": "printf('%05d', i)",
    "UUID": "md5(i::VARCHAR)::UUID",
    "DATE": "DATE '2026-01-01' + i::INTEGER",
}


def _connected(statements: list[str]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("SET enable_progress_bar = false")  # it would be drawn among the results
    for each in statements:
        con.execute(each)
    return con


def delta_tables(names: list[str]) -> None:
    """Make Delta tables in this folder."""
    from deltalake import write_deltalake

    rows = duckdb.connect().execute(ROWS).to_arrow_table()
    for name in names:
        write_deltalake(name, rows)


def taken(makes: list[str], statements: dict[str, list[str]]) -> dict[str, str | None]:
    """The error of each list of statements, None where there was none."""
    con = _connected(makes)
    errors: dict[str, str | None] = {}
    for what, tried in statements.items():
        errors[what] = None
        try:
            for each in tried:
                con.execute(each).fetchall()
        except duckdb.Error as error:
            errors[what] = str(error)
            with contextlib.suppress(duckdb.Error):
                con.execute("ROLLBACK")
    return errors


def meanwhile(makes: list[str], table: str, theirs: str, mine: str) -> tuple[str, object]:
    """What a transaction says whose row another one changes, and the rows afterwards."""
    con = _connected(makes)
    other = con.cursor()
    con.execute("BEGIN")
    con.execute(f"FROM {table}").fetchall()
    other.execute(theirs)
    said = ""
    try:
        con.execute(mine)
        con.execute("COMMIT")
    except duckdb.Error as error:
        said = str(error)
    return said, other.execute(f"FROM {table}").fetchall()


def scanned(makes: list[str], folder: str) -> object:
    """The rows of the newest version of an Iceberg table that is read without its catalog."""
    con = _connected(makes)
    newest = max(Path(folder).rglob("*.metadata.json"), key=lambda file: file.name)
    return con.execute("FROM iceberg_scan($1)", [str(newest)]).fetchall()


def keyed(attach: str) -> dict[str, object]:
    """By type of key: the type that corrections_diff gives, and the labels once they are written.

    Of five rows two have no key and one has no label; the log holds keys as text.
    """
    import sqlfuncs

    found: dict[str, object] = {}
    with sqlfuncs.connect() as con:
        con.execute(f'{attach}; CREATE SCHEMA pg."my schema"')
        for kind, key in KEYS.items():
            table = f'pg."my schema"."rows, {kind}"'
            con.execute(f"""
                CREATE TABLE {table} AS
                SELECT CASE WHEN i < 4 THEN {key} END AS "row no",
                    CASE WHEN i <> 3 THEN 'a' END AS "the label"
                FROM range(1, 6) r(i);

                CREATE OR REPLACE TABLE log AS
                SELECT "row no"::VARCHAR AS key, 'relabel' AS action, "the label" AS old_label,
                    'b' AS new_label, 'me' AS decided_by, NULL::VARCHAR AS reason,
                    TIMESTAMP '2026-01-01' AS decided_at
                FROM {table} WHERE "row no" IS NOT NULL;

                CREATE OR REPLACE TABLE changes AS
                FROM corrections_diff({table}, log, "row no", "the label");

                UPDATE {table} AS t SET "the label" = c.new_label FROM changes AS c
                WHERE t."row no" = c.key AND t."the label" IS NOT DISTINCT FROM c.old_label
            """)
            types = con.execute("SELECT DISTINCT typeof(key) FROM changes").fetchall()
            labels = f'SELECT "the label", count(*) FROM {table} GROUP BY ALL ORDER BY ALL'
            found[kind] = [types, con.execute(labels).fetchall()]
    return found


def without_rows(attach: str) -> tuple[str, object]:
    """What label_issues says of a table without rows, and what corrections_diff gives."""
    import sqlfuncs

    with sqlfuncs.connect() as con:
        con.execute(f"""
            {attach};
            CREATE TABLE pg.nothing AS {ROWS} LIMIT 0;
            CREATE TABLE log AS SELECT 1 AS key, 'keep' AS action, 'a' AS old_label,
                'b' AS new_label, 'me' AS decided_by, 'x' AS reason, now()::TIMESTAMP AS decided_at
            LIMIT 0
        """)
        changes = con.execute("FROM corrections_diff(pg.nothing, log, id, label)").fetchall()
        try:
            con.execute("FROM label_issues(pg.nothing, label, label)")
        except duckdb.Error as error:
            return str(error), changes
    return "", changes


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*json.loads(sys.argv[2]))))

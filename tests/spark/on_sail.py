"""Corrections merged into a Delta table, and judging, on Sail: a script, in a process of its own.

python tests/spark/on_sail.py FOLDER
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

import sqlfuncs
import sqlfuncs.spark
from sqlfuncs.engines.spark import decisions
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.models import shares
from tests.spark.tables import by_id, vectors


def log_of(*rows: tuple[object, ...]) -> pa.Table:
    """A log from (key, action, old_label, new_label)."""
    key, action, old, new = (list(values) for values in zip(*rows, strict=True))
    moments = [datetime(2026, 1, 1)] * len(rows)
    return pa.table(
        {"key": key, "action": action, "old_label": old, "new_label": new, "decided_at": moments}
    )


def main(folder: Path) -> None:
    """Judge; merge, look back, merge again, and merge what others change meanwhile."""
    from pysail.spark import SparkConnectServer  # type: ignore[import-not-found]
    from pyspark.sql import SparkSession

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    host, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://{host}:{port}").getOrCreate()
    _judged(session)
    for kind in ("BIGINT", "STRING", "DOUBLE"):
        _merged(session, f"t_{kind.lower()}", kind, folder)
    session.stop()
    server.stop()


def _judged(session: Any) -> None:
    table = vectors(900)
    with sqlfuncs.connect() as con:
        con.register("t", table)
        home = by_id(con.sql("FROM label_issues(t, x, label)").to_arrow_table())
    df = session.createDataFrame(table)
    assert by_id(sqlfuncs.spark.label_issues(df, "x", "label").toArrow()) == home
    shares.SAMPLE_ROWS, shares.CLASS_ROWS = 450, 10
    found = by_id(sqlfuncs.spark.label_issues(df, "x", "label").toArrow())
    flags = zip(found, home, strict=True)
    assert sum(a["is_label_issue"] == b["is_label_issue"] for a, b in flags) > 0.95 * 900
    (whole,) = sqlfuncs.spark.evaluate(df, "label", "true_label").collect()
    assert whole.n == 900


def _merged(session: Any, table: str, kind: str, folder: Path) -> None:
    session.sql(
        f"CREATE TABLE {table} USING delta LOCATION '{folder / table}' AS SELECT "
        f"CAST(id AS {kind}) AS id, CASE WHEN id < 5 THEN 'a' END AS `the label`, 'x' AS new_label "
        "FROM range(10)"
    ).collect()
    key = {"DOUBLE": "{}.0"}.get(kind, "{}")

    def labels(version: str = "") -> dict[int, object]:
        read = session.sql(f"SELECT * FROM {table} {version}").collect()
        return {int(float(row[0])): row[1] for row in read}

    def merge(log: pa.Table) -> list[object]:
        made = sqlfuncs.spark.merge_corrections(table, log, "ID", "the label")
        return [*made.collect()[0]][:3]

    before = labels()
    log = log_of(
        (key.format(0), "relabel", "a", "b"),
        (key.format(1), "exclude", "a", None),
        (key.format(2), "keep", "a", None),
        (key.format(9), "relabel", None, "b"),
    )
    assert merge(log) == [2, 1, 0]
    after = {n: v for n, v in before.items() if n != 1} | {0: "b", 9: "b"}
    assert labels() == after
    assert labels("VERSION AS OF 0") == before

    # The same log again, as of a second job: what it is about is no longer there.
    try:
        merge(log)
        raise AssertionError("merged twice")
    except BadInput as error:
        assert "keys that are not in the table" in str(error)
    assert labels() == after

    # Between the check and the merge somebody changes two labels.
    def changes(df: Any, call: Any) -> pa.Table:
        found = checked(df, call)
        session.sql(
            f"MERGE INTO {table} AS t USING (SELECT 1) "
            f"ON t.id IN ({key.format(3)}, {key.format(4)}) "
            "WHEN MATCHED THEN UPDATE SET t.`the label` = 'theirs'"
        ).collect()
        return found

    checked, decisions.changes = decisions.changes, changes
    try:
        log = log_of(
            (key.format(2), "relabel", "a", "b"),
            (key.format(3), "relabel", "a", "b"),
            (key.format(4), "exclude", "a", None),
        )
        assert merge(log) == [1, 0, 2]
    finally:
        decisions.changes = checked
    assert labels() == after | {2: "b", 3: "theirs", 4: "theirs"}


if __name__ == "__main__":
    main(Path(sys.argv[1]))

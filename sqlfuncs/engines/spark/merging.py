"""Decision logs written back into tables that can be changed in place: Delta's and Iceberg's.

One MERGE changes the rows that are decided about, all or none of them. The format keeps the table
as it was before: `version_before` is how it is read, or brought back.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa

from sqlfuncs import wording, work
from sqlfuncs.engines.duckdb import embedded_logs
from sqlfuncs.engines.spark import calls, decisions, frames, running
from sqlfuncs.engines.spark.calls import Call
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.engines.spark.signatures import signature
from sqlfuncs.errors import BadInput, SqlfuncsError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

NAME = "merge_corrections"
_CANNOT = re.compile(r"(?i)merge into.{0,40} (?:is )?not support|not support.{0,40} merge into")
_VERSIONS = (  # of Delta, and of Iceberg
    "DESCRIBE HISTORY {table} LIMIT 1",
    "SELECT snapshot_id AS version FROM {table}.refs WHERE name = 'main'",
)
_SHOWN = 10


def merge_corrections(
    table: str, log: object, key: str, label: str, *, as_of: object = None
) -> DataFrame:
    """Write what a decision log says into the table itself, by one MERGE; Delta and Iceberg tables.

    What apply_corrections refuses is refused, before anything is written. A row whose label others
    change meanwhile is left as it is. One row comes back: how many rows were relabelled and
    excluded, how many were left_alone, and version_before, the version of the table before the
    merge (a snapshot of Iceberg's; NULL where the format tells none). With Delta,
    RESTORE TABLE t TO VERSION AS OF that version takes all of it back.

    Next time give the decisions since then: those of before are no longer about the table's labels.
    """
    with wording.speaking(DIALECT):
        if not isinstance(table, str):
            raise BadInput(
                f"{NAME} changes a table, which is given by its name: '...', not {table!r:.80}."
            )
        df = frames.as_frame(table)
        diff = signature("corrections_diff")
        options = {} if as_of is None else {"as_of": as_of}
        named = calls.columns(diff, {"key": key, "label": label}, df.columns)
        call = Call(diff, named, options, (), {decisions.LOG: decisions.read_log(log)})
        call.refuse_mistakes(df.columns, frames.schema_of(df, call.read))
        return _merged(df, table, call)


def statement(table: str, view: str, key: str, label: str, *, is_floating: bool) -> str:
    """The MERGE of a view with key, old_label, new_label and action into a table.

    >>> print(statement("t", "d", "id", "label", is_floating=False))
    MERGE INTO t AS t USING d AS d ON t.`id` = d.key
    WHEN MATCHED AND t.`label` <=> d.old_label AND d.action = 'exclude' THEN DELETE
    WHEN MATCHED AND t.`label` <=> d.old_label AND d.action = 'relabel' THEN
      UPDATE SET t.`label` = d.new_label
    """
    own, its, given = f"t.{DIALECT.identifier(key)}", "d.key", f"t.{DIALECT.identifier(label)}"
    if is_floating:
        own, its = (DIALECT.cast(each, pa.string()) for each in (own, its))
    matched = f"WHEN MATCHED AND {given} <=> d.old_label AND d.action"
    return (
        f"MERGE INTO {table} AS t USING {view} AS d ON {own} = {its}\n"
        f"{matched} = 'exclude' THEN DELETE\n"
        f"{matched} = 'relabel' THEN\n"
        f"  UPDATE SET {given} = d.new_label"
    )


def _merged(df: DataFrame, table: str, call: Call) -> DataFrame:
    session = df.sparkSession
    version = _version(session, table)
    made = decisions.changes(df, call)
    if made.num_rows:
        _merge(session, table, call, made)
    counts = {**_outcome(session, table, call, made), "version_before": version}
    fields = [pa.field(name, pa.int64()) for name in counts]
    return frames.from_arrow(session, pa.Table.from_pylist([counts], pa.schema(fields)))


def _version(session: Any, table: str) -> int | None:
    """Which version of a table is read now; None where its format tells none."""
    for query in _VERSIONS:
        with suppress(SqlfuncsError), running.in_our_words():
            found = running.collected(session.sql(query.format(table=table))).to_pylist()
            return int(found[0]["version"]) if found else None
    return None


def _merge(session: Any, table: str, call: Call, made: pa.Table) -> None:
    key, label = str(call.columns["key"]), str(call.columns["label"])
    view = f"_sf_decisions_{uuid4().hex}"
    is_floating = pa.types.is_floating(made.schema.field("key").type)
    text = statement(table, view, key, label, is_floating=is_floating)
    with running.in_our_words():
        frames.from_arrow(session, made).createOrReplaceTempView(view)
    try:
        running.run(session, lambda: session.sql(text).collect())
    except SqlfuncsError as error:
        if not _CANNOT.search(str(error)):
            raise
        raise BadInput(
            f"the table {table} cannot be changed in place: its format has no MERGE, as Delta and "
            "Iceberg have. Write the corrected table beside it: sqlfuncs.spark.apply_corrections("
            f"'{table}', log, '{key}', '{label}').write.saveAsTable('...')."
        ) from None
    finally:
        session.catalog.dropTempView(view)


def _outcome(session: Any, table: str, call: Call, made: pa.Table) -> dict[str, int]:
    """How many of the changes the table shows now. Says which it does not."""
    key, label = str(call.columns["key"]), str(call.columns["label"])
    now = decisions.rows_with(session.table(table), key, label, made["key"])
    keys = embedded_logs.outcomes(made, now, DIALECT)
    left = keys.pop("left_alone", [])
    if left:
        shown = ", ".join(left[:_SHOWN]) + (", ..." if len(left) > _SHOWN else "")
        work.say(
            f"{NAME} left {len(left)} rows as they are, whose label others have changed since the "
            f"decisions were checked: {shown}"
        )
    return {
        "relabelled": len(keys.get("relabel", [])),
        "excluded": len(keys.get("exclude", [])),
        "left_alone": len(left),
    }

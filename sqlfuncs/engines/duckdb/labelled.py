"""What the labels of a table in DuckDB are: the task that they are of."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from sqlfuncs.engines.duckdb.builtins import Qualifying
from sqlfuncs.engines.duckdb.names import identifier, literal, qualified, split_qualified
from sqlfuncs.engines.duckdb.statements import plain_message
from sqlfuncs.errors import BadInput
from sqlfuncs.learning.labels.labels import KIND
from sqlfuncs.learning.tasks import registry
from sqlfuncs.learning.tasks.base import Task


def task_of(
    con: duckdb.DuckDBPyConnection, table: str, label: str, x: str, asked: str = registry.AUTO
) -> type[Task]:
    """The task that a column of labels of `x` is of, or the one that is asked for by its name.

    Raises BadInput for values that are no labels, and what `registry.of_labels` raises.
    """
    rows = (
        f"SELECT {identifier(label)} AS label, {identifier(x)} AS x "
        f"FROM {qualified(split_qualified(table))}"
    )
    types = f"SELECT typeof(any_value(label)) AS label, typeof(any_value(x)) AS x FROM ({rows})"
    one = f"sqlfuncs.main._sf_one_or_tags(label, {literal(label)})::VARCHAR"
    try:
        asking = Qualifying(con).cursor()
        ((kind,),) = asking.execute(
            f"SELECT sqlfuncs.main._sf_labels_kind(label, x) FROM ({types})"
        ).fetchall()
        texts = asking.sql(
            f"SELECT sqlfuncs.main._sf_label_json({one}, label) AS label FROM ({rows})"
        ).to_arrow_table()
    except duckdb.Error as error:
        raise BadInput(plain_message(error)) from None
    field = pa.field("label", pa.string(), metadata={KIND: kind})
    labels = pa.StructArray.from_arrays([texts["label"].combine_chunks()], fields=[field])
    return registry.of_labels(labels, task=asked)

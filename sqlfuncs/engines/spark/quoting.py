"""How Spark writes names, values and words of query files, and which of ours it does not run."""

from __future__ import annotations

from collections.abc import Mapping

from sqlfuncs.engines.qualified_names import split_qualified
from sqlfuncs.engines.spark import lexis
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.queries.render import Quoting

# Query files of ours that need what Spark has not, and what to do instead.
NOT_ON_SPARK: Mapping[str, str] = {
    "load": "it reads a file of this machine. Spark reads files where it runs: CREATE TABLE train "
    "AS SELECT * FROM read_files('...') on Databricks, or spark.read in Python",
    "decide": "keys and labels are read there as DuckDB types them. INSERT INTO the decision log "
    "says the same: key, action, old_label, new_label, decided_by, reason, decided_at",
    "gain": "its sentences are made by DuckDB. evaluate says how good a model is, and FROM "
    "compare_models(...) what changed",
    "llm_audit": "hosted models are asked from one place: sqlfuncs.spark.llm_classify in Python",
    "politeness_experiment": "it measures what DuckDB does",
    "publish": "it exports what is in a DuckDB file. Spark's tables are published where they are",
    "review_progress": "it reads a log as the review page of a DuckDB file does",
    "undo": "it takes back what the review page of a DuckDB file did. Insert a later decision",
}


def _table(name: str) -> str:
    """A name as somebody writes it: in double quotes, too, as for DuckDB."""
    return ".".join(map(_column, split_qualified(name, '`"')))


def _column(name: str) -> str:
    if "${" in name:  # which Spark fills in, in quotes too
        raise ValueError(f"{name!r} cannot stand in Spark's SQL")
    return DIALECT.identifier(name)


QUOTING = Quoting(
    table=_table,
    column=_column,
    literal=DIALECT.literal,
    engine="spark",
    words={
        "EXCLUDE": "EXCEPT",
        "MATERIALIZED": "",  # Spark decides that itself
        "TIMESTAMP": "TIMESTAMP_NTZ",
        "error": "raise_error",
        "len": "cardinality",
        "unnest": "explode",
    },
    pieces=lexis.pieces,
)

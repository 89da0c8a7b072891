"""How Spark writes names, values and words of query files, and which of ours it does not run."""

from __future__ import annotations

from collections.abc import Mapping

from sqlfuncs.engines.spark import lexis
from sqlfuncs.engines.spark.dialect import DIALECT
from sqlfuncs.queries.render import Quoting

# Query files of ours that need what Spark has not, and what to do instead.
NOT_ON_SPARK: Mapping[str, str] = {
    "load": "it reads a file of this machine. Spark reads files where it runs: CREATE TABLE train "
    "AS SELECT * FROM read_files('...') on Databricks, or spark.read in Python",
}


def split_qualified(written: str) -> list[str]:
    """The parts of a table's name as somebody writes it: dots separate, backticks protect.

    >>> split_qualified("main.labels.`a.b`")
    ['main', 'labels', 'a.b']
    >>> split_qualified("we`ird")
    ['we`ird']
    """
    parts: list[str] = []
    rest = written
    while True:
        end = _closing(rest) if rest.startswith("`") else None
        if end is not None:
            parts.append(rest[1:end].replace("``", "`"))
            rest = rest[end + 1 :]
        else:
            part, dot, after = rest.partition(".")
            parts.append(part)
            rest = dot + after
        if not rest:
            return parts
        rest = rest[1:]


def _closing(text: str) -> int | None:
    """Where the name in backticks at the start ends, if a dot or nothing follows it."""
    at = 1
    while (at := text.find("`", at)) != -1:
        if text[at + 1 : at + 2] == "`":
            at += 2
            continue
        return at if text[at + 1 : at + 2] in ("", ".") else None
    return None


def _table(name: str) -> str:
    return ".".join(map(_column, split_qualified(name)))


def _column(name: str) -> str:
    if "${" in name:  # which Spark fills in, in quotes too
        raise ValueError(f"{name!r} cannot stand in Spark's SQL")
    return DIALECT.identifier(name)


QUOTING = Quoting(
    table=_table,
    column=_column,
    literal=DIALECT.literal,
    engine="spark",
    words={"EXCLUDE": "EXCEPT", "MATERIALIZED": "", "TIMESTAMP": "TIMESTAMP_NTZ"},
    pieces=lexis.pieces,
)

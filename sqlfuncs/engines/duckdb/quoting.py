"""How DuckDB writes names and values, for query files."""

from __future__ import annotations

from sqlfuncs.engines.duckdb import names
from sqlfuncs.engines.duckdb.dialect import DIALECT
from sqlfuncs.queries.render import Quoting

QUOTING = Quoting(
    table=lambda name: names.qualified(names.split_qualified(name)),
    column=DIALECT.identifier,
    literal=DIALECT.literal,
)

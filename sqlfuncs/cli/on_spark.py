"""`sqlfuncs run --spark URL`: query files on a session of Spark's."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sqlfuncs.cli.statements import leave
from sqlfuncs.errors import BadQueryFile, StatementFailed, StillRunning
from sqlfuncs.queries.header import QueryFile
from sqlfuncs.queries.render import render

if TYPE_CHECKING:
    from sqlfuncs.engines.results import Result, Rows


def rendered(query: QueryFile, given: Mapping[str, str]) -> str:
    """The SQL of a query file as Spark takes it. Raises BadQueryFile for one that needs DuckDB."""
    from sqlfuncs.engines.spark.quoting import NOT_ON_SPARK, QUOTING

    if query.is_shipped and query.name in NOT_ON_SPARK:
        raise BadQueryFile(f"{query.name} does not run on Spark: {NOT_ON_SPARK[query.name]}.")
    return render(query, given, QUOTING)


def run(url: str, query: QueryFile, sql: str, timeout: float | None) -> Iterator[Result[Rows]]:
    """Run what was rendered in a session of that address, and yield each statement's result."""
    import sqlfuncs
    from sqlfuncs.engines.spark import connecting, scripts

    # Errors are said by us, and what is used of pandas works.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
    session = connecting.connect(url)
    sqlfuncs.register(session)
    try:
        yield from scripts.run(session, sql, timeout)
    except StillRunning as error:
        leave(error.reason)
    except StatementFailed as error:
        if not (error.missing_name and query.parameters):
            raise
        hint = f"{query.name} takes names as parameters; {query.accepts()}"
        raise BadQueryFile(f"{error}\n{hint}") from None

"""Results that several jobs read, written down once where a Spark can do that for a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlfuncs.engines.spark import running
from sqlfuncs.errors import Cancelled, SqlfuncsError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def can_write(session: Any) -> bool:
    """Whether a session has local checkpoints: clusters do; serverless and Sail do not."""
    try:
        running.run(session, lambda: session.range(1).localCheckpoint(eager=True))
    except Cancelled:
        raise
    except (SqlfuncsError, NotImplementedError):
        return False
    return True


def written(df: DataFrame) -> DataFrame:
    """The rows of a DataFrame, computed now and kept on the executors while they are used."""
    kept: DataFrame = running.run(df.sparkSession, lambda: df.localCheckpoint(eager=True))
    return kept

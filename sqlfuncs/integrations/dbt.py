"""A plug-in of dbt-duckdb: models and tests may call our functions. Imports dbt.

In profiles.yml: `plugins: [{module: sqlfuncs.integrations.dbt}]`.
"""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from sqlfuncs import work
from sqlfuncs.engines.duckdb.connection import register, use_bare_names


class Plugin(BasePlugin):
    """Our functions in every connection that dbt opens."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Register them, once for the database."""
        register(conn)

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Let them be called without `sqlfuncs.` before their names."""
        use_bare_names(cursor)
        # dbt opens one in its main thread before its workers begin; only there can Ctrl-C be heard.
        work.hear_interrupts()

"""A served database for `serve` and `shell`: a token, a script for the client, a clean end."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlfuncs import work

if TYPE_CHECKING:
    import duckdb

    from sqlfuncs.engines.duckdb.quack import Endpoint

GRACE_SECONDS = 0.7  # for what runs, once the end was asked for
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Served:
    """A database that is served, and the folder in which scripts for its clients are."""

    con: duckdb.DuckDBPyConnection
    endpoint: Endpoint
    folder: Path

    def script(self, version: str, *, alone: bool) -> Path:
        """The script for a shell of a version of DuckDB; `alone` if it reads no other."""
        from sqlfuncs.engines.duckdb import client
        from sqlfuncs.engines.duckdb.functions import functions

        text = client.script(self.endpoint, functions(), version)
        file = self.folder / f"connect-{version}.sql"
        # The token is in it: nobody else may read it, not even for a moment.
        file.touch(mode=0o600)
        file.write_text(client.startup(text) if alone else text, encoding="utf-8")
        return file


@contextmanager
def served(con: duckdb.DuckDBPyConnection, *, host: str, port: int) -> Iterator[Served]:
    """Serve a database until the end of the block. Raises CannotServe, BadInput."""
    from sqlfuncs.engines.duckdb import quack

    endpoint = quack.serve(con, secrets.token_urlsafe(_TOKEN_BYTES), host=host, port=port)
    folder = Path(tempfile.mkdtemp(prefix="sqlfuncs-"))
    try:
        yield Served(con, endpoint, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _end(con, endpoint)


def _end(con: duckdb.DuckDBPyConnection, endpoint: Endpoint) -> None:
    """Stop serving. What does not hear of it ends with the process: DuckDB's files bear that."""
    from sqlfuncs.engines.duckdb import quack

    def end() -> None:
        with suppress(Exception):
            quack.stop(con, endpoint)
        con.close()

    work.stop()
    ending = threading.Thread(target=end, daemon=True, name="sqlfuncs-end")
    ending.start()
    ending.join(GRACE_SECONDS)

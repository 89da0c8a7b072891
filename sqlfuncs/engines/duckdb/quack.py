"""A database served to other DuckDB processes by DuckDB's own protocol, Quack. Imports duckdb.

Facts of Quack 1.5 met here: the client needs `httpfs` besides; `search_path` cannot be set for
all sessions, so each sets its own; wheels carry the signed extensions, where a machine has no way
to DuckDB's own servers, and DuckDB checks the signature as it loads them.
"""

from __future__ import annotations

import hmac
import socket
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import duckdb
from duckdb.func import PythonUDFType

from sqlfuncs import work
from sqlfuncs.engines.duckdb.names import literal
from sqlfuncs.engines.duckdb.statements import plain_message
from sqlfuncs.errors import BadInput, CannotServe

VERSION = duckdb.__version__  # of the server
PORT = 9494  # Quack's own
LOOPBACK = "localhost"
ATTACHED = "server"  # what the database of the server is called in the client
EXTENSIONS = ("httpfs", "quack")
_SAME = "_sf_same_token"


@dataclass(frozen=True)
class Endpoint:
    """Where a database is served, and what a client has to know.

    `search_path` is that of the connection which serves: a session of a client sets it, so that
    bare names mean there what they mean here.
    """

    address: str
    token: str
    search_path: str

    def __repr__(self) -> str:
        """Without the token: this may end up in a log."""
        return f"Endpoint({self.address!r})"


def can_serve(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the extension is there, without asking the network."""
    try:
        _load(con, fetch=False)
    except CannotServe:
        return False
    return True


def serve(
    con: duckdb.DuckDBPyConnection, token: str, *, host: str = LOOPBACK, port: int = PORT
) -> Endpoint:
    """Serve the database of a connection, from threads of DuckDB's own; returns at once.

    Port 0 is any that is free. Raises CannotServe without the extension, and BadInput if the port
    is taken.
    """
    _load(con, fetch=True)
    free = _free_port(host, port)
    if not _has_function(con, _SAME):
        con.create_function(
            _SAME, _same_token, ["VARCHAR"] * 3, "BOOLEAN", type=PythonUDFType.NATIVE
        )
    con.execute(f"SET GLOBAL quack_authentication_function = {literal(_SAME)}")
    address = f"quack:{host}:{free}"
    elsewhere = "" if host == LOOPBACK else ", allow_other_hostname := true"
    try:
        con.execute(
            f"CALL quack_serve({literal(address)}, token := {literal(token)}{elsewhere})"
        ).fetchall()
    except duckdb.Error as error:
        # DuckDB shows the statement in some of its messages, and the token with it.
        said = plain_message(error).replace(token, "...")
        raise CannotServe(f"{address} cannot be served: {said}") from None
    path = con.execute("SELECT system.main.current_setting('search_path')").fetchall()[0][0]
    return Endpoint(address, token, path)


def stop(con: duckdb.DuckDBPyConnection, endpoint: Endpoint) -> None:
    """Serve no longer."""
    con.execute(f"CALL quack_stop({literal(endpoint.address)})").fetchall()


def loading(name: str, version: str) -> str:
    """The SQL with which a DuckDB of a version gets an extension."""
    packaged = _packaged(name, version)
    return f"LOAD {literal(str(packaged))};" if packaged else f"INSTALL {name}; LOAD {name};"


def _load(con: duckdb.DuckDBPyConnection, *, fetch: bool) -> None:
    for name in EXTENSIONS:
        packaged = _packaged(name, VERSION)
        try:
            con.execute(f"LOAD {literal(str(packaged)) if packaged else name}")
        except duckdb.Error as error:
            if not fetch:
                raise CannotServe(plain_message(error)) from None
            _install(con, name)


def _install(con: duckdb.DuckDBPyConnection, name: str) -> None:
    work.say(f"DuckDB fetches its extension {name}, once")
    try:
        con.execute(f"INSTALL {name}; LOAD {name}")
    except duckdb.Error as error:
        reason = plain_message(error).partition("\n")[0]
        raise CannotServe(
            f"this needs DuckDB's extension {name} for version {VERSION}, which could "
            f"not be fetched ({reason}). Where DuckDB's servers are out of reach, a wheel may have "
            f"it: pip install duckdb-extension-{name}=={VERSION}. Without it, "
            "sqlfuncs shell has a prompt of its own."
        ) from None


def _packaged(name: str, version: str) -> Path | None:
    """The extension in the wheel that carries it, if that is of the version of DuckDB."""
    spec = find_spec(f"duckdb_extension_{name}")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        file = Path(folder) / "extensions" / f"v{version}" / f"{name}.duckdb_extension"
        if file.is_file():
            return file
    return None


def _free_port(host: str, port: int) -> int:
    """The port, or one that is free for 0. Raises BadInput if it is taken."""
    try:
        with socket.create_server((host, port)) as tried:
            return int(tried.getsockname()[1])
    except OSError as error:
        raise BadInput(
            f"{host}:{port} cannot be served at: {error.strerror or error}. "
            "Another port: --port 0 takes any that is free."
        ) from None


def _has_function(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    found = con.execute(
        "SELECT 1 FROM system.main.duckdb_functions() WHERE function_name = $1", [name]
    )
    return bool(found.fetchall())


def _same_token(session: str, of_client: str, of_server: str) -> bool:
    """Compared in a time that does not tell how much of it is right."""
    return hmac.compare_digest(of_client.encode(), of_server.encode())

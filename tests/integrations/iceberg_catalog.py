"""A REST catalog of Iceberg tables in a folder: pyiceberg's SQL catalog, by HTTP.

    python -m tests.integrations.iceberg_catalog FOLDER

prints where it listens. It has what DuckDB asks for, and asks nobody who they are.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
from pyiceberg.catalog.rest import CreateTableRequest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.table import CommitTableRequest, StagedTable, Table
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

METHODS = ["GET", "HEAD", "POST", "DELETE"]
DONE = Response(status_code=204)
STATUS = {
    NoSuchNamespaceError: 404,
    NoSuchTableError: 404,
    TableAlreadyExistsError: 409,
    CommitFailedException: 409,  # somebody else has written meanwhile
}


class Tables:
    """The tables of a folder, as the protocol asks for them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._catalog = SqlCatalog(
            "tables", uri=f"sqlite:///{folder / 'catalog.db'}", warehouse=str(folder)
        )

    async def config(self, request: Request) -> Response:
        return JSONResponse({"defaults": {}, "overrides": {}})

    async def namespaces(self, request: Request) -> Response:
        if request.method == "POST":
            name = (await request.json())["namespace"]
            self._catalog.create_namespace(tuple(name))
            return JSONResponse({"namespace": name, "properties": {}})
        return JSONResponse(
            {"namespaces": [list(each) for each in self._catalog.list_namespaces()]}
        )

    async def namespace(self, request: Request) -> Response:
        name = request.path_params["namespace"]
        if not self._catalog.namespace_exists(name):
            raise NoSuchNamespaceError(name)
        return JSONResponse({"namespace": [name], "properties": {}})

    async def tables(self, request: Request) -> Response:
        namespace = request.path_params["namespace"]
        if request.method == "POST":
            return self._create(namespace, await request.json())
        found = [
            {"namespace": list(each[:-1]), "name": each[-1]}
            for each in self._catalog.list_tables(namespace)
        ]
        return JSONResponse({"identifiers": found})

    async def table(self, request: Request) -> Response:
        name = (request.path_params["namespace"], request.path_params["table"])
        match request.method:
            case "POST":
                return self._commit(name, CommitTableRequest.model_validate(await request.json()))
            case "DELETE":
                self._catalog.drop_table(name)
                return DONE
        return _loaded(self._catalog.load_table(name))

    async def commit(self, request: Request) -> Response:
        for change in (await request.json())["table-changes"]:
            name = (*change["identifier"]["namespace"], change["identifier"]["name"])
            self._commit(name, CommitTableRequest.model_validate(change))
        return DONE

    def _create(self, namespace: str, asked: dict[str, Any]) -> Response:
        asked.setdefault("location", str(self._folder / namespace / asked["name"]))
        wanted = CreateTableRequest.model_validate(asked)
        for part in ("data", "metadata"):  # DuckDB writes as to an object store, without folders
            (Path(asked["location"]) / part).mkdir(parents=True, exist_ok=True)
        name, schema, place = (namespace, wanted.name), wanted.table_schema, asked["location"]
        if not wanted.stage_create:
            return _loaded(self._catalog.create_table(name, schema, location=place))
        staged = self._catalog.create_table_transaction(name, schema, location=place)
        return JSONResponse({"metadata": _plain(staged.table_metadata), "config": {}})

    def _commit(self, name: tuple[str, ...], change: CommitTableRequest) -> Response:
        table = StagedTable(name, None, None, None, self._catalog)  # its name is all that is read
        done = self._catalog.commit_table(table, change.requirements, change.updates)
        return _answer(done.metadata_location, done.metadata)


def _loaded(table: Table) -> Response:
    return _answer(table.metadata_location, table.metadata)


def _answer(location: str, metadata: Any) -> Response:
    plain = _plain(metadata)
    return JSONResponse({"metadata-location": location, "metadata": plain, "config": {}})


def _plain(metadata: Any) -> object:
    return json.loads(metadata.model_dump_json())


async def _failed(request: Request, error: Exception) -> Response:
    status = STATUS[type(error)]
    told = {"message": str(error), "type": type(error).__name__, "code": status}
    return JSONResponse({"error": told}, status_code=status)


def application(folder: Path) -> Starlette:
    tables = Tables(folder)
    below = "/v1/namespaces/{namespace}"
    paths = {
        "/v1/config": tables.config,
        "/v1/namespaces": tables.namespaces,
        below: tables.namespace,
        f"{below}/tables": tables.tables,
        f"{below}/tables/{{table}}": tables.table,
        "/v1/transactions/commit": tables.commit,
    }
    routes = [Route(path, answer, methods=METHODS) for path, answer in paths.items()]
    return Starlette(routes=routes, exception_handlers=dict.fromkeys(STATUS, _failed))


def main(folder: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        server = uvicorn.Server(uvicorn.Config(application(Path(folder)), log_level="warning"))
        server.run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1])

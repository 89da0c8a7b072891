"""Sessions by an address: `sc://host:port` of a Spark Connect server, or `local[2]`."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

from sqlfuncs.engines.spark import running
from sqlfuncs.errors import BadInput, CannotRegister, MissingExtra

_PORT = 15002  # of a Spark Connect server, unless it is named
_SECONDS = 10.0  # for a server to answer
# A Spark that is started here: tables stay in `metastore_db` and `spark-warehouse` of the folder it
# is started in, as with the program spark-sql; what we have to say is not among its own remarks.
_LOCAL = {
    "spark.sql.catalogImplementation": "hive",
    "spark.driver.extraJavaOptions": "-Dderby.stream.error.file=/dev/null",
    "spark.python.task.killTimeout": "500ms",  # after Ctrl-C
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}


def connect(url: str) -> Any:
    """A session in which the functions can be called by their names.

    Raises BadInput for an address that is none, MissingExtra, and CannotRegister.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise MissingExtra.needed_for("Spark", "spark") from None
    if url.startswith("sc://"):
        _refuse_silent(url)
        builder = SparkSession.builder.remote(url)
    elif url.startswith(("local", "spark://", "yarn", "k8s://")):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # where sqlfuncs is
        builder = SparkSession.builder.master(url).appName("sqlfuncs")
        for name, value in _LOCAL.items() if url.startswith("local") else ():
            builder = builder.config(name, value)
    else:
        raise BadInput(
            f"{url!r} is no address of a Spark: sc://HOST:PORT is one of a Spark Connect server, "
            "local[2] starts one here."
        )
    try:
        return builder.getOrCreate()
    except Exception as error:
        raise CannotRegister(f"{url} gives no session: {running.as_ours(error)}") from None


def _refuse_silent(url: str) -> None:
    """Raise CannotRegister where nothing answers at an address, at which Spark tries for minutes.

    What lies behind a proxy cannot be tried, and is not.
    """
    if any(os.environ.get(name) for name in ("grpc_proxy", "https_proxy", "http_proxy")):
        return
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORT
    except ValueError:
        host = ""
    if not host:
        raise BadInput(f"{url!r} is no address: it begins with sc://HOST:PORT.")
    try:
        socket.create_connection((host, port), timeout=_SECONDS).close()
    except OSError as error:
        raise CannotRegister(
            f"no Spark answers at {host}:{port} ({error.strerror or error}). sc://HOST:PORT is the "
            "address of a Spark Connect server; local[2] starts a Spark here."
        ) from None

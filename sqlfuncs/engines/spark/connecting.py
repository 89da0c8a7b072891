"""Sessions by an address: `sc://host:port` of a Spark Connect server, or `local[2]`."""

from __future__ import annotations

import os
import sys
from typing import Any

from sqlfuncs.engines.spark import running
from sqlfuncs.errors import BadInput, CannotRegister, MissingExtra


def connect(url: str) -> Any:
    """A session in which the functions can be called by their names.

    Raises BadInput for an address that is none, MissingExtra, and CannotRegister.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise MissingExtra.needed_for("Spark", "spark") from None
    if url.startswith("sc://"):
        builder = SparkSession.builder.remote(url)
    elif url.startswith(("local", "spark://", "yarn", "k8s://")):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # where sqlfuncs is
        builder = SparkSession.builder.master(url).appName("sqlfuncs")
    else:
        raise BadInput(
            f"{url!r} is no address of a Spark: sc://HOST:PORT is one of a Spark Connect server, "
            "local[2] starts one here."
        )
    try:
        return builder.getOrCreate()
    except Exception as error:
        raise CannotRegister(f"{url} gives no session: {running.as_ours(error)}") from None

"""A session of Spark's that is given the functions: what it has to be, and what it gets."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

import sqlfuncs
from sqlfuncs.engines.spark import running, scalars, sql_functions, table_functions
from sqlfuncs.errors import CannotRegister

_OLDEST = (4, 1)
_NEEDED = "arrow_udf, which hands whole batches to Python, is there from Spark 4.1 on"


def register(session: Any) -> None:
    """Give a session every function, temporarily; nothing of it is written into a catalog.

    Raises CannotRegister for a Spark that is too old, and where its workers cannot compute.
    """
    refuse_old(session)
    refuse_workers(session)
    with running.in_our_words():
        sql_functions.register(session)
        scalars.register(session)
        table_functions.register(session)


def refuse_old(session: Any) -> None:
    """Raise CannotRegister for a Spark, or a client of one, before 4.1."""
    import pyspark

    with running.in_our_words():
        versions = {"Spark": str(session.version), "pyspark": str(pyspark.__version__)}
    for what, version in versions.items():
        numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
        if numbers < _OLDEST:
            raise CannotRegister(
                f"this is {what} {version}: sqlfuncs needs 4.1 or newer ({_NEEDED})."
            )


def refuse_workers(session: Any) -> None:
    """Raise CannotRegister where Python workers lack the package, or have another version of it."""
    here = (sqlfuncs.__version__, _python())
    try:
        found = running.collected(
            session.range(1).mapInArrow(_versions, "package string, python string")
        ).to_pylist()
    except CannotRegister:
        raise
    except sqlfuncs.SqlfuncsError as error:
        raise CannotRegister(
            f"this Spark has no Python workers that sqlfuncs could compute in: {error}"
        ) from None
    there = (found[0]["package"], found[0]["python"])
    if there != here:
        raise CannotRegister(
            f"the Python workers of this Spark have sqlfuncs {there[0]} on Python {there[1]}, the "
            f"driver has {here[0]} on {here[1]}. Install the same on both."
        )


def _versions(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for _ in batches:
        yield pa.RecordBatch.from_pydict({"package": [sqlfuncs.__version__], "python": [_python()]})


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])

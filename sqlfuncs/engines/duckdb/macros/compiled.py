"""Our macros in a DuckDB file beside the compiled Python, written once for each version of DuckDB.

Attaching it takes a fraction of the time that making them does (benchmarks/connecting.py). It lies
where the `.pyc` files of this package do, and is trusted as these are: whoever may write there can
change the code itself. Like these it is done without where it cannot be read or written, and not
written under PYTHONDONTWRITEBYTECODE. Imports duckdb.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from importlib.util import cache_from_source
from pathlib import Path

import duckdb

from sqlfuncs.engines.duckdb import builtins
from sqlfuncs.engines.duckdb.names import literal

_SOURCES = (Path(__file__).parent / "__init__.py", Path(__file__).parent / "sealed.py")
_KEPT_SECONDS = 24 * 3600.0  # files of other versions may be in use


def file_for(texts: str) -> Path | None:
    """Where the macros of these texts are; None where nothing can be beside the code."""
    try:
        digest = sha256(texts.encode())
        for source in (*_SOURCES, Path(builtins.__file__)):
            digest.update(source.read_bytes())
        beside = Path(cache_from_source(__file__))
    except (OSError, NotImplementedError):  # in an archive; a Python that keeps nothing compiled
        return None
    return beside.with_name(f"macros.{duckdb.__version__}.{digest.hexdigest()[:16]}.duckdb")


def attach(con: duckdb.DuckDBPyConnection, file: Path, catalog: str) -> bool:
    """Attach the file as a database of this name; False where there is none, or it is damaged."""
    if not file.is_file():
        return False
    try:
        con.execute(f"ATTACH {literal(str(file))} AS {catalog} (READ_ONLY)")
    except duckdb.InterruptException:
        raise
    except duckdb.Error:  # also where the session may open no files
        return False
    return True


def write(file: Path, catalog: str, make: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
    """Write what `make` makes in the database `catalog` of a connection; or nothing."""
    if sys.dont_write_bytecode:
        return
    scratch = file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as con:
            # DuckDB 1 writes typed parameters for readers as new as itself only if asked.
            con.execute(f"ATTACH {literal(str(scratch))} AS {catalog} (STORAGE_VERSION 'latest')")
            make(con)
            con.execute(f"CHECKPOINT {catalog}; DETACH {catalog}")
        scratch.replace(file)
        _remove_old(file)
    except (OSError, duckdb.Error):
        pass
    finally:
        for each in (scratch, scratch.with_name(f"{scratch.name}.wal")):
            with contextlib.suppress(OSError):
                each.unlink()


def _remove_old(file: Path) -> None:
    for other in file.parent.glob("macros.*.duckdb*"):
        with contextlib.suppress(OSError):
            if other != file and other.stat().st_atime < time.time() - _KEPT_SECONDS:
                other.unlink()

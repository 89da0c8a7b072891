"""Servers that tests start for themselves, in a folder of their own, and end again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT
from tests.integrations.tools import ATTACHED
from tests.waiting import patient

Environment = Mapping[str, str]
_POSTGRES = os.pathsep.join(
    [os.environ.get("PATH", ""), *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
)
_MARIADB = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])


def lacks_postgres() -> str | None:
    """Why no PostgreSQL can be started here, if none can."""
    missing = [each for each in ("initdb", "postgres", "psql") if not _found(each, _POSTGRES)]
    return f"no {missing[0]} here: apt-get install postgresql" if missing else None


def lacks_mariadb() -> str | None:
    """Why no MariaDB can be started here, if none can."""
    is_here = bool(_found("mariadbd", _MARIADB))
    return None if is_here else "no mariadbd here: apt-get install mariadb-server-core"


def _found(program: str, path: str) -> str:
    """Where a program is; nothing where it is not here."""
    return shutil.which(program, path=path) or ""


@contextmanager
def postgres() -> Iterator[Environment]:
    """A PostgreSQL with a database `support`; the environment in which clients find it."""
    with _folder() as folder:
        # It refuses to run as root; Debian's package makes a user for it.
        user = "postgres" if os.geteuid() == 0 else None
        if user:
            shutil.chown(folder, user)
        initdb, server, psql = (_found(each, _POSTGRES) for each in ("initdb", "postgres", "psql"))
        data = folder / "data"
        made: list[str | Path] = [
            initdb,
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            "analyst",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(made, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        found = {"PGHOST": str(folder), "PGUSER": "analyst"}
        options: list[str | Path] = [
            "-F",
            "-k",
            folder,
            "-c",
            "listen_addresses=",
            "-c",
            "shared_buffers=8MB",
        ]
        with _running([server, "-D", data, *options], folder, signal.SIGINT, user):
            asked: list[str | Path] = [psql, "-d", "postgres", "-c", "CREATE DATABASE support"]
            _until(lambda: _succeeds(asked, found), "PostgreSQL", folder)
            yield found


@contextmanager
def mariadb() -> Iterator[Environment]:
    """A MariaDB with a database `support`, which asks nobody for a password."""
    with _folder() as folder:
        (folder / "data").mkdir()
        (folder / "first.sql").write_text("CREATE DATABASE support;\n")
        at = folder / "socket"
        server = [
            *(_found("mariadbd", _MARIADB), "--no-defaults", f"--datadir={folder / 'data'}"),
            *(f"--socket={at}", "--skip-networking", "--skip-grant-tables"),
            *("--character-set-server=utf8mb4", f"--init-file={folder / 'first.sql'}"),
            *("--innodb-buffer-pool-size=16M", "--innodb-log-file-size=4M"),
            *(["--user=root"] if os.geteuid() == 0 else []),
        ]
        with _running(server, folder, signal.SIGTERM):
            _until(lambda: _listens(at), "MariaDB", folder)
            yield {"MYSQL_UNIX_PORT": str(at)}


@contextmanager
def iceberg() -> Iterator[Environment]:
    """A REST catalog of Iceberg tables; where it listens is in ICEBERG_CATALOG."""
    with _folder() as folder:
        catalog: list[str | Path] = [
            sys.executable,
            "-m",
            "tests.integrations.iceberg_catalog",
            folder / "tables",
        ]
        with _running(catalog, folder, signal.SIGTERM):
            said = folder / "log"
            _until(lambda: "http://" in said.read_text(), "the Iceberg catalog", folder)
            found = [line for line in said.read_text().splitlines() if line.startswith("http://")]
            yield {"ICEBERG_CATALOG": found[0], "ICEBERG_TABLES": str(folder / "tables")}


@contextmanager
def nothing() -> Iterator[Environment]:
    """No server: the tables are files."""
    yield {}


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder with a short name: the path of a socket has 107 characters at most."""
    with tempfile.TemporaryDirectory(prefix="sf-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def _running(
    command: Sequence[str | Path], folder: Path, stop: signal.Signals, user: str | None = None
) -> Iterator[None]:
    """A server while the block runs; what it says is in `log` of its folder."""
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=log, stderr=log, cwd=folder, user=user,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ATTACHED, ROOT)))},
        )  # fmt: skip
        try:
            yield
        finally:
            process.send_signal(stop)
            try:
                process.wait(patient(10))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _until(is_so: Callable[[], bool], what: str, folder: Path) -> None:
    """Wait for a server, and show what it said if it does not come."""
    ends = time.monotonic() + patient(30)
    while not is_so():
        if time.monotonic() > ends:
            raise TimeoutError(f"{what} did not start: {(folder / 'log').read_text()[-2000:]}")
        time.sleep(0.05)


def _succeeds(command: Sequence[str | Path], found: Environment) -> bool:
    ran = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **found}, capture_output=True, check=False,
    )  # fmt: skip
    return ran.returncode == 0


def _listens(at: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as tried:
        return tried.connect_ex(str(at)) == 0

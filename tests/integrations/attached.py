"""Runs sections of docs/attached.md, with DuckDB 1.5.5, its extensions and real servers.

    python -m tests.integrations.attached --write     # put what they print today into the page

Each section runs in a process of its own and a folder of its own, which is asked, once the
corrections are written and again once they are taken back, what is in the tables then.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.conftest import ROOT
from tests.examples import ATTACHED as PAGE
from tests.examples import Example, run_text, write_down
from tests.integrations import servers
from tests.integrations.tools import ATTACHED, OLD_DUCKDB

# Where the tables of a section are, and what it needs.
PREFIXES = {
    "PostgreSQL": "pg.",
    "MySQL and MariaDB": "my.",
    "DuckLake": "lake.",
    "Iceberg": "ice.support.",
    "Delta": "",
}
SERVERS = {
    "PostgreSQL": servers.postgres,
    "MySQL and MariaDB": servers.mariadb,
    "DuckLake": servers.nothing,
    "Iceberg": servers.iceberg,
    "Delta": servers.nothing,
}
_IN_THE_PAGE = "http://127.0.0.1:8181"  # where the page has its Iceberg catalog
Rows = list[list[object]]


@dataclass(frozen=True)
class Ran:
    """What a section printed, and what was asked when labels were written and taken back."""

    examples: list[Example]
    written: list[Rows]
    taken_back: list[Rows]


def section(name: str) -> str:
    """The text of a section of the page."""
    page = PAGE.read_text(encoding="utf-8")
    (found,) = re.findall(rf"(?ms)^## {re.escape(name)}\n.*?(?=^## |\Z)", page)
    return str(found)


def attaching(name: str, found: Mapping[str, str]) -> str:
    """The statements of a section that attach, and none that makes a table."""
    block = section(name).partition("```sql\n")[2].partition("```")[0]
    return _at_its_address(block.partition("CREATE")[0], found)


def _at_its_address(text: str, found: Mapping[str, str]) -> str:
    """A text of the page in which the Iceberg catalog is where it is here."""
    return text.replace(_IN_THE_PAGE, found.get("ICEBERG_CATALOG", ""))


def run_in(folder: Path, found: Mapping[str, str], name: str, questions: Sequence[str]) -> Ran:
    """Run a section in a folder; `found` is the environment of its server."""
    asked = json.dumps([name, list(questions)])
    ran = json.loads(python(folder, found, "-m", "tests.integrations.attached", asked))
    return Ran([Example(**each) for each in ran["examples"]], ran["written"], ran["taken_back"])


def python(folder: Path, found: Mapping[str, str], *arguments: str) -> str:
    """What a program prints that runs on DuckDB 1.5.5, where its extensions are installed."""
    _install(folder)
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={
            **os.environ,
            **found,
            "PYTHONPATH": os.pathsep.join(map(str, (OLD_DUCKDB, ATTACHED, ROOT))),
            "HOME": str(folder),
            "ONEDNN_MAX_CPU_ISA": "AVX2",  # as for the other pages: see tests/examples.py
        },
        capture_output=True,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def _install(folder: Path) -> None:
    """Put the extensions where INSTALL does: it finds them there, and fetches nothing."""
    for wheels in (OLD_DUCKDB, ATTACHED):
        for file in wheels.glob("duckdb_extension_*/extensions/*/*.duckdb_extension"):
            version = folder / ".duckdb" / "extensions" / file.parent.name
            at = version / "linux_amd64" / file.name
            at.parent.mkdir(parents=True, exist_ok=True)
            if not at.exists():
                at.symlink_to(file)
    if not (folder / "data").exists():
        (folder / "data").symlink_to(ROOT / "data")


def _run_here(name: str, questions: Sequence[str]) -> Ran:
    import sqlfuncs

    text = section(name)
    first = text.partition("**Take it back")[0]
    with sqlfuncs.connect() as con:

        def examples(part: str) -> Iterator[Example]:
            return run_text(con, _at_its_address(part, os.environ), PAGE.name, {"con": con})

        def answers() -> list[Rows]:
            return [[list(row) for row in con.execute(each).fetchall()] for each in questions]

        before, written = list(examples(first)), answers()
        after, taken_back = list(examples(text.removeprefix(first))), answers()
    return Ran([*before, *after], written, taken_back)


def _write() -> None:
    for name, server in SERVERS.items():
        started: AbstractContextManager[servers.Environment] = server()
        with tempfile.TemporaryDirectory() as folder, started as found:
            write_down(PAGE, run_in(Path(folder), found, name, []).examples)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        _write()
    else:
        print(json.dumps(asdict(_run_here(*json.loads(sys.argv[1]))), default=str))
